// SPDX-License-Identifier: Apache-2.0
//
// Where the API server is and how it is asked: kubeconfig files and service accounts.
#ifndef SABOT_CONTROLLER_KUBE_CONFIG_H_
#define SABOT_CONTROLLER_KUBE_CONFIG_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace sabot::kube {

// `users[].user.exec` of a kubeconfig: a program that prints an ExecCredential.
struct ExecPlugin {
  std::string api_version;  // "client.authentication.k8s.io/v1"
  std::string command;      // a path, or a name to be found in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // on top of ours

  bool empty() const { return command.empty(); }
};

// A plain value. PEM where it says so; empty: not used.
struct Config {
  std::string server;  // "https://HOST[:PORT][/PATH]", without a slash at the end
  std::string ca_pem;  // who may have signed the server's certificate; empty: the system's authorities
  std::string certificate_pem;
  std::string key_pem;
  std::string token;
  std::string token_file;  // read again and again: Kubernetes rotates it
  ExecPlugin exec;
  std::string ns;  // the namespace to be used where none is said; "default" when the file has none
};

// The current context of a kubeconfig. `content` is YAML, at most 1 MiB; relative paths in it are relative to
// `directory`. Reads the files that it names. Never throws.
absl::StatusOr<Config> ParseKubeconfig(const std::string& content, const std::string& directory);
absl::StatusOr<Config> LoadKubeconfig(const std::string& path);

// The service account of the pod that this runs in. `directory` is where Kubernetes puts it.
absl::StatusOr<Config> InClusterConfig(
    const std::string& directory = "/var/run/secrets/kubernetes.io/serviceaccount");

// `path` if not empty, else KUBECONFIG, else the service account, else ~/.kube/config.
absl::StatusOr<Config> DefaultConfig(const std::string& path = "");

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_CONFIG_H_
