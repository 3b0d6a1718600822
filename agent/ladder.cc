// SPDX-License-Identifier: Apache-2.0
#include "agent/ladder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sabot::agent {
namespace {

bool HasRung(const Effect& effect, std::string_view mechanism) {
  return std::any_of(effect.ladder.begin(), effect.ladder.end(),
                     [&](const Rung& rung) { return rung.mechanism == mechanism; });
}

std::optional<std::string> Unwanted(const LadderRequest& request, const Rung& rung) {
  const auto& allowed = request.policy.allowed();
  const std::string name(rung.mechanism);
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
    return "not among the mechanisms that the experiment allows";
  }
  const auto forced = request.forced.find(std::string(request.type.family));
  if (forced != request.forced.end() && HasRung(request.effect, forced->second) && forced->second != name) {
    return absl::StrCat("--mechanism ", forced->first, "=", forced->second, " was given");
  }
  if (rung.fidelity < request.policy.minimum_fidelity())
    return "below the fidelity that the experiment asks for";
  return std::nullopt;
}

}  // namespace

absl::Status AddForcedMechanism(const std::string& text, ForcedMechanisms& forced) {
  const size_t equals = text.find('=');
  const std::string family = text.substr(0, equals);
  const std::string mechanism = equals == std::string::npos ? "" : text.substr(equals + 1);
  std::vector<std::string> families, rungs;
  for (const FaultType* type : AllFaultTypes()) {
    families.emplace_back(type->family);
    if (type->family != family) continue;
    for (const Effect& effect : type->effects) {
      for (const Rung& rung : effect.ladder) rungs.emplace_back(rung.mechanism);
    }
  }
  if (rungs.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--mechanism ", text, ": must be FAMILY=RUNG with FAMILY one of ", absl::StrJoin(families, ", ")));
  }
  std::sort(rungs.begin(), rungs.end());
  rungs.erase(std::unique(rungs.begin(), rungs.end()), rungs.end());
  if (!std::binary_search(rungs.begin(), rungs.end(), mechanism)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--mechanism ", text, ": the rungs of ", family, " are ", absl::StrJoin(rungs, ", ")));
  }
  forced[family] = mechanism;
  return absl::OkStatus();
}

std::optional<std::string> MissingFeature(const Rung& rung, const loader::Features& features) {
  for (loader::Feature feature : rung.needs) {
    const loader::Finding& finding = features.Get(feature);
    if (finding.answer == loader::Answer::kYes) continue;
    return absl::StrCat(std::string(loader::FeatureName(feature)), ": ",
                        std::string(loader::AnswerName(finding.answer)), " (", finding.reason, ")");
  }
  return std::nullopt;
}

// A crowded rung goes behind those that follow it with the same fidelity.
RungChoice::RungChoice(const LadderRequest& request) : request_(request) {
  for (const Rung& rung : request.effect.ladder) order_.push_back(&rung);
  for (auto rung = order_.end(); rung != order_.begin();) {
    --rung;
    if (!Crowded(**rung)) continue;
    const auto worse = std::find_if(rung, order_.end(),
                                    [&](const Rung* other) { return other->fidelity != (*rung)->fidelity; });
    std::rotate(rung, rung + 1, worse);
  }
}

std::optional<std::string> RungChoice::Crowded(const Rung& rung) const {
  if (rung.crowd == 0 || request_.at_once <= rung.crowd) return std::nullopt;
  return absl::StrCat(request_.at_once, " faults begin at once, of which each would wait for the kernel");
}

const Rung* RungChoice::Next(std::vector<RejectedRung>& rejected) {
  while (next_ < order_.size()) {
    const Rung& rung = *order_[next_++];
    auto reason = Unwanted(request_, rung);
    if (!reason) reason = MissingFeature(rung, request_.features);
    if (!reason && request_.unfit) reason = request_.unfit(rung);
    if (!reason) {
      std::erase_if(rejected, [&](const RejectedRung& other) { return other.mechanism == rung.mechanism; });
      for (size_t later = next_; later < order_.size(); ++later) {
        if (order_[later] > &rung) continue;
        rejected.push_back({std::string(order_[later]->mechanism), *Crowded(*order_[later])});
      }
      return &rung;
    }
    rejected.push_back({std::string(rung.mechanism), *reason});
  }
  return nullptr;
}

std::string Describe(const std::vector<RejectedRung>& rejected) {
  return absl::StrJoin(rejected, "; ", [](std::string* out, const RejectedRung& rung) {
    absl::StrAppend(out, rung.mechanism, ": ", rung.reason);
  });
}

}  // namespace sabot::agent
