// SPDX-License-Identifier: Apache-2.0
//
// A containerd of the test's own: own root, state and socket, an image made on the spot, and a CNI plugin
// that gives pods a network namespace with nothing in it. The test is the kubelet.
#ifndef SABOT_TESTS_HOST_CRI_CONTAINERD_H_
#define SABOT_TESTS_HOST_CRI_CONTAINERD_H_

#include <grpcpp/grpcpp.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pod.pb.h"

namespace sabot::test {

class Containerd {
 public:
  // Why there cannot be one here; empty if there can.
  static std::string WhyNot();

  // Starts it and imports the image. `why` says what went wrong if the result is null.
  static std::unique_ptr<Containerd> Start(std::string& why);
  ~Containerd();

  std::string socket() const { return dir_ / "containerd.sock"; }
  void StopDaemon();
  // Returns when it answers CRI calls.
  bool StartDaemon();

  // These throw std::runtime_error with the runtime's words.

  // The id of a new pod; `host_network`: in containerd's own network namespace.
  std::string RunPod(const std::string& name, bool host_network);
  // The id of a container that sleeps, with `mark` on its command line; not started.
  std::string CreateContainer(const std::string& pod, const std::string& name, uint32_t attempt,
                              const std::string& mark);
  void StartContainer(const std::string& id) { CallById("StartContainer", id); }
  void StopContainer(const std::string& id) { CallById("StopContainer", id); }
  void RemoveContainer(const std::string& id) { CallById("RemoveContainer", id); }
  void RemovePod(const std::string& id);

  // The network namespace file that the CNI plugin was given for the last pod.
  std::string LastNetns() const;

 private:
  Containerd() = default;
  bool WriteFiles();
  bool ImportImage();
  // What a failed test left behind.
  void SweepProcesses() const;
  void SweepCgroups() const;
  void SweepMounts() const;
  cri::PodConfig Config(const std::string& name, bool host_network) const;
  template <typename Response, typename Request>
  Response Call(const std::string& method, const Request& request);
  void CallById(const std::string& method, const std::string& id);

  std::filesystem::path dir_;
  pid_t daemon_ = -1;
  std::shared_ptr<grpc::Channel> channel_;
  std::vector<std::pair<std::string, cri::PodConfig>> pods_;
};

// The process with `mark` on its command line, which a container that has just started takes on in a moment;
// 0 if there is none.
pid_t ProcessWithMark(const std::string& mark);

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_CRI_CONTAINERD_H_
