// SPDX-License-Identifier: Apache-2.0
//
// Strings put together from text and integers. absl::StrCat, for std::string_view: the absl of some
// distributions is built with a string_view of its own, which does not convert.
#ifndef SABOT_CONTROLLER_API_STR_CAT_H_
#define SABOT_CONTROLLER_API_STR_CAT_H_

#include <concepts>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace sabot::api {

template <typename T>
void StrAppendPart(std::string& out, const T& part) {
  static_assert(!std::same_as<T, char>, "a char would be printed as a number");
  if constexpr (std::integral<T>) {
    out.append(std::to_string(part));
  } else if constexpr (std::same_as<T, absl::string_view>) {  // what absl::Status gives as its message
    out.append(part.data(), part.size());
  } else {
    out.append(std::string_view(part));
  }
}

template <typename... T>
void StrAppend(std::string& out, const T&... parts) {
  (StrAppendPart(out, parts), ...);
}

template <typename... T>
std::string StrCat(const T&... parts) {
  std::string out;
  StrAppend(out, parts...);
  return out;
}

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_STR_CAT_H_
