// SPDX-License-Identifier: Apache-2.0
//
// The local socket against friends, and against peers who are slow, loud or mad.
#include "agent/local_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "agent/file.h"
#include "agent/unix_socket.h"
#include "tests/unit/agent/child.h"
#include "tests/unit/agent/temp_dir.h"

namespace sabot::agent {
namespace {

using sabot::v1::LocalRequest;
using sabot::v1::LocalResponse;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kSoon = absl::Seconds(5);

LocalRequest Status() {
  LocalRequest request;
  request.mutable_status();
  return request;
}

class LocalSocketTest : public testing::Test {
 protected:
  void Start() {
    auto server = LocalServer::Start(
        path_, [this](const LocalRequest& request, ConnectionId id) { return Handle(request, id); },
        [this](ConnectionId id) {
          std::lock_guard lock(mutex_);
          gone_.push_back(id);
        });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  LocalResponse Handle(const LocalRequest& request, ConnectionId id) {
    ++calls_;
    if (request.has_halt()) absl::SleepFor(halt_takes_);
    LocalResponse response;
    response.set_owner("test");
    response.set_pid(static_cast<uint32_t>(id));
    if (request.has_apply()) response.set_owner(std::string(request.apply().map().revision(), 'x'));
    return response;
  }

  // A peer without manners: a bare socket, blocking.
  loader::UniqueFd Bare() {
    loader::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    UnixAddress address = UnixAddress::Create(path_).value();
    EXPECT_EQ(::connect(fd.get(), address.get(), address.size()), 0) << std::strerror(errno);
    return fd;
  }
  static bool Send(const loader::UniqueFd& fd, std::string_view bytes) {
    return ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // Waits for the server to hang up.
  static bool HangsUp(const loader::UniqueFd& fd, absl::Duration patience = kSoon) {
    timeval limit = absl::ToTimeval(patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    char byte;
    ssize_t got = ::recv(fd.get(), &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
  bool Answers() { return CallLocal(path_, Status(), kSoon).ok(); }
  std::vector<ConnectionId> Gone() {
    std::lock_guard lock(mutex_);
    return gone_;
  }
  bool WaitForGone(size_t count) {
    for (int i = 0; i < 500 && Gone().size() < count; ++i) absl::SleepFor(absl::Milliseconds(10));
    return Gone().size() >= count;
  }

  TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "socket";
  absl::Duration halt_takes_ = absl::Milliseconds(200);
  std::atomic<int> calls_ = 0;
  std::mutex mutex_;
  std::vector<ConnectionId> gone_;
  std::unique_ptr<LocalServer> server_;
};

// Friends.

TEST_F(LocalSocketTest, AnswersARequest) {
  Start();
  auto response = CallLocal(path_, Status(), kSoon);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->owner(), "test");
  EXPECT_TRUE(ToStatus(*response).ok());
}

TEST_F(LocalSocketTest, AnswersManyOnOneConnection) {
  Start();
  auto client = LocalClient::Connect(path_, kSoon);
  ASSERT_TRUE(client.ok()) << client.status();
  for (int i = 0; i < 1000; ++i) {
    auto response = client->Call(Status(), kSoon);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->pid(), 1u) << "the connection has one id";
  }
}

TEST_F(LocalSocketTest, TellsConnectionsApart) {
  Start();
  auto first = LocalClient::Connect(path_, kSoon), second = LocalClient::Connect(path_, kSoon);
  EXPECT_NE(first->Call(Status(), kSoon)->pid(), second->Call(Status(), kSoon)->pid());
}

TEST_F(LocalSocketTest, CarriesLargeAnswers) {
  Start();
  LocalRequest request;
  request.mutable_apply()->mutable_map()->set_revision(10 << 20);
  auto response = CallLocal(path_, request, absl::Seconds(30));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->owner().size(), size_t{10} << 20);
}

TEST_F(LocalSocketTest, AnswersThatAreTooLargeBecomeAnError) {
  Start();
  LocalRequest request;
  request.mutable_apply()->mutable_map()->set_revision(17 << 20);
  auto response = CallLocal(path_, request, absl::Seconds(30));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(ToStatus(*response).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(LocalSocketTest, AnUnknownRequestIsAnsweredAndNotHandled) {
  Start();
  auto response = CallLocal(path_, LocalRequest(), kSoon);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(ToStatus(*response).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(calls_, 0);
}

TEST_F(LocalSocketTest, AnswersWhoHasStoppedSending) {
  Start();
  loader::UniqueFd peer = Bare();
  ASSERT_TRUE(Send(peer, MakeFrame(Status().SerializeAsString()) + MakeFrame(Status().SerializeAsString())));
  ::shutdown(peer.get(), SHUT_WR);
  std::string answers;
  char buffer[4096];
  for (ssize_t got; (got = ::recv(peer.get(), buffer, sizeof(buffer), 0)) > 0;) answers.append(buffer, got);
  FrameParser parser;
  parser.Feed(answers);
  EXPECT_TRUE(parser.Next().value().has_value());
  EXPECT_TRUE(parser.Next().value().has_value());
  EXPECT_EQ(parser.buffered(), 0u);
}

TEST_F(LocalSocketTest, SaysWhenAConnectionIsGone) {
  Start();
  {
    auto client = LocalClient::Connect(path_, kSoon);
    ASSERT_TRUE(client->Call(Status(), kSoon).ok());
    EXPECT_TRUE(Gone().empty());
  }
  ASSERT_TRUE(WaitForGone(1));
  EXPECT_THAT(Gone(), ElementsAre(1));
}

TEST_F(LocalSocketTest, EndsWithEveryConnectionToldAndTheSocketRemoved) {
  Start();
  auto client = LocalClient::Connect(path_, kSoon);
  ASSERT_TRUE(client->Call(Status(), kSoon).ok());
  server_.reset();
  EXPECT_THAT(Gone(), ElementsAre(1));
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(client->Call(Status(), kSoon).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(LocalSocketTest, EndsAtOnceWithIdlePeers) {
  Start();
  loader::UniqueFd idle = Bare();
  absl::Time start = absl::Now();
  server_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
}

TEST_F(LocalSocketTest, ReplacesTheSocketOfTheDead) {
  Child dead([this] {
    return (new auto(LocalServer::Start(path_, [](auto&, auto) { return LocalResponse(); })))->ok();
  });
  ASSERT_GT(dead.pid(), 0);
  dead.Kill();
  EXPECT_EQ(CallLocal(path_, Status(), kSoon).status().code(), absl::StatusCode::kUnavailable);
  Start();
  EXPECT_TRUE(Answers());
}

TEST_F(LocalSocketTest, WorksUnderALongPath) {
  path_ = dir_.path() / std::string(100, 'a') / std::string(100, 'b');
  std::filesystem::create_directories(path_);
  path_ /= "socket";
  Start();
  EXPECT_TRUE(Answers());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

// Who may speak.

TEST_F(LocalSocketTest, IsItsOwnersOnly) {
  Start();
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(LocalSocketTest, AnotherUserIsNotServed) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  Start();
  // Even with the doors open.
  ASSERT_EQ(::chmod(dir_.path().c_str(), 0755) | ::chmod(path_.c_str(), 0666), 0);
  pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(12345) != 0) ::_exit(2);
    auto response = CallLocal(path_, Status(), kSoon);
    // The client does not trust root less than itself: it gets in, and is hung up on.
    ::_exit(absl::IsUnavailable(response.status()) ? 0 : 1);
  }
  int status;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(calls_, 0);
}

TEST_F(LocalSocketTest, ClientDoesNotTalkToAnotherUsersServer) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  ASSERT_EQ(::chmod(dir_.path().c_str(), 0777), 0);
  pid_t child = ::fork();
  if (child == 0) {
    int ready[2], done[2];
    if (::pipe(ready) != 0 || ::pipe(done) != 0) ::_exit(2);
    pid_t server = ::fork();
    if (server == 0) {
      if (::setuid(12345) != 0) ::_exit(2);
      auto started = LocalServer::Start(path_, [](auto&, auto) { return LocalResponse(); });
      ::chmod(path_.c_str(), 0666);
      ::_exit(started.ok() && ::write(ready[1], "y", 1) == 1 && ::read(done[0], ready, 1) == 1 ? 0 : 2);
    }
    char byte;
    if (::read(ready[0], &byte, 1) != 1 || ::setuid(23456) != 0) ::_exit(2);
    absl::Status refused = CallLocal(path_, Status(), kSoon).status();
    bool by_us =
        absl::IsPermissionDenied(refused) && absl::StrContains(refused.message(), "another user listens");
    ::_exit(::write(done[1], "y", 1) == 1 && by_us ? 0 : 1);
  }
  int status;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Clients meeting nobody.

TEST_F(LocalSocketTest, NoSocketIsNotFound) {
  absl::Status status = CallLocal(path_, Status(), kSoon).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr(path_.native()));
}

TEST_F(LocalSocketTest, AServerThatHangsEndsAtTheTimeout) {
  Start();
  LocalRequest slow;
  slow.mutable_halt();
  absl::Time start = absl::Now();
  auto response = CallLocal(path_, slow, absl::Milliseconds(50));
  EXPECT_EQ(response.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(190));
}

// Enemies.

TEST_F(LocalSocketTest, GarbageClosesThatConnectionOnly) {
  Start();
  auto friendly = LocalClient::Connect(path_, kSoon);
  ASSERT_TRUE(friendly->Call(Status(), kSoon).ok());
  for (const std::string& garbage : {std::string("GET / HTTP/1.1\r\n\r\n"), MakeFrame("\xff\xff\xff garbage"),
                                     std::string("\xff\xff\xff\xff"), std::string(70'000, '\x7f')}) {
    loader::UniqueFd mad = Bare();
    Send(mad, garbage);
    EXPECT_TRUE(HangsUp(mad));
    EXPECT_TRUE(friendly->Call(Status(), kSoon).ok());
  }
}

TEST_F(LocalSocketTest, WhoDawdlesDoesNotHoldUpOthersAndIsDisconnected) {
  Start();
  loader::UniqueFd slow = Bare();
  ASSERT_TRUE(Send(slow, MakeFrame(std::string(1000, 'x')).substr(0, 10)));
  absl::Time start = absl::Now();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Answers());
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
  // One byte now and then is no excuse.
  std::thread dripping([&] {
    for (int i = 0; i < 200 && Send(slow, "x"); ++i) absl::SleepFor(absl::Milliseconds(100));
  });
  EXPECT_TRUE(HangsUp(slow, kLocalPeerPatience + absl::Seconds(3)));
  EXPECT_GT(absl::Now() - start, kLocalPeerPatience - absl::Seconds(1));
  ::shutdown(slow.get(), SHUT_RDWR);
  dripping.join();
}

TEST_F(LocalSocketTest, WhoDoesNotReadHisAnswersIsDisconnected) {
  Start();
  loader::UniqueFd deaf = Bare();
  LocalRequest request;
  request.mutable_apply()->mutable_map()->set_revision(10 << 20);
  ASSERT_TRUE(Send(deaf, MakeFrame(request.SerializeAsString())));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Answers());
  absl::SleepFor(kLocalPeerPatience + absl::Seconds(1));
  const size_t before = Gone().size();
  EXPECT_EQ(before, 101u) << "100 friends and the deaf one";
}

TEST_F(LocalSocketTest, WhoAsksWithoutPauseDoesNotStarveOthers) {
  Start();
  loader::UniqueFd loud = Bare();
  std::atomic<bool> stop = false;
  std::thread shouting([&] {
    const std::string frame = MakeFrame(Status().SerializeAsString());
    std::string many;
    for (int i = 0; i < 1000; ++i) many += frame;
    char sink[65536];
    while (!stop) {
      if (::send(loud.get(), many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) {
        return;
      }
      while (::recv(loud.get(), sink, sizeof(sink), MSG_DONTWAIT) > 0) {
      }
    }
  });
  absl::Time start = absl::Now();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Answers());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  stop = true;
  shouting.join();
}

TEST_F(LocalSocketTest, AThousandConnectionsLeaveRoomWhenTheyGo) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  Start();
  {
    std::vector<loader::UniqueFd> crowd;
    for (int i = 0; i < 1000; ++i) {
      loader::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
      UnixAddress address = UnixAddress::Create(path_).value();
      if (!fd.valid() || ::connect(fd.get(), address.get(), address.size()) != 0) break;
      crowd.push_back(std::move(fd));
    }
    EXPECT_GT(crowd.size(), static_cast<size_t>(kMaxLocalConnections));
    EXPECT_TRUE(HangsUp(crowd.back())) << "above " << kMaxLocalConnections << " they are turned away";
    EXPECT_FALSE(HangsUp(crowd.front(), absl::Milliseconds(50)));
    EXPECT_EQ(CallLocal(path_, Status(), kSoon).status().code(), absl::StatusCode::kUnavailable);
  }
  for (int i = 0; i < 100 && !Answers(); ++i) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_TRUE(Answers());
}

TEST_F(LocalSocketTest, TimeInTheHandlerIsNotHeldAgainstOthers) {
  halt_takes_ = kLocalPeerPatience + absl::Seconds(1);
  Start();
  loader::UniqueFd waiting = Bare();
  const std::string frame = MakeFrame(Status().SerializeAsString());
  ASSERT_TRUE(Send(waiting, frame.substr(0, 3)));
  ASSERT_TRUE(Answers());
  LocalRequest slow;
  slow.mutable_halt();
  ASSERT_TRUE(CallLocal(path_, slow, absl::Seconds(60)).ok());
  ASSERT_TRUE(Send(waiting, frame.substr(3)));
  EXPECT_FALSE(HangsUp(waiting)) << "it is answered";
}

}  // namespace
}  // namespace sabot::agent
