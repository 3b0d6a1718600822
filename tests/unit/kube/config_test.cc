// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/kube/credentials.h"

namespace sabot::kube {
namespace {

const char kFile[] = R"(
apiVersion: v1
kind: Config
current-context: two
contexts:
- {name: one, context: {cluster: a, user: x}}
- {name: two, context: {cluster: b, user: y, namespace: team}}
clusters:
- {name: a, cluster: {server: "https://a"}}
- {name: b, cluster: {server: "https://b:6443/", certificate-authority-data: aGFsbG8=}}
users:
- {name: x, user: {}}
- name: y
  user:
    token: secret
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a, b], env: [{name: K, value: V}]}
)";

TEST(Kubeconfig, TakesTheCurrentContext) {
  const auto config = ParseKubeconfig(kFile, "/etc/kube");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->server, "https://b:6443");
  EXPECT_EQ(config->ca_pem, "hallo");
  EXPECT_EQ(config->ns, "team");
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->exec.command, "/etc/kube/./login");
  EXPECT_THAT(config->exec.arguments, testing::ElementsAre("a", "b"));
  EXPECT_THAT(config->exec.environment, testing::ElementsAre(testing::Pair("K", "V")));
}

TEST(Kubeconfig, BrokenFilesAreErrors) {
  for (const char* text :
       {"", "5", "[]", "{", "a: [", "current-context: x", "&a [*a]",
        "{current-context: x, contexts: [{name: x, context: {cluster: y}}]}",
        "{current-context: x, contexts: [{name: x, context: {cluster: y}}], clusters: [{name: y, "
        "cluster: {server: 'file:///etc/passwd'}}]}",
        "{current-context: x, contexts: [{name: x, context: {cluster: y}}], clusters: [{name: y, "
        "cluster: {server: 'https://a', certificate-authority-data: '!'}}]}"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseKubeconfig(text, "/").status())) << text;
  }
  EXPECT_FALSE(LoadKubeconfig("/nonexistent").ok());
  EXPECT_TRUE(absl::IsNotFound(InClusterConfig("/nonexistent").status()));
}

TEST(ExecCredential, HasATokenAndAnEnd) {
  const auto token = ParseExecCredential(
      R"({"kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}})");
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->token, "t");
  EXPECT_EQ(token->expires, absl::FromUnixSeconds(1893456000));
  for (const char* text :
       {"", "{}", "[]", R"({"kind":"ExecCredential"})", R"({"kind":"ExecCredential","status":5})",
        R"({"kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"soon"}})"}) {
    EXPECT_FALSE(ParseExecCredential(text).ok()) << text;
  }
}

TEST(RunPlugin, IsEndedWhenItTakesTooLong) {
  const absl::Time begin = absl::Now();
  const absl::Status status =
      RunPlugin({.command = "sleep", .arguments = {"60"}}, absl::Milliseconds(200)).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
}

}  // namespace
}  // namespace sabot::kube
