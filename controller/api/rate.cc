// SPDX-License-Identifier: Apache-2.0
#include "controller/api/rate.h"

#include <charconv>
#include <string>

#include "absl/strings/ascii.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

struct Unit {
  std::string_view suffix;
  uint64_t bits_per_second;
};

// Longer suffixes first: "kbps" ends in "bps".
constexpr Unit kUnits[] = {
    {"tbps", 8ull << 40},
    {"gbps", 8ull << 30},
    {"mbps", 8ull << 20},
    {"kbps", 8ull << 10},
    {"bps", 8},
    {"kbit", 1'000},
    {"mbit", 1'000'000},
    {"gbit", 1'000'000'000},
    {"tbit", 1'000'000'000'000},
    {"bit", 1},
};

// Without white space at both ends.
std::string_view Stripped(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(text.front())) text.remove_prefix(1);
  while (!text.empty() && absl::ascii_isspace(text.back())) text.remove_suffix(1);
  return text;
}

absl::StatusOr<uint64_t> ParseUint(std::string_view digits) {
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value);
  std::string_view problem;
  if (result.ec == std::errc::invalid_argument || result.ptr != end) problem = "invalid syntax";
  if (result.ec == std::errc::result_out_of_range) problem = "value out of range";
  if (problem.empty()) return value;
  return absl::InvalidArgumentError(StrCat("strconv.ParseUint: parsing ", Quoted(digits), ": ", problem));
}

}  // namespace

absl::StatusOr<uint64_t> ParseRate(std::string_view text) {
  std::string lower(Stripped(text));
  for (char& c : lower) c = absl::ascii_tolower(c);
  for (const Unit& unit : kUnits) {
    if (!lower.ends_with(unit.suffix)) continue;
    const std::string_view number = std::string_view(lower).substr(0, lower.size() - unit.suffix.size());
    absl::StatusOr<uint64_t> value = ParseUint(Stripped(number));
    if (!value.ok()) return value.status();
    uint64_t bits = 0;
    if (__builtin_mul_overflow(*value, unit.bits_per_second, &bits)) {
      return absl::OutOfRangeError("rate is too large");
    }
    return bits;
  }
  return absl::InvalidArgumentError("invalid unit");
}

}  // namespace sabot::api
