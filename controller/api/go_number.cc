// SPDX-License-Identifier: Apache-2.0
#include "controller/api/go_number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

absl::Status SyntaxError(std::string_view function, std::string_view text) {
  return absl::InvalidArgumentError(
      StrCat("strconv.", function, ": parsing ", Quoted(text), ": invalid syntax"));
}

absl::Status RangeError(std::string_view function, std::string_view text) {
  return absl::OutOfRangeError(
      StrCat("strconv.", function, ": parsing ", Quoted(text), ": value out of range"));
}

bool IsDigit(char c, bool hex) { return hex ? absl::ascii_isxdigit(c) : absl::ascii_isdigit(c); }

// "inf", "infinity", "nan" in any case.
bool IsNamedFloat(std::string_view text) {
  if (text.size() > 8) return false;
  std::string lower(text);
  for (char& c : lower) c = absl::ascii_tolower(c);
  return lower == "inf" || lower == "infinity" || lower == "nan";
}

// An underscore stands between digits, or between the base prefix and a digit.
bool UnderscoresAreSound(std::string_view digits, bool hex) {
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] != '_') continue;
    const bool after = (i == 0 && hex) || (i > 0 && IsDigit(digits[i - 1], hex));
    const bool before = i + 1 < digits.size() && IsDigit(digits[i + 1], hex);
    if (!after || !before) return false;
  }
  return true;
}

// The number without sign and "0x": digits with at most one point, then the exponent ("e-3"; hex: "p-3",
// which hex numbers must have).
bool IsFloatBody(std::string_view body, bool hex) {
  const size_t exponent_at = body.find_first_of(hex ? "pP" : "eE");
  std::string_view mantissa = body.substr(0, exponent_at);
  if (!UnderscoresAreSound(body, hex)) return false;

  const auto is_part = [hex](char c) { return IsDigit(c, hex) || c == '.' || c == '_'; };
  if (!std::all_of(mantissa.begin(), mantissa.end(), is_part)) return false;
  if (std::count(mantissa.begin(), mantissa.end(), '.') > 1) return false;
  if (std::none_of(mantissa.begin(), mantissa.end(), [hex](char c) { return IsDigit(c, hex); })) return false;
  if (exponent_at == std::string_view::npos) return !hex;

  std::string_view exponent = body.substr(exponent_at + 1);
  if (!exponent.empty() && (exponent.front() == '+' || exponent.front() == '-')) exponent.remove_prefix(1);
  if (exponent.empty() || !absl::ascii_isdigit(exponent.front())) return false;
  return std::all_of(exponent.begin(), exponent.end(),
                     [](char c) { return absl::ascii_isdigit(c) || c == '_'; });
}

}  // namespace

absl::StatusOr<double> ParseGoFloat32(std::string_view text) {
  std::string_view body = text;
  bool negative = false;
  if (!body.empty() && (body.front() == '-' || body.front() == '+')) {
    negative = body.front() == '-';
    body.remove_prefix(1);
  }
  const bool named = IsNamedFloat(body);
  // NaN has no sign in Go.
  if (named && body.size() == 3 && body.size() != text.size() && absl::ascii_tolower(body.front()) == 'n') {
    return SyntaxError("ParseFloat", text);
  }
  const bool hex = body.starts_with("0x") || body.starts_with("0X");
  if (hex) body.remove_prefix(2);
  if (!named && !IsFloatBody(body, hex)) return SyntaxError("ParseFloat", text);

  std::string plain(body);
  std::erase(plain, '_');
  double value = 0;
  const auto result = absl::from_chars(plain.data(), plain.data() + plain.size(), value,
                                       hex ? absl::chars_format::hex : absl::chars_format::general);
  // Too small is 0 in Go; from_chars calls both ends of the range by one name and tells them by the value.
  const bool too_large = result.ec == std::errc::result_out_of_range && std::fabs(value) > 1;
  if (result.ec == std::errc::result_out_of_range && !too_large) value = 0;
  if (too_large || (!named && std::isinf(static_cast<float>(value)))) return RangeError("ParseFloat", text);
  return negative ? -value : value;
}

absl::StatusOr<int64_t> ParseGoInt(std::string_view text) {
  std::string_view digits = text;
  if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
  // "+-5" must not become -5.
  if (digits.size() != text.size() && digits.starts_with("-")) return SyntaxError("Atoi", text);
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::invalid_argument || result.ptr != digits.data() + digits.size()) {
    return SyntaxError("Atoi", text);
  }
  if (result.ec == std::errc::result_out_of_range) return RangeError("Atoi", text);
  return value;
}

}  // namespace sabot::api
