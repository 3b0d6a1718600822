// SPDX-License-Identifier: Apache-2.0
//
// faults-doc: prints docs/FAULTS.md, from the same tables that choose the mechanism of a fault. Looks at
// nothing of this machine: the same program prints the same text everywhere.
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/faults/fault_type.h"
#include "loader/probe.h"

namespace sabot {
namespace {

constexpr std::string_view kHead = R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by `cmake --build build -t faults_doc` from the ladders in agent/faults/. Do not edit. -->
# Faults and their mechanisms

Each effect has a ladder of mechanisms, best first. The first one is taken that this kernel has, that fits the
target, and that the experiment allows; `sabot plan` says which one that is and why not those above it, `sabot
doctor` says what this kernel can do. `--mechanism FAMILY=MECHANISM` forces one.

*Exact* means that there is no known difference to what the effect's name promises, *degraded* that it works with
the difference that the caveat states. What a mechanism needs is found out by trying it; the table at the end says
which kernels usually have it.
)";

std::string Cell(std::string_view text) {
  return absl::StrReplaceAll(std::string(text), {{"|", "\\|"}, {"\n", " "}});
}

std::string Code(std::string_view name) { return absl::StrCat("`", Cell(name), "`"); }

std::string Row(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string Head(const std::vector<std::string>& titles) {
  std::string rule = "|";
  for (size_t i = 0; i < titles.size(); ++i) rule += "---|";
  return absl::StrCat(Row(titles), rule, "\n");
}

std::string Needs(const agent::Rung& rung) {
  return absl::StrJoin(rung.needs, ", ", [](std::string* out, loader::Feature feature) {
    absl::StrAppend(out, Code(loader::FeatureName(feature)));
  });
}

std::string Caveat(const agent::Rung& rung) {
  std::string caveat(rung.caveat);
  if (rung.crowd == 0) return Cell(caveat);
  if (!caveat.empty()) caveat += "; ";
  absl::StrAppend(&caveat, "when more than ", rung.crowd,
                  " faults begin at once, one further down that is as exact is preferred");
  return Cell(caveat);
}

std::string_view FidelityName(sabot::v1::Fidelity fidelity) {
  return fidelity == sabot::v1::FIDELITY_EXACT ? "exact" : "degraded";
}

std::string NameOf(const agent::FaultType& type, const agent::Effect& effect) {
  const std::string family(type.family);
  return effect.name.empty() ? family : absl::StrCat(family, "/", std::string(effect.name));
}

std::string Sentence(std::string text) {
  if (!text.empty()) text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text + ".";
}

std::string LadderOf(const agent::FaultType& type, const agent::Effect& effect) {
  std::string text =
      absl::StrCat("\n### ", NameOf(type, effect), "\n\n", Sentence(std::string(effect.description)), "\n\n");
  text += Head({"", "mechanism", "fidelity", "needs", "what ends it when the agent cannot", "caveat"});
  int number = 0;
  for (const agent::Rung& rung : effect.ladder) {
    text += Row({absl::StrCat(++number), Code(rung.mechanism), std::string(FidelityName(rung.fidelity)),
                 Needs(rung), Cell(rung.undone_by), Caveat(rung)});
  }
  return text;
}

std::set<loader::Feature> AllNeeds() {
  std::set<loader::Feature> needs;
  for (const agent::FaultType* type : agent::AllFaultTypes()) {
    for (const agent::Effect& effect : type->effects) {
      for (const agent::Rung& rung : effect.ladder) needs.insert(rung.needs.begin(), rung.needs.end());
    }
  }
  return needs;
}

std::string Document() {
  std::string text(kHead);
  for (const agent::FaultType* type : agent::AllFaultTypes()) {
    absl::StrAppend(&text, "\n## ", std::string(type->family), "\n");
    for (const agent::Effect& effect : type->effects) text += LadderOf(*type, effect);
  }
  text += "\n## What the mechanisms need\n\n";
  text += Head({"feature", "since Linux", "used for"});
  for (loader::Feature feature : AllNeeds()) {
    const loader::FeatureInfo& info = loader::InfoOf(feature);
    text += Row({Code(info.name), Cell(info.since), Cell(info.purpose)});
  }
  return text;
}

}  // namespace
}  // namespace sabot

int main() {
  std::cout << sabot::Document() << std::flush;
  return std::cout ? 0 : 1;
}
