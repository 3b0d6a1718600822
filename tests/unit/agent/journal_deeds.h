// SPDX-License-Identifier: Apache-2.0
//
// Deeds and raw files for the tests of the journal.
#ifndef SABOT_TESTS_UNIT_AGENT_JOURNAL_DEEDS_H_
#define SABOT_TESTS_UNIT_AGENT_JOURNAL_DEEDS_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "sabot/v1/journal.pb.h"

namespace sabot::agent {

inline sabot::v1::Deed QdiscOn(const std::string& device) {
  sabot::v1::Deed deed;
  deed.set_fault_id("default/web-delay/0/" + device);
  sabot::v1::QdiscDeed& qdisc = *deed.mutable_qdisc();
  qdisc.mutable_netns()->set_inode(4026532589);
  qdisc.set_ifindex(2);
  qdisc.set_device(device);
  qdisc.set_kind("fq");
  return deed;
}

inline std::string Bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void Overwrite(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), bytes.size());
}

}  // namespace sabot::agent

#endif  // SABOT_TESTS_UNIT_AGENT_JOURNAL_DEEDS_H_
