// SPDX-License-Identifier: Apache-2.0
#include "controller/api/go_duration.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "controller/api/go_quote.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

constexpr uint64_t kTwoTo63 = uint64_t{1} << 63;

struct Unit {
  std::string_view name;
  uint64_t ns;
};

constexpr Unit kUnits[] = {
    {"ns", 1},          {"us", 1'000},        {"\u00b5s", 1'000},  // micro sign
    {"\u03bcs", 1'000},                                            // Greek mu
    {"ms", 1'000'000},  {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

std::optional<uint64_t> UnitNs(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return unit.ns;
  }
  return std::nullopt;
}

std::string_view TakeDigits(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && absl::ascii_isdigit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

// The number, or nothing when it exceeds 2^63.
std::optional<uint64_t> WholeNumber(std::string_view digits) {
  uint64_t value = 0;
  for (char digit : digits) {
    if (value > kTwoTo63 / 10) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(digit - '0');
    if (value > kTwoTo63) return std::nullopt;
  }
  return value;
}

// Nanoseconds of 0.`digits` units. Digits beyond 63 bits are dropped and the product is cut in double
// precision, as Go does it.
uint64_t FractionNs(std::string_view digits, uint64_t unit_ns) {
  uint64_t value = 0;
  double scale = 1;
  for (char digit : digits) {
    if (value > (kTwoTo63 - 1) / 10) break;
    const uint64_t next = value * 10 + static_cast<uint64_t>(digit - '0');
    if (next > kTwoTo63) break;
    value = next;
    scale *= 10;
  }
  return static_cast<uint64_t>(static_cast<double>(value) * (static_cast<double>(unit_ns) / scale));
}

absl::Status Invalid(std::string_view text) {
  return absl::InvalidArgumentError(StrCat("time: invalid duration ", GoTimeQuote(text)));
}

// One "1.5h" from the front of `rest`, in nanoseconds; at most 2^63. `text` is for messages.
absl::StatusOr<uint64_t> TakeTerm(std::string_view& rest, std::string_view text) {
  const std::string_view whole = TakeDigits(rest);
  std::string_view fraction;
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    fraction = TakeDigits(rest);
  }
  const std::optional<uint64_t> number = WholeNumber(whole);
  if ((whole.empty() && fraction.empty()) || !number) return Invalid(text);

  const std::string_view name = rest.substr(0, rest.find_first_of(".0123456789"));
  rest.remove_prefix(name.size());
  if (name.empty()) {
    return absl::InvalidArgumentError(StrCat("time: missing unit in duration ", GoTimeQuote(text)));
  }
  const std::optional<uint64_t> unit = UnitNs(name);
  if (!unit) {
    return absl::InvalidArgumentError(
        StrCat("time: unknown unit ", GoTimeQuote(name), " in duration ", GoTimeQuote(text)));
  }
  if (*number > kTwoTo63 / *unit) return Invalid(text);
  const uint64_t ns = *number * *unit + FractionNs(fraction, *unit);
  if (ns > kTwoTo63) return Invalid(text);
  return ns;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseGoDuration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return absl::ZeroDuration();
  if (rest.empty()) return Invalid(text);

  uint64_t sum = 0;
  while (!rest.empty()) {
    absl::StatusOr<uint64_t> term = TakeTerm(rest, text);
    if (!term.ok()) return term.status();
    sum += *term;  // both are at most 2^63: no wrap but to 0 at exactly 2^64
    if (sum > kTwoTo63 || (sum == 0 && *term != 0)) return Invalid(text);
  }
  // The most negative value has no positive twin.
  if (negative) return absl::Nanoseconds(static_cast<int64_t>(0 - sum));
  if (sum == kTwoTo63) return Invalid(text);
  return absl::Nanoseconds(static_cast<int64_t>(sum));
}

bool IsSimpleDuration(std::string_view text) {
  if (TakeDigits(text).empty()) return false;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (TakeDigits(text).empty()) return false;
  }
  for (std::string_view unit : {"ns", "us", "ms", "s", "m", "h"}) {
    if (text == unit) return true;
  }
  return false;
}

}  // namespace sabot::api
