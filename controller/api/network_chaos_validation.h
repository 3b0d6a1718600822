// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_API_NETWORK_CHAOS_VALIDATION_H_
#define SABOT_CONTROLLER_API_NETWORK_CHAOS_VALIDATION_H_

#include "controller/api/network_chaos.h"
#include "controller/api/validation.h"

namespace sabot::api {

// What upstream's webhook refuses is an error, with its text; what it admits and cannot work is a warning. A
// field that the decoder has refused already is not reported twice.
void ValidateNetworkChaos(const NetworkChaosSpec& spec, const Validation& to);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_NETWORK_CHAOS_VALIDATION_H_
