// SPDX-License-Identifier: Apache-2.0
//
// Everything that rtnetlink knows of a network namespace, one line per object, without starting a process (an
// emulated machine needs half a second for each).
#ifndef SABOT_TESTS_SUPPORT_NETLINK_DUMP_H_
#define SABOT_TESTS_SUPPORT_NETLINK_DUMP_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sabot::test {

// Links, addresses, routes, rules, qdiscs and filters of the caller's namespace. A line begins with what a
// reader looks for ("qdisc clsact of eth0 parent fffffff1 handle ffff0000") and goes on with every attribute
// but counters and time stamps, in hexadecimal, so that any change changes the line.
std::vector<std::string> DumpNamespace();

// Ids of the BPF programs that filters of the caller's namespace hold.
std::vector<uint32_t> FilterPrograms();

// The qdiscs of one device alone.
std::vector<std::string> DumpQdiscs(const std::string& device);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_NETLINK_DUMP_H_
