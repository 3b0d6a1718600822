// SPDX-License-Identifier: Apache-2.0
#include "tests/support/agent_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

constexpr int kAnswerTimeoutMs = 10'000;

UniqueFd ConnectTo(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Require(path.size() < sizeof(address.sun_path), "the socket's path is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return {};
  return fd;
}

std::string ReadExactly(int fd, size_t length) {
  std::string bytes(length, '\0');
  for (size_t done = 0; done < length;) {
    pollfd readable{fd, POLLIN, 0};
    Require(::poll(&readable, 1, static_cast<int>(kAnswerTimeoutMs * TimeScale())) > 0,
            "wait for the agent's answer");
    ssize_t n = ::recv(fd, bytes.data() + done, length - done, 0);
    Require(n > 0, "read the agent's answer: it closed the connection");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace

AgentConnection::AgentConnection(const std::string& socket_path) : fd_(ConnectTo(socket_path)) {
  Require(fd_.valid(), "connect to " + socket_path);
}

void AgentConnection::SendRaw(const std::string& bytes) {
  ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

v1::LocalResponse AgentConnection::Call(const v1::LocalRequest& request) {
  std::string body = request.SerializeAsString();
  auto length = static_cast<uint32_t>(body.size());
  std::string frame(reinterpret_cast<const char*>(&length),
                    sizeof(length));  // little-endian, as the machine is
  SendRaw(frame + body);
  std::memcpy(&length, ReadExactly(fd_.get(), sizeof(length)).data(), sizeof(length));
  Require(length <= 16U << 20, "the agent announces an answer of more than 16 MiB");
  v1::LocalResponse response;
  Require(response.ParseFromString(ReadExactly(fd_.get(), length)),
          "the agent's answer is not a LocalResponse");
  return response;
}

v1::LocalResponse AgentConnection::Apply(const v1::NodeFaultMap& map) {
  v1::LocalRequest request;
  *request.mutable_apply()->mutable_map() = map;
  return Call(request);
}

v1::LocalResponse AgentConnection::Status() {
  v1::LocalRequest request;
  request.mutable_status();
  return Call(request);
}

bool AgentConnection::ClosedByPeer(absl::Duration timeout) {
  pollfd readable{fd_.get(), POLLIN, 0};
  char byte;
  return ::poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) > 0 &&
         ::recv(fd_.get(), &byte, 1, MSG_PEEK) <= 0;
}

AgentProcess::AgentProcess(const std::string& state_dir)
    : process_(Command{.argv = {AgentBinary(), "--state-dir", state_dir}}),
      socket_(absl::StrCat(state_dir, "/", process_.pid(), "/socket")) {
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(Scaled(absl::Seconds(5)));
  while (!ConnectTo(socket_).valid()) {
    Require(process_.running() && NowNs() < deadline_ns,
            absl::StrCat("sabot-agent does not answer at ", socket_, ": ", process_.Errors()));
    ::usleep(10'000);
  }
}

Finished AgentProcess::Stop() {
  process_.Signal(SIGTERM);
  return process_.Wait(Scaled(absl::Seconds(10)));
}

}  // namespace sabot::test
