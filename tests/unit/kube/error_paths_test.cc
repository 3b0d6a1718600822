// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/kube/client.h"
#include "controller/kube/informer.h"
#include "tests/unit/kube/scripted_server.h"

namespace sabot::test {
namespace {

using kube::Client;
using kube::Codec;
using kube::Resource;
using kube::WatchEvent;

const Resource kMaps = {.version = "v1", .plural = "configmaps", .ns = "default"};
const char kMap[] = R"({"kind":"ConfigMap","metadata":{"name":"a"}})";
const char kAdded[] =
    R"({"type":"ADDED","object":{"metadata":{"name":"a","namespace":"n","resourceVersion":"7"}}})"
    "\n";

std::unique_ptr<Client> ClientOf(const ScriptedServer& server, absl::Duration deadline = absl::Seconds(20)) {
  auto client = Client::Create(server.config(), deadline);
  EXPECT_TRUE(client.ok()) << client.status();
  return client.ok() ? *std::move(client) : nullptr;
}

TEST(ErrorPaths, WaitsAsLongAsTheServerAsksBeforeItComesAgain) {
  ScriptedServer server({Answer(429, "slow down", "Retry-After: 1\r\n"), Answer(200, kMap)});
  const auto client = ClientOf(server);
  const absl::Time begin = absl::Now();
  EXPECT_TRUE(client->Get(kMaps, "a").ok());
  EXPECT_GE(absl::Now() - begin, absl::Seconds(1));
  EXPECT_EQ(server.requests(), 2);
}

TEST(ErrorPaths, ReadsAreRepeatedAndWritesAreNot) {
  ScriptedServer broken({Answer(500, "{}"), "", Answer(200, kMap)});
  EXPECT_TRUE(ClientOf(broken)->Get(kMaps, "a").ok());
  EXPECT_EQ(broken.requests(), 3);
  // It may have been done before the connection broke.
  ScriptedServer silent({"", Answer(201, kMap)});
  EXPECT_TRUE(absl::IsUnavailable(ClientOf(silent)->Create(kMaps, {{"kind", "ConfigMap"}}).status()));
  EXPECT_EQ(silent.requests(), 1);
  // It has not been done.
  ScriptedServer busy({Answer(429, "{}"), Answer(201, kMap)});
  EXPECT_TRUE(ClientOf(busy)->Create(kMaps, {{"kind", "ConfigMap"}}).ok());
}

TEST(ErrorPaths, GivesUpAtTheDeadline) {
  ScriptedServer server({Answer(503, R"({"message":"no","reason":"Nope"})")});
  const absl::Status status = ClientOf(server, absl::Seconds(3))->Get(kMaps, "a").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("503 Nope: no"));
  EXPECT_GT(server.requests(), 1);
}

TEST(ErrorPaths, GarbageIsAnErrorAndNoCrash) {
  for (const char* body : {"", "x", "[]", "{", R"({"items":5})", R"({"items":[{}]})", "k8s", "\xff\xfe"}) {
    ScriptedServer server({Answer(200, body)});
    EXPECT_TRUE(absl::IsDataLoss(ClientOf(server)->List(kMaps, Codec::Json(), {}).status())) << body;
  }
  ScriptedServer no_http({"nonsense\r\n\r\n"});
  EXPECT_FALSE(ClientOf(no_http, absl::Seconds(1))->Get(kMaps, "a").ok());
}

absl::Status Watch(Client& client, std::vector<WatchEvent>& events) {
  return client.Watch(kMaps, Codec::Json(), {}, nullptr, [&](WatchEvent event) {
    events.push_back(std::move(event));
    return absl::OkStatus();
  });
}

TEST(ErrorPaths, WhatCameBeforeAWatchBrokeIsNotLost) {
  ScriptedServer server({Answer(200, std::string(kAdded) + R"({"type":"ADD)")});
  std::vector<WatchEvent> events;
  const auto client = ClientOf(server);
  EXPECT_TRUE(absl::IsUnavailable(Watch(*client, events)));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].object.key, "n/a");
  EXPECT_EQ(events[0].resource_version, "7");
}

TEST(ErrorPaths, AnErrorEventIsTheWatchsError) {
  ScriptedServer server({Answer(
      200, R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"
           "\n")});
  std::vector<WatchEvent> events;
  const auto client = ClientOf(server);
  const absl::Status status = Watch(*client, events);
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("too old"));
}

TEST(ErrorPaths, AnInformerListsAgainAfterAnEventThatMakesNoSense) {
  const std::string list = R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"1"},"items":[)" +
                           std::string(R"({"metadata":{"name":"a","namespace":"n"}}]})");
  ScriptedServer server({Answer(200, list), Answer(200, "{\"type\":\"WHAT\"}\n"), Answer(200, list),
                         Answer(200, std::string("{\"type\":\"DELETED\",") + (kAdded + 16))});
  const auto client = ClientOf(server);
  kube::InformerOptions options;
  options.resource = kMaps;
  options.watch_list = false;
  options.longest_wait = absl::Milliseconds(200);
  kube::Informer informer(*client, options);
  ASSERT_TRUE(informer.WaitForSync(absl::Seconds(10)));
  for (int i = 0; i < 500 && informer.size() > 0; ++i) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(informer.size(), 0u);
  EXPECT_EQ(informer.stats().lists, 2);
}

TEST(ErrorPaths, AnInformerLivesWithoutAServer) {
  kube::Config config;
  config.server = "http://127.0.0.1:1";
  const auto client = Client::Create(config, absl::Milliseconds(300));
  ASSERT_TRUE(client.ok());
  kube::InformerOptions options;
  options.resource = kMaps;
  kube::Informer informer(**client, options);
  EXPECT_FALSE(informer.WaitForSync(absl::Seconds(1)));
  EXPECT_TRUE(absl::IsUnavailable(informer.stats().last_error)) << informer.stats().last_error;
}

}  // namespace
}  // namespace sabot::test
