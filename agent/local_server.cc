// SPDX-License-Identifier: Apache-2.0
//
// One thread, one poll() over everything. A connection is either reading a request or writing an answer,
// never both, so that who does not read his answers cannot pile them up here.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/local_socket.h"
#include "agent/unix_socket.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using sabot::v1::LocalRequest;
using sabot::v1::LocalResponse;

constexpr int kBacklog = 128;
// When the process has no descriptor left, a waiting peer would make poll() return at once, for ever.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

struct Connection {
  loader::UniqueFd fd;
  ConnectionId id = 0;
  FrameParser parser;
  std::string outbox;
  size_t sent = 0;          // of the outbox
  bool ended = false;       // the peer sends no more
  bool known = false;       // the handler has seen it
  bool more = false;        // another whole request may be in the parser
  uint64_t busy_since = 0;  // 0: nothing under way

  bool writing() const { return sent < outbox.size(); }
};

// Sends what the peer takes now. False: it is gone.
bool Flush(Connection& peer) {
  while (peer.writing()) {
    ssize_t sent = ::send(peer.fd.get(), peer.outbox.data() + peer.sent, peer.outbox.size() - peer.sent,
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    peer.sent += static_cast<size_t>(sent);
  }
  peer.outbox = std::string();
  peer.sent = 0;
  return true;
}

// Takes in what has arrived, up to a buffer's length. False: the connection failed.
bool Receive(Connection& peer) {
  char buffer[65536];
  ssize_t got = ::recv(peer.fd.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) peer.ended = true;
  peer.parser.Feed({buffer, static_cast<size_t>(got)});
  return true;
}

LocalResponse Refusal(absl::StatusCode code, std::string message) {
  LocalResponse response;
  response.set_code(static_cast<int>(code));
  response.set_message(std::move(message));
  response.set_pid(static_cast<uint32_t>(::getpid()));
  return response;
}

std::string AnswerFrame(const LocalResponse& response) {
  std::string payload = response.SerializeAsString();
  if (payload.size() <= kMaxLocalFrame) return MakeFrame(payload);
  std::string message = absl::StrCat("the answer would have ", payload.size(), " bytes");
  return MakeFrame(Refusal(absl::StatusCode::kResourceExhausted, std::move(message)).SerializeAsString());
}

pollfd Watch(const loader::UniqueFd& fd, int events) {
  return {.fd = fd.get(), .events = static_cast<short>(events), .revents = 0};
}

absl::StatusOr<loader::UniqueFd> Listen(const std::filesystem::path& path) {
  const std::string attempt = absl::StrCat("listen on ", path.native());
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, UnixSocket());
  SABOT_ASSIGN_OR_RETURN(UnixAddress address, UnixAddress::Create(path));
  // A socket that is not bound yet gives its mode to the file: there is no moment in which others may
  // connect.
  if (::fchmod(fd.get(), 0600) != 0) return ErrnoStatus(errno, attempt);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, attempt);
  if (::bind(fd.get(), address.get(), address.size()) != 0) return ErrnoStatus(errno, attempt);
  if (::listen(fd.get(), kBacklog) != 0) return ErrnoStatus(errno, attempt);
  return fd;
}

}  // namespace

class LocalServer::Loop {
 public:
  Loop(std::filesystem::path path, loader::UniqueFd listener, loader::UniqueFd wake, LocalHandler handler,
       LocalDisconnect on_disconnect)
      : path_(std::move(path)),
        listener_(std::move(listener)),
        wake_(std::move(wake)),
        handler_(std::move(handler)),
        on_disconnect_(std::move(on_disconnect)) {}

