// SPDX-License-Identifier: Apache-2.0
//
// SyscallChaos: the fields of its spec, in one look, and what they must be.
#include "controller/api/syscall_chaos.h"

#include <seccomp.h>
#include <string.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <set>

#include "controller/api/decode.h"
#include "controller/api/kinds.h"
#include "controller/api/near_name.h"
#include "controller/api/str_cat.h"
#include "controller/api/validation.h"

namespace sabot::api {
namespace {

constexpr EnumName<SyscallAction> kActions[] = {{SyscallAction::kErrno, "errno"}};

constexpr EnumName<ArgumentOperator> kOperators[] = {
    {ArgumentOperator::kEqual, "=="},  {ArgumentOperator::kNotEqual, "!="}, {ArgumentOperator::kLess, "<"},
    {ArgumentOperator::kGreater, ">"}, {ArgumentOperator::kHasBits, "&"},
};

constexpr size_t kMaxArgs = 4;
constexpr int kMaxErrno = 4095;
constexpr int64_t kMaxCount = std::numeric_limits<int64_t>::max();
// They never return, so that a caller whose call fails can neither go on nor end.
constexpr std::string_view kNeverReturn[] = {"exit", "exit_group", "restart_syscall", "rt_sigreturn",
                                             "sigreturn"};

// The number of an error that the C library has a name for; 0 if there is none.
int ErrorByName(const std::string& name) {
  for (int error = 1; error <= kMaxErrno; ++error) {
    const char* known = strerrorname_np(error);
    if (known != nullptr && name == known) return error;
  }
  return 0;
}

int ErrorByNumber(const std::string& digits) {
  int error = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), error);
  const bool whole = failed == std::errc() && end == digits.data() + digits.size();
  return whole && error > 0 && error <= kMaxErrno && strerrorname_np(error) != nullptr ? error : 0;
}

// A name ("EIO") or a number (5).
void DecodeErrno(ObjectDecoder& spec, int* out) {
  const YamlNode* node = spec.Child("errno", kRequired);
  if (node == nullptr) return;
  if (node->kind == YamlNode::Kind::kInt) {
    *out = ErrorByNumber(node->text);
  } else if (node->kind == YamlNode::Kind::kString) {
    *out = std::max(ErrorByName(node->text), ErrorByNumber(node->text));
  } else {
    return spec.Error("errno",
                      StrCat("must be the name of an error (EIO) or its number, got ", KindName(node->kind)));
  }
  if (*out == 0) spec.Error("errno", StrCat(Quoted(node->text), " is no error of Linux; write EIO, or 5"));
}

bool IsSyscall(const std::string& name) {
  return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name.c_str()) >= 0 ||
         seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name.c_str()) >= 0;
}

void ValidateSyscalls(const std::vector<std::string>& names, const Validation& to) {
  if (names.empty()) return to.Error("spec.syscalls", "must name at least one system call or group");
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      to.Error("spec.syscalls", StrCat(Quoted(name), " is there twice"));
    } else if (std::find(std::begin(kNeverReturn), std::end(kNeverReturn), name) != std::end(kNeverReturn)) {
      to.Error(
          "spec.syscalls",
          StrCat(Quoted(name), " never returns: a process whose call fails could neither go on nor end"));
    } else if (name.starts_with("%") && SyscallGroup(name).empty()) {
      std::string groups;
      for (const std::string& group : SyscallGroups()) StrAppend(groups, groups.empty() ? "" : ", ", group);
      to.Error("spec.syscalls", StrCat(Quoted(name), " is no group; there are ", groups));
    } else if (!name.starts_with("%") && !IsSyscall(name)) {
      to.Error("spec.syscalls", StrCat(Quoted(name), " is no system call of x86; groups begin with %"));
    }
  }
}

