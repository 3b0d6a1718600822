// SPDX-License-Identifier: Apache-2.0
//
// The conformance suite: every effect on every rung (cell.cc) has every property (property.h), or is skipped
// because this kernel does not offer the rung. It drives the shipped binary ($SABOT_BIN, or `sabot` beside
// this one) by its command line. The same suite runs on this machine and in the kernels of tests/vm.
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "tests/host/clock_conformance.h"
#include "tests/host/property.h"
#include "tests/host/report.h"
#include "tests/host/syscall_rows.h"
#include "tests/support/doctor.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/subprocess.h"

namespace sabot::test {
namespace {

const nlohmann::json& Doctor() {
  static const nlohmann::json doctor = SabotCli().Json({"doctor"});
  return doctor;
}

class ConformanceTest : public testing::Test {
 public:
  ConformanceTest(const Cell& cell, const Property& property) : cell_(cell), property_(property) {}

  void TestBody() override {
    RungVerdict verdict = VerdictOn(Doctor(), cell_.effect->action, cell_.mechanism);
    ASSERT_TRUE(verdict.listed) << "`sabot doctor` does not list the rung " << cell_.mechanism;
    if (!verdict.usable) return SkipIfTrue(verdict);
    Scenario scenario(cell_);
    property_.check(scenario);
    scenario.ExpectHostAsBefore();
  }

 private:
  // A rung may only be passed over when the kernel refuses its ground to us as well.
  void SkipIfTrue(const RungVerdict& verdict) {
    std::string refusal = KernelRefuses(cell_.mechanism);
    ASSERT_FALSE(refusal.empty()) << "`sabot doctor` calls the rung unusable (" << verdict.why
                                  << "), but this kernel gives all that it is built on";
    ASSERT_FALSE(verdict.why.empty()) << "`sabot doctor` gives no reason";
    GTEST_SKIP() << verdict.why << " (checked: " << refusal << ")";
  }

  const Cell& cell_;
  const Property& property_;
};

void RegisterTests() {
  for (const Cell& cell : Cells()) {
    for (const Property& property : Properties()) {
      if (property.applies != nullptr && !property.applies(cell)) continue;
      std::string name = std::string(cell.mechanism) + "." + property.name;
      testing::RegisterTest(
          cell.Suite().c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
          [&cell, &property]() -> ConformanceTest* { return new ConformanceTest(cell, property); });
    }
  }
}

// Fills the report from the names that RegisterTests gave.
class Reporter : public testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const testing::TestInfo& test) override {
    NoteSyscallTest(test);
    for (const Cell& cell : Cells()) {
      for (const Property& property : Properties()) {
        bool is_this = cell.Suite() == test.test_suite_name() &&
                       std::string(cell.mechanism) + "." + property.name == test.name();
        if (is_this) Report::Get().Note(cell.Row(), property.column, *test.result());
      }
    }
    NoteClockTest(test);
  }
};

}  // namespace
}  // namespace sabot::test

int main(int argc, char** argv) {
  using namespace sabot::test;
  testing::InitGoogleTest(&argc, argv);
  AdoptOrphans();
  RegisterTests();
  RegisterClockTests();
  RegisterSyscallTests();
  if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  if (::access(SabotBinary().c_str(), X_OK) != 0) {
    std::fprintf(stderr, "conformance: there is no binary at %s; build it or set SABOT_BIN\n",
                 SabotBinary().c_str());
    return 2;
  }
  testing::UnitTest::GetInstance()->listeners().Append(new Reporter);
  int result = RUN_ALL_TESTS();
  Report::Get().Print();
  if (result == 0 && !Report::Get().AnythingPassed()) {
    std::fprintf(stderr, "conformance: nothing was tested\n");
    return 1;
  }
  return result;
}
