// SPDX-License-Identifier: Apache-2.0
#include "tools/sabot/run_view.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"

namespace sabot::cli {
namespace {

class JsonView : public RunView {
 public:
  void Applied(const Faults& faults) override {
    for (const auto& fault : faults) {
      nlohmann::json event = ToJson(fault);
      event["event"] = fault.phase() == sabot::v1::INJECTED ? "injected" : "not injected";
      std::cout << event.dump() << std::endl;
    }
  }
  void Progress(const Faults& faults) override { All("counters", faults); }
  void Ended(const Faults& faults) override { All("ended", faults); }

 private:
  static void All(const char* name, const Faults& faults) {
    nlohmann::json event = {{"event", name}, {"faults", nlohmann::json::array()}};
    for (const auto& fault : faults) event["faults"].push_back(ToJson(fault));
    std::cout << event.dump() << std::endl;
  }
};

// Each fault's choice of mechanism, in words: what was taken and why nothing above it was.
void PrintChoices(const RunView::Faults& faults) {
  for (const auto& fault : faults) {
    std::cout << fault.target() << "  " << fault.kind() << "  "
              << (fault.mechanism().empty() ? "no mechanism" : "by " + fault.mechanism()) << "\n";
    for (const auto& rung : fault.rejected()) {
      std::cout << "    not " << rung.mechanism() << ": " << rung.reason() << "\n";
    }
  }
}

class TerminalView : public RunView {
 public:
  void Applied(const Faults& faults) override {
    PrintChoices(faults);
    std::cout << "\n";
    Draw(faults);
  }
  void Progress(const Faults& faults) override { Draw(faults); }
  void Ended(const Faults& faults) override {
    Draw(faults);
    std::cout << "\nended; everything is undone that is not named above\n";
  }

 private:
  void Draw(const Faults& faults) {
    if (lines_ > 0) std::cout << "\033[" << lines_ << "A\033[J";
    const std::string table = FaultTable(faults);
    lines_ = std::count(table.begin(), table.end(), '\n');
    std::cout << table << std::flush;
  }

  long lines_ = 0;  // of the table that stands on the screen
};

class LogView : public RunView {
 public:
  void Applied(const Faults& faults) override {
    PrintChoices(faults);
    std::cout << FaultTable(faults) << std::flush;
  }
  void Progress(const Faults& faults) override {
    if (++seconds_ % 2 != 0) return;
    for (const auto& fault : faults) {
      std::cout << fault.target() << "  " << fault.kind() << "  " << PhaseName(fault.phase()) << "  seen "
                << fault.counters().seen() << "  matched " << fault.counters().matched() << "  affected "
                << fault.counters().affected();
      if (fault.expires_in_ms() > 0) std::cout << "  left " << ShortDuration(fault.expires_in_ms());
      std::cout << std::endl;
    }
  }
  void Ended(const Faults& faults) override { std::cout << "ended\n" << FaultTable(faults) << std::flush; }

 private:
  int seconds_ = 0;
};

}  // namespace

std::unique_ptr<RunView> RunView::Create(Format format) {
  if (format != Format::kTable) return std::make_unique<JsonView>();
  if (isatty(STDOUT_FILENO)) return std::make_unique<TerminalView>();
  return std::make_unique<LogView>();
}

}  // namespace sabot::cli
