// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_CRC32C_H_
#define SABOT_AGENT_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace sabot::agent {

// CRC-32C (Castagnoli, as in RFC 3720): reflected polynomial 0x82f63b78, all ones at start and end. Pure.
uint32_t Crc32c(std::string_view bytes);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CRC32C_H_
