// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/credentials.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "controller/api/read_file.h"
#include "controller/api/str_cat.h"
#include "loader/status.h"

namespace sabot::kube {
namespace {

constexpr absl::Duration kReadAgain = absl::Minutes(1);
constexpr absl::Duration kBeforeExpiry = absl::Minutes(1);

}  // namespace

absl::StatusOr<std::string> Credentials::Token() {
  absl::MutexLock lock(&mutex_);
  if (absl::Now() >= valid_until_) SABOT_RETURN_IF_ERROR(Refresh());
  return token_;
}

void Credentials::Invalidate() {
  absl::MutexLock lock(&mutex_);
  valid_until_ = absl::InfinitePast();
}

absl::Status Credentials::Refresh() {
  if (!config_.exec.empty()) {
    SABOT_ASSIGN_OR_RETURN(const std::string printed, RunPlugin(config_.exec, absl::Seconds(60)));
    SABOT_ASSIGN_OR_RETURN(const ExecToken credential, ParseExecCredential(printed));
    token_ = credential.token;
    valid_until_ = credential.expires - kBeforeExpiry;
    return absl::OkStatus();
  }
  if (!config_.token_file.empty()) {
    SABOT_ASSIGN_OR_RETURN(const std::string text, api::ReadFile(config_.token_file, 1 << 20));
    token_ = std::string(absl::StripAsciiWhitespace(text));
    valid_until_ = absl::Now() + kReadAgain;
    return absl::OkStatus();
  }
  token_ = config_.token;
  valid_until_ = absl::InfiniteFuture();
  return absl::OkStatus();
}

absl::StatusOr<ExecToken> ParseExecCredential(const std::string& text) {
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto text_at = [&value](const char* pointer) -> std::string {
    const nlohmann::json::json_pointer at(pointer);
    return value.contains(at) && value[at].is_string() ? value[at].get<std::string>() : "";
  };
  if (!value.is_object() || text_at("/kind") != "ExecCredential") {
    return absl::InvalidArgumentError("credential plugin: printed no ExecCredential");
  }
  ExecToken credential;
  credential.token = text_at("/status/token");
  if (credential.token.empty()) {
    return absl::InvalidArgumentError(
        "credential plugin: printed no status.token; certificates are not supported");
  }
  const std::string expires = text_at("/status/expirationTimestamp");
  std::string error;
  if (!expires.empty() && !absl::ParseTime(absl::RFC3339_full, expires, &credential.expires, &error)) {
    return absl::InvalidArgumentError(api::StrCat("credential plugin: expirationTimestamp: ", error));
  }
  return credential;
}

}  // namespace sabot::kube
