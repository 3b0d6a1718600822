// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/config.h"

#include <cstdlib>

#include <yaml-cpp/yaml.h>

#include "absl/strings/escaping.h"
#include "controller/api/read_file.h"
#include "controller/api/str_cat.h"
#include "loader/status.h"

namespace sabot::kube {
namespace {

using api::StrCat;

constexpr size_t kMaxBytes = 1 << 20;

std::string Text(const YAML::Node& map, const char* name) {
  const YAML::Node value = map.IsMap() ? map[name] : YAML::Node(YAML::NodeType::Undefined);
  return value.IsDefined() && value.IsScalar() ? value.Scalar() : "";
}

// The element of `list` that is called `name`: its member `member`.
absl::StatusOr<YAML::Node> Named(const YAML::Node& root, const char* list, const std::string& name,
                                 const char* member) {
  const YAML::Node elements = root[list];
  if (elements.IsDefined() && elements.IsSequence()) {
    for (const YAML::Node& element : elements) {
      if (Text(element, "name") == name && element[member].IsDefined() && element[member].IsMap()) {
        return element[member];
      }
    }
  }
  return absl::InvalidArgumentError(StrCat("kubeconfig: ", list, " has none that is called \"", name, "\""));
}

// `NAME-data` in base64, or the content of the file `NAME`, or "".
absl::StatusOr<std::string> Data(const YAML::Node& map, const std::string& name,
                                 const std::string& directory) {
  if (const std::string encoded = Text(map, (name + "-data").c_str()); !encoded.empty()) {
    std::string decoded;
    if (absl::Base64Unescape(encoded, &decoded)) return decoded;
    return absl::InvalidArgumentError(StrCat("kubeconfig: ", name, "-data is no base64"));
  }
  std::string path = Text(map, name.c_str());
  if (path.empty()) return path;
  if (path.front() != '/') path = StrCat(directory, "/", path);
  return api::ReadFile(path, kMaxBytes);
}

ExecPlugin Exec(const YAML::Node& node, const std::string& directory) {
  ExecPlugin exec;
  if (!node.IsDefined() || !node.IsMap()) return exec;
  exec.api_version = Text(node, "apiVersion");
  exec.command = Text(node, "command");
  // As kubectl has it: a command with a slash is relative to the file.
  if (exec.command.find('/') != exec.command.npos && exec.command.front() != '/') {
    exec.command = StrCat(directory, "/", exec.command);
  }
  if (const YAML::Node list = node["args"]; list.IsDefined() && list.IsSequence()) {
    for (const YAML::Node& argument : list)
      exec.arguments.push_back(argument.IsScalar() ? argument.Scalar() : "");
  }
  if (const YAML::Node list = node["env"]; list.IsDefined() && list.IsSequence()) {
    for (const YAML::Node& pair : list)
      exec.environment.emplace_back(Text(pair, "name"), Text(pair, "value"));
  }
  return exec;
}

absl::StatusOr<Config> Parse(const YAML::Node& root, const std::string& directory) {
  if (!root.IsMap()) return absl::InvalidArgumentError("kubeconfig: is no map");
  SABOT_ASSIGN_OR_RETURN(const YAML::Node context,
                         Named(root, "contexts", Text(root, "current-context"), "context"));
  SABOT_ASSIGN_OR_RETURN(const YAML::Node cluster,
                         Named(root, "clusters", Text(context, "cluster"), "cluster"));
  Config config;
  config.server = Text(cluster, "server");
  while (config.server.ends_with('/')) config.server.pop_back();
  if (!config.server.starts_with("https://") && !config.server.starts_with("http://")) {
    return absl::InvalidArgumentError("kubeconfig: server is no http(s) URL");
  }
  SABOT_ASSIGN_OR_RETURN(config.ca_pem, Data(cluster, "certificate-authority", directory));
  config.ns = Text(context, "namespace");
  if (config.ns.empty()) config.ns = "default";
  if (Text(context, "user").empty()) return config;
  SABOT_ASSIGN_OR_RETURN(const YAML::Node user, Named(root, "users", Text(context, "user"), "user"));
  SABOT_ASSIGN_OR_RETURN(config.certificate_pem, Data(user, "client-certificate", directory));
  SABOT_ASSIGN_OR_RETURN(config.key_pem, Data(user, "client-key", directory));
  config.token = Text(user, "token");
  config.token_file = Text(user, "tokenFile");
  config.exec = Exec(user["exec"], directory);
  return config;
}

}  // namespace

absl::StatusOr<Config> ParseKubeconfig(const std::string& content, const std::string& directory) {
  if (content.size() > kMaxBytes) return absl::InvalidArgumentError("kubeconfig: is larger than 1 MiB");
  try {
    return Parse(YAML::Load(content), directory);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(StrCat("kubeconfig: ", std::string(error.what())));
  }
}

absl::StatusOr<Config> LoadKubeconfig(const std::string& path) {
  SABOT_ASSIGN_OR_RETURN(const std::string content, api::ReadFile(path, kMaxBytes));
  const size_t slash = path.rfind('/');
  return ParseKubeconfig(content, slash == path.npos ? "." : path.substr(0, slash));
}

absl::StatusOr<Config> InClusterConfig(const std::string& directory) {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (host == nullptr || port == nullptr) {
    return absl::NotFoundError("no service account: KUBERNETES_SERVICE_HOST and _PORT are not set");
  }
  Config config;
  const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
  config.server = StrCat("https://", v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
  config.token_file = directory + "/token";
  SABOT_ASSIGN_OR_RETURN(config.ca_pem, api::ReadFile(directory + "/ca.crt", kMaxBytes));
  const absl::StatusOr<std::string> ns = api::ReadFile(directory + "/namespace", kMaxBytes);
  config.ns = ns.ok() && !ns->empty() ? *ns : "default";
  return config;
}

absl::StatusOr<Config> DefaultConfig(const std::string& path) {
  if (!path.empty()) return LoadKubeconfig(path);
  const char* named = std::getenv("KUBECONFIG");
  if (named != nullptr && *named != '\0') return LoadKubeconfig(named);
  absl::StatusOr<Config> config = InClusterConfig();
  if (config.ok() || !absl::IsNotFound(config.status())) return config;
  const char* home = std::getenv("HOME");
  return LoadKubeconfig(StrCat(home == nullptr ? "" : home, "/.kube/config"));
}

}  // namespace sabot::kube
