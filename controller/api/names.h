// SPDX-License-Identifier: Apache-2.0
//
// The syntax of names and labels in Kubernetes. Pure functions.
#ifndef SABOT_CONTROLLER_API_NAMES_H_
#define SABOT_CONTROLLER_API_NAMES_H_

#include <string_view>

namespace sabot::api {

// 1 to 63 lower-case letters, digits and '-', with a letter or digit at both ends: names of namespaces,
// containers.
bool IsDnsLabel(std::string_view text);

// 1 to 253 bytes: labels as above (of any length) with dots between them: names of pods, nodes, custom
// resources.
bool IsDnsSubdomain(std::string_view text);

// [prefix/]name; the prefix is a DNS subdomain, the name 1 to 63 letters, digits, '-', '_' and '.', with a
// letter or digit at both ends.
bool IsLabelKey(std::string_view text);

// Empty, or as the name of a label key.
bool IsLabelValue(std::string_view text);

inline constexpr std::string_view kDnsLabelRule =
    "must be 1 to 63 lower-case letters, digits and '-', with a letter or digit at both ends";
inline constexpr std::string_view kDnsSubdomainRule =
    "must be 1 to 253 lower-case letters, digits, '-' and '.', with a letter or digit at both ends";

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_NAMES_H_
