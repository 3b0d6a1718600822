// SPDX-License-Identifier: Apache-2.0
//
// Strings in quotes as Go's standard library puts them into its error messages.
#ifndef SABOT_CONTROLLER_API_GO_QUOTE_H_
#define SABOT_CONTROLLER_API_GO_QUOTE_H_

#include <string>
#include <string_view>

namespace sabot::api {

// As package time does it: every byte that is not printable ASCII becomes \xNN. At most 100 bytes are shown.
std::string GoTimeQuote(std::string_view text);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_GO_QUOTE_H_
