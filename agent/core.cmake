# SPDX-License-Identifier: Apache-2.0
# The agent's ground floor: state directory, journal, local socket, targets. It knows of no fault.
set(core ${CMAKE_CURRENT_LIST_DIR})
sabot_library(
  sabot_agent_core
  ${core}/cgroup.cc
  ${core}/crc32c.cc
  ${core}/cri.cc
  ${core}/cri_connection.cc
  ${core}/cri_info.cc
  ${core}/file.cc
  ${core}/journal.cc
  ${core}/journal_format.cc
  ${core}/journal_read.cc
  ${core}/local_client.cc
  ${core}/local_frame.cc
  ${core}/local_server.cc
  ${core}/lock.cc
  ${core}/process.cc
  ${core}/state_dir.cc
  ${core}/target.cc
  ${core}/target_claim.cc
  ${core}/target_recheck.cc
  ${core}/unit.cc
  ${core}/unix_socket.cc)
target_link_libraries(
  sabot_agent_core
  PUBLIC sabot_loader sabot_proto absl::status absl::statusor absl::strings absl::time
  PRIVATE sabot_cri_proto absl::cleanup nlohmann_json::nlohmann_json Threads::Threads)
