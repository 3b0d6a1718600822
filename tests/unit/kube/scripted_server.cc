// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/kube/scripted_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace sabot::test {

std::string Answer(int code, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(code) + " X\r\nConnection: close\r\n" + headers + "\r\n" + body;
}

ScriptedServer::ScriptedServer(std::vector<std::string> answers)
    : answers_(std::move(answers)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener_.get(), 16), 0);
  EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

ScriptedServer::~ScriptedServer() {
  shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

kube::Config ScriptedServer::config() const {
  kube::Config config;
  config.server = "http://127.0.0.1:" + std::to_string(port_);
  return config;
}

void ScriptedServer::Serve() {
  while (true) {
    const loader::UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) return;
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == request.npos) {
      const ssize_t got = recv(connection.get(), buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request.append(buffer, got);
    }
    if (request.empty()) continue;
    const size_t which = std::min<size_t>(requests_++, answers_.size() - 1);
    (void)send(connection.get(), answers_[which].data(), answers_[which].size(), MSG_NOSIGNAL);
  }
}

}  // namespace sabot::test
