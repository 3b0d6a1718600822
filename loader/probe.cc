// SPDX-License-Identifier: Apache-2.0
#include "loader/probe.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/probe_context.h"
#include "loader/probe_finding.h"

namespace sabot::loader {
namespace {

// The probe, with where Linux has the feature added to a "no".
Finding Ask(const FeatureInfo& info, ProbeContext& context) {
  Finding finding = info.probe(context);
  if (finding.answer == Answer::kNo)
    absl::StrAppend(&finding.reason, " (Linux has it since ", std::string(info.since), ")");
  return finding;
}

const Finding& NotProbed() {
  static const Finding* const finding = new Finding(Unknown("it was not probed"));
  return *finding;
}

}  // namespace

std::string_view AnswerName(Answer answer) {
  switch (answer) {
    case Answer::kYes:
      return "yes";
    case Answer::kNo:
      return "no";
    case Answer::kDenied:
      return "denied";
    case Answer::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Features::Features() = default;
Features::Features(Features&&) noexcept = default;
Features& Features::operator=(Features&&) noexcept = default;
Features::~Features() = default;

absl::StatusOr<Features> Features::Probe(const Options& options) {
  Features features = Probe();
  features.context_ = std::make_unique<ProbeContext>(options.btf_path);
  for (const std::string& name : options.disabled) {
    std::optional<Feature> feature = FeatureByName(name);
    if (!feature)
      return absl::InvalidArgumentError(absl::StrCat("there is no feature \"", name, "\" to turn off"));
    features.disabled_[*feature] = No(absl::StrCat("turned off by --no-feature ", name));
  }
  return features;
}

Features Features::Probe() {
  Features features;
  features.context_ = std::make_unique<ProbeContext>("");
  return features;
}

Features Features::Of(std::map<Feature, Finding> findings) {
  Features features;
  features.found_ = std::move(findings);
  return features;
}

const Finding& Features::Get(Feature feature) const {
  if (auto off = disabled_.find(feature); off != disabled_.end()) return off->second;
  auto known = found_.find(feature);
  if (!context_) return known == found_.end() ? NotProbed() : known->second;
  if (known != found_.end() && known->second.answer != Answer::kUnknown) return known->second;
  return found_[feature] = Ask(InfoOf(feature), *context_);
}

void Features::Forget() {
  if (context_) found_.clear();
}

}  // namespace sabot::loader
