// SPDX-License-Identifier: Apache-2.0
#include "controller/api/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"

namespace sabot::api {
namespace {

constexpr std::string_view kNulls[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kTrue[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON"};
constexpr std::string_view kFalse[] = {"n",     "N",     "no",  "No",  "NO", "false",
                                       "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view kSpecialFloats[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                               "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

template <typename Words>
bool IsOneOf(std::string_view text, const Words& words) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

void SkipSign(std::string_view& text) {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
}

size_t SkipDigits(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && (absl::ascii_isdigit(text[size]) || text[size] == '_')) ++size;
  text.remove_prefix(size);
  return size;
}

// [-+]? (.digits | digits[.digits]) [exponent]
bool IsFloat(std::string_view text) {
  SkipSign(text);
  if (text.empty() || text.front() == '_') return false;
  size_t digits = SkipDigits(text);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    digits += SkipDigits(text);
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  SkipSign(text);
  return SkipDigits(text) > 0 && text.empty();
}

// Removes the base's prefix and returns the base.
int TakeBase(std::string_view& digits) {
  if (digits.size() < 2 || digits.front() != '0') return 10;
  constexpr std::pair<char, int> kBases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
  for (const auto& [letter, base] : kBases) {
    if (absl::ascii_tolower(digits[1]) != letter) continue;
    digits.remove_prefix(2);
    return base;
  }
  return 8;
}

}  // namespace

YamlNode::Kind PlainScalarKind(std::string_view text) {
  using Kind = YamlNode::Kind;
  if (IsOneOf(text, kNulls)) return Kind::kNull;
  if (YamlBool(text)) return Kind::kBool;
  // A long text is no number; and what is one in form but too large for 64 bits is a float, as JSON has it.
  if (text.size() > 64) return Kind::kString;
  if (YamlInt(text)) return Kind::kInt;
  if (IsFloat(text) || IsOneOf(text, kSpecialFloats)) return Kind::kFloat;
  return Kind::kString;
}

std::optional<int64_t> YamlInt(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with("-");
  SkipSign(digits);
  if (digits.empty() || !absl::ascii_isdigit(digits.front())) return std::nullopt;
  const int base = TakeBase(digits);
  // The sign goes back in front: the most negative number has no positive twin.
  std::string plain(digits);
  std::erase(plain, '_');
  if (plain.empty() || plain.front() == '-') return std::nullopt;
  if (negative) plain.insert(0, 1, '-');
  int64_t value = 0;
  const char* end = plain.data() + plain.size();
  const auto result = std::from_chars(plain.data(), end, value, base);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<bool> YamlBool(std::string_view text) {
  if (IsOneOf(text, kTrue)) return true;
  if (IsOneOf(text, kFalse)) return false;
  return std::nullopt;
}

}  // namespace sabot::api
