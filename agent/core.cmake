# SPDX-License-Identifier: Apache-2.0
# The agent's ground floor: state directory, journal, local socket, targets. It knows of no fault.
set(dir ${CMAKE_CURRENT_LIST_DIR})
sabot_library(
  sabot_agent_core
  ${dir}/crc32c.cc
  ${dir}/file.cc
  ${dir}/journal.cc
  ${dir}/journal_format.cc
  ${dir}/journal_read.cc
  ${dir}/local_client.cc
  ${dir}/local_frame.cc
  ${dir}/local_server.cc
  ${dir}/lock.cc
  ${dir}/state_dir.cc
  ${dir}/target_claim.cc
  ${dir}/unix_socket.cc)
target_link_libraries(sabot_agent_core PUBLIC sabot_proto absl::status absl::statusor absl::strings absl::time
                                              absl::cleanup Threads::Threads)