  // Signals are the main thread's.
  void Start() {
    sigset_t all, old;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old);
    thread_ = std::thread([this] { Run(); });
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }

  void Stop() {
    ::unlink(path_.c_str());
    ::eventfd_write(wake_.get(), 1);
    thread_.join();
  }

 private:
  void Run() {
    while (Turn()) {
    }
    for (Connection& peer : peers_) Disconnect(peer);
  }

  // Waits until there is something to do, and does one step of it for everyone. False: stop.
  bool Turn() {
    std::vector<pollfd> polled = {Watch(wake_, POLLIN), Watch(listener_, AcceptsNow() ? POLLIN : 0)};
    for (const Connection& peer : peers_) polled.push_back(Watch(peer.fd, peer.writing() ? POLLOUT : POLLIN));
    ::poll(polled.data(), polled.size(), PollTimeoutMs());
    if (polled[0].revents != 0) return false;
    for (size_t i = 0; i < peers_.size(); ++i) {
      bool alive = polled[i + 2].revents == 0 || Exchange(peers_[i]);
      if (!alive || (peers_[i].more && !Answer(peers_[i])) || IsOver(peers_[i])) Disconnect(peers_[i]);
    }
    std::erase_if(peers_, [](const Connection& peer) { return !peer.fd.valid(); });
    if (polled[1].revents != 0) Accept();
    return true;
  }

  // Moves bytes. False: the peer is gone.
  bool Exchange(Connection& peer) {
    if (peer.writing()) {
      if (!Flush(peer)) return false;
      if (!peer.writing()) peer.busy_since = 0;
    } else {
      if (!Receive(peer)) return false;
      peer.more = true;
    }
    return true;
  }

  // Answers the next request that is there, one at a time so that all peers get their turn. False: garbage.
  bool Answer(Connection& peer) {
    if (peer.writing()) return true;
    auto frame = peer.parser.Next();
    if (!frame.ok()) return false;
    peer.more = frame->has_value();
    if (!peer.more) {
      if (peer.parser.buffered() == 0) peer.busy_since = 0;
      if (peer.parser.buffered() > 0 && peer.busy_since == 0) peer.busy_since = loader::MonotonicNs();
      return true;
    }
    LocalRequest request;
    if (!request.ParseFromString(**frame)) return false;
    peer.outbox = AnswerFrame(Handle(request, peer));
    peer.busy_since = loader::MonotonicNs();
    return Flush(peer);
  }

  LocalResponse Handle(const LocalRequest& request, Connection& peer) {
    if (request.kind_case() == LocalRequest::KIND_NOT_SET) {
      return Refusal(absl::StatusCode::kInvalidArgument,
                     "a request of a kind that this program does not know");
    }
    peer.known = true;
    const uint64_t start = loader::MonotonicNs();
    LocalResponse response = handler_(request, peer.id);
    // Nobody is to blame for the time in which we did not listen.
    const uint64_t spent = loader::MonotonicNs() - start;
    for (Connection& other : peers_) other.busy_since += other.busy_since == 0 ? 0 : spent;
    return response;
  }

  bool IsOver(const Connection& peer) const {
    if (peer.busy_since != 0 && loader::MonotonicNs() >= DeadlineOf(peer)) return true;
    return peer.ended && !peer.more && !peer.writing();
  }

  static uint64_t DeadlineOf(const Connection& peer) {
    return peer.busy_since + static_cast<uint64_t>(absl::ToInt64Nanoseconds(kLocalPeerPatience));
  }

  int PollTimeoutMs() const {
    const uint64_t now = loader::MonotonicNs();
    uint64_t next = AcceptsNow() ? UINT64_MAX : accept_after_;
    for (const Connection& peer : peers_) {
      if (peer.more && !peer.writing()) return 0;
      if (peer.busy_since != 0) next = std::min(next, DeadlineOf(peer));
    }
    if (next == UINT64_MAX) return -1;
    return next <= now ? 0 : static_cast<int>((next - now) / 1'000'000 + 1);
  }

  bool AcceptsNow() const { return loader::MonotonicNs() >= accept_after_; }

  void Accept() {
    while (true) {
      loader::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd.valid() && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!fd.valid()) {
        if (errno != EAGAIN) {
          accept_after_ =
              loader::MonotonicNs() + static_cast<uint64_t>(absl::ToInt64Nanoseconds(kAcceptPause));
        }
        return;
      }
      if (peers_.size() >= kMaxLocalConnections || !PeerIsTrusted(fd.get())) continue;
      Connection peer;
      peer.fd = std::move(fd);
      peer.id = ++last_id_;
      peers_.push_back(std::move(peer));
    }
  }

  void Disconnect(Connection& peer) {
    peer.fd.Reset();
    if (peer.known && on_disconnect_) on_disconnect_(peer.id);
  }

  const std::filesystem::path path_;
  const loader::UniqueFd listener_;
  const loader::UniqueFd wake_;
  const LocalHandler handler_;
  const LocalDisconnect on_disconnect_;
  std::thread thread_;
  // The thread's own:
  std::vector<Connection> peers_;
  ConnectionId last_id_ = 0;
  uint64_t accept_after_ = 0;
};

absl::StatusOr<std::unique_ptr<LocalServer>> LocalServer::Start(const std::filesystem::path& path,
                                                                LocalHandler handler,
                                                                LocalDisconnect on_disconnect) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd listener, Listen(path));
  loader::UniqueFd wake(::eventfd(0, EFD_CLOEXEC));
  if (!wake.valid()) return ErrnoStatus(errno, "make an eventfd");
  auto loop = std::make_unique<Loop>(path, std::move(listener), std::move(wake), std::move(handler),
                                     std::move(on_disconnect));
  loop->Start();
  return std::unique_ptr<LocalServer>(new LocalServer(std::move(loop)));
}

LocalServer::LocalServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

LocalServer::~LocalServer() { loop_->Stop(); }

}  // namespace sabot::agent