// Decimal or hexadecimal with an optional sign, as 64 bits of two's complement.
bool ReadValue(std::string_view text, uint64_t* out, bool* negative) {
  *negative = text.starts_with("-");
  if (*negative) text.remove_prefix(1);
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), *out, base);
  if (failed != std::errc() || end != text.data() + text.size()) return false;
  if (*negative && *out > uint64_t{1} << 63) return false;
  if (*negative) *out = -*out;
  return true;
}

// `value` may be an integer or a string that is one.
void DecodeValue(ObjectDecoder& arg, ArgumentCondition& out) {
  const YamlNode* node = arg.Child("value", kRequired);
  if (node == nullptr) return;
  out.value = node->text;
  bool negative = false;
  const bool scalar = node->kind == YamlNode::Kind::kInt || node->kind == YamlNode::Kind::kString;
  if (!scalar || !ReadValue(out.value, &out.number, &negative)) {
    return arg.Error("value", "must be an integer, decimal or 0x..., of at most 64 bits");
  }
  const bool ordered = out.op != ArgumentOperator::kEqual && out.op != ArgumentOperator::kNotEqual;
  if (negative && ordered) {
    return arg.Error("value", "can be negative with == and != only: arguments are compared without a sign");
  }
  int64_t width = negative && out.number >= 0xFFFFFFFF80000000 ? 32 : 64;
  if (arg.Int("width", &width) && width != 32 && width != 64) {
    return arg.Error("width", "must be 32 or 64");
  }
  out.width = static_cast<int>(width);
  if (width == 64) return;
  if (out.number > 0xFFFFFFFF && (!negative || out.number < 0xFFFFFFFF80000000)) {
    return arg.Error("value", "does not fit into 32 bits");
  }
  out.number &= 0xFFFFFFFF;
}

void DecodeArgs(ObjectDecoder& spec, std::vector<ArgumentCondition>& out) {
  const YamlNode* list = spec.Child("args");
  if (list == nullptr) return;
  if (list->kind != YamlNode::Kind::kList) {
    return spec.Error("args", StrCat("must be a list, got ", KindName(list->kind)));
  }
  if (list->children.size() > kMaxArgs) {
    return spec.Error("args", StrCat("at most ", kMaxArgs, " conditions are possible"));
  }
  for (size_t i = 0; i < list->children.size(); ++i) {
    ObjectDecoder arg(*list->children[i].value, StrCat(spec.PathOf("args"), "[", i, "]"), spec.context());
    ArgumentCondition condition;
    arg.Int("index", &condition.index, {.required = true, .minimum = 0, .maximum = 5});
    arg.Enum<ArgumentOperator>("op", kOperators, &condition.op, {.default_value = "=="});
    DecodeValue(arg, condition);
    arg.Ignore({"width"});
    arg.Finish();
    out.push_back(std::move(condition));
  }
}

}  // namespace

void DecodeSyscallChaos(ObjectDecoder& spec, Experiment& experiment) {
  SyscallChaosSpec& out = experiment.spec.emplace<SyscallChaosSpec>();
  out.source = DecodePodSelector(spec, experiment.metadata.ns);
  spec.StringList("containerNames", &out.container_names);
  spec.Enum<SyscallAction>("action", kActions, &out.action, {.required = true});
  const bool listed = spec.Child("syscalls", kRequired) != nullptr;
  const bool sound = spec.StringList("syscalls", &out.syscalls);
  DecodeErrno(spec, &out.error);
  spec.Int("percent", &out.percent, {.minimum = 0, .maximum = 100});
  spec.Int("skip", &out.skip, {.minimum = 0, .maximum = kMaxCount});
  spec.Int("times", &out.times, {.minimum = 0, .maximum = kMaxCount});
  DecodeArgs(spec, out.args);
  spec.String("duration", &out.duration);
  spec.String("remoteCluster", &out.remote_cluster);
  out.sabot = DecodeSabotOptions(spec);
  const Validation to(spec.context().report, experiment.source);
  if (listed && sound) ValidateSyscalls(out.syscalls, to);
  ValidateDuration(to, "spec.duration", out.duration);
  ValidatePodSelector(to, "spec", out.source);
}

}  // namespace sabot::api
