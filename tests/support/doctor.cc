// SPDX-License-Identifier: Apache-2.0
#include "tests/support/doctor.h"

#include <functional>
#include <map>
#include <vector>

#include "tests/support/bpf_yardstick.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

using nlohmann::json;

std::string FirstReason(const std::vector<std::function<std::string()>>& checks) {
  for (const auto& check : checks) {
    if (std::string reason = check(); !reason.empty()) return reason;
  }
  return "";
}

std::string WhyNotNetem() { return WhyNotQdisc("netem"); }
std::string WhyNotPrio() { return WhyNotQdisc("prio"); }
std::string WhyNotFq() { return WhyNotQdisc("fq"); }
std::string WhyNotFmodRetSyscall() { return WhyNotFmodRet("__x64_sys_openat"); }
std::string WhyNotFmodRetSecurity() { return WhyNotFmodRet("security_file_open"); }

// What each rung cannot do without, whatever else it uses.
const std::map<std::string, std::vector<std::function<std::string()>>>& Grounds() {
  static const std::map<std::string, std::vector<std::function<std::string()>>> grounds = {
      {"tcx", {WhyNotTcx}},
      {"clsact", {WhyNotClsact}},
      {"cgroup_skb", {WhyNotCgroupSkb}},
      {"edt", {WhyNotFq, WhyNotClsact}},
      {"netem", {WhyNotNetem, WhyNotPrio, WhyNotClsact}},
      {"pacer", {WhyNotTap, WhyNotClsact}},
      {"override", {WhyNotOverride}},
      {"fmod_ret", {WhyNotFmodRetSyscall}},
      {"security", {WhyNotFmodRetSecurity}},
      {"cgroup", {WhyNotCgroupConnect}},
  };
  return grounds;
}

}  // namespace

RungVerdict VerdictOn(const json& doctor, const std::string& effect, const std::string& mechanism,
                      const std::string& fault) {
  for (const json& ladder : doctor.value("ladders", json::array())) {
    if (ladder.value("fault", "") != fault || ladder.value("effect", "") != effect) continue;
    for (const json& rung : ladder.value("rungs", json::array())) {
      if (rung.value("mechanism", "") != mechanism) continue;
      return {.listed = true, .usable = rung.value("usable", false), .why = rung.value("why", "")};
    }
  }
  return {};
}

std::string KernelRefuses(const std::string& mechanism) {
  static std::map<std::string, std::string> known;
  auto found = known.find(mechanism);
  if (found != known.end()) return found->second;
  auto grounds = Grounds().find(mechanism);
  Require(grounds != Grounds().end(), "no second opinion on the rung " + mechanism);
  return known[mechanism] = FirstReason(grounds->second);
}

}  // namespace sabot::test
