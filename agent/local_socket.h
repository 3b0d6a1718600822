// SPDX-License-Identifier: Apache-2.0
//
// The local unix socket on which whatever holds faults answers `sabot status`, `sabot halt` and
// takes fault maps. What is said on it is in proto/sabot/v1/local.proto.
#ifndef SABOT_AGENT_LOCAL_SOCKET_H_
#define SABOT_AGENT_LOCAL_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "loader/fd.h"
#include "sabot/v1/local.pb.h"

namespace sabot::agent {

inline constexpr size_t kMaxLocalFrame = 16 * 1024 * 1024;
inline constexpr int kMaxLocalConnections = 64;
// How long a peer may take to finish a frame that it began, or to read an answer; then it is disconnected. A
// connection without anything under way may stay idle for ever.
inline constexpr absl::Duration kLocalPeerPatience = absl::Seconds(10);

// Cuts a byte stream into frames. Pure; not thread-safe.
class FrameParser {
 public:
  // Takes the next bytes of the stream, as many as there are.
  void Feed(std::string_view bytes);

  // The next whole payload; nullopt: more bytes are needed. INVALID_ARGUMENT (for good: the stream has no
  // boundaries any more) if a length is above kMaxLocalFrame.
  absl::StatusOr<std::optional<std::string>> Next();

  // Bytes taken in and not given out. Grows with what arrives, never with what a length promises.
  size_t buffered() const { return buffer_.size() - start_; }

 private:
  std::string buffer_;
  size_t start_ = 0;  // bytes before it are given out
  bool broken_ = false;
};

// `payload` with its length in front. The payload must not be longer than kMaxLocalFrame.
std::string MakeFrame(std::string_view payload);

// Names a connection for as long as the server lives; never used twice.
using ConnectionId = uint64_t;

// Answers one request. Called on the server's thread, one call at a time: while it runs, no other peer is
// served. Must not destroy the server.
using LocalHandler = std::function<sabot::v1::LocalResponse(const sabot::v1::LocalRequest&, ConnectionId)>;
// A connection on which the handler was called is gone. Called on the server's thread, once per such
// connection, also for those that end with the server.
using LocalDisconnect = std::function<void(ConnectionId)>;

// The server, on a thread of its own. Peers other than root and our own user are disconnected without a word;
// so is the 65th connection, and who sends garbage or dawdles (kLocalPeerPatience). Nobody can hold up the
// others.
class LocalServer {
 public:
  // Listens on `path`, mode 0600, which it replaces if it is there.
  static absl::StatusOr<std::unique_ptr<LocalServer>> Start(const std::filesystem::path& path,
                                                            LocalHandler handler,
                                                            LocalDisconnect on_disconnect = nullptr);

  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;
  // Removes the socket, waits for a running handler, disconnects everyone and joins the thread.
  ~LocalServer();

 private:
  class Loop;
  explicit LocalServer(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

// A connection to a server. Not thread-safe; move-only; closed by destruction.
class LocalClient {
 public:
  // NOT_FOUND if there is no socket at `path`, UNAVAILABLE if nobody listens on it, PERMISSION_DENIED if who
  // listens is neither root nor our own user.
  static absl::StatusOr<LocalClient> Connect(const std::filesystem::path& path, absl::Duration timeout);

  // Sends a request and waits for its answer. An answer whose code is not OK is returned as it is: the
  // result's status speaks of the transport only (DEADLINE_EXCEEDED, UNAVAILABLE when the peer closed,
  // INVALID_ARGUMENT for garbage). After an error the connection is useless.
  absl::StatusOr<sabot::v1::LocalResponse> Call(const sabot::v1::LocalRequest& request,
                                                absl::Duration timeout);

 private:
  LocalClient(std::filesystem::path path, loader::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  loader::UniqueFd fd_;
  FrameParser parser_;
};

// One request on a connection of its own; `timeout` is for all of it.
absl::StatusOr<sabot::v1::LocalResponse> CallLocal(const std::filesystem::path& path,
                                                   const sabot::v1::LocalRequest& request,
                                                   absl::Duration timeout);

// The status that `response` carries.
absl::Status ToStatus(const sabot::v1::LocalResponse& response);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_LOCAL_SOCKET_H_
