// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "controller/kube/client.h"
#include "controller/kube/events.h"
#include "controller/kube/lease.h"
#include "k8s/v1.pb.h"
#include "tests/cluster/cluster.h"

namespace sabot::test {
namespace {

using kube::Client;
using kube::Codec;
using kube::PatchType;
using kube::Resource;
using nlohmann::json;

json ConfigMap(const std::string& name, const std::string& value = "1") {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}}},
          {"data", {{"key", value}}}};
}

json Pod(const std::string& name) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", {{"app", "web"}}}, {"annotations", {{"a", "b"}}}}},
          {"spec", {{"nodeName", "node-1"}, {"containers", {{{"name", "main"}, {"image", "image"}}}}}}};
}

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    client_ = ConnectedClient();
    ASSERT_NE(client_, nullptr);
    ns_ = TestNamespace(*client_).name();
    maps_ = {.version = "v1", .plural = "configmaps", .ns = ns_};
    pods_ = {.version = "v1", .plural = "pods", .ns = ns_};
  }

  std::unique_ptr<Client> client_;
  std::string ns_;
  Resource maps_;
  Resource pods_;
};

TEST_F(ClientTest, CreatesReadsAndDeletes) {
  ASSERT_TRUE(client_->Create(maps_, ConfigMap("a")).ok());
  const auto read = client_->Get(maps_, "a");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->at("data").at("key"), "1");
  EXPECT_TRUE(absl::IsAlreadyExists(client_->Create(maps_, ConfigMap("a")).status()));
  EXPECT_TRUE(client_->Delete(maps_, "a").ok());
  EXPECT_TRUE(absl::IsNotFound(client_->Get(maps_, "a").status()));
  EXPECT_TRUE(absl::IsNotFound(client_->Delete(maps_, "a")));
}

TEST_F(ClientTest, AReplacementOfAnOldVersionIsAConflict) {
  const auto made = client_->Create(maps_, ConfigMap("a"));
  ASSERT_TRUE(made.ok()) << made.status();
  json changed = *made;
  changed["data"]["key"] = "2";
  ASSERT_TRUE(client_->Replace(maps_, changed).ok());
  changed["data"]["key"] = "3";
  EXPECT_TRUE(absl::IsAborted(client_->Replace(maps_, changed).status()));
}

TEST_F(ClientTest, PatchesInFourWays) {
  ASSERT_TRUE(client_->Create(maps_, ConfigMap("a")).ok());
  const auto value = [&](const absl::StatusOr<json>& answer) {
    return answer.ok() ? answer->at("data").value("key", "") : answer.status().ToString();
  };
  EXPECT_EQ(value(client_->Patch(maps_, "a", PatchType::kMerge, {{"data", {{"key", "merge"}}}})), "merge");
  EXPECT_EQ(
      value(client_->Patch(maps_, "a", PatchType::kJson,
                           json::array({{{"op", "replace"}, {"path", "/data/key"}, {"value", "json"}}}))),
      "json");
  EXPECT_EQ(value(client_->Patch(maps_, "a", PatchType::kStrategic, {{"data", {{"key", "strategic"}}}})),
            "strategic");
  EXPECT_EQ(value(client_->Patch(maps_, "a", PatchType::kApply, ConfigMap("a", "apply"))), "apply");
  EXPECT_EQ(value(client_->Patch(maps_, "new", PatchType::kApply, ConfigMap("new", "made"))), "made");
}

TEST_F(ClientTest, ListsInPages) {
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(client_->Create(maps_, ConfigMap("m" + std::to_string(i))).ok());
  std::set<std::string> keys;
  kube::ListQuery query{.limit = 10};
  int pages = 0;
  do {
    const auto page = client_->List(maps_, Codec::Json(), query);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->objects.size(), 10u);
    for (const kube::Object& object : page->objects) {
      keys.insert(object.key);
      // As when it is read alone.
      EXPECT_EQ(json::parse(object.bytes).value("kind", ""), "ConfigMap");
    }
    query.continue_token = page->continue_token;
    ++pages;
  } while (!query.continue_token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(keys.size(), 25u);
  EXPECT_TRUE(keys.contains(ns_ + "/m7"));
}

TEST_F(ClientTest, ReadsPodsAsProtobuf) {
  ASSERT_TRUE(client_->Create(pods_, Pod("web-0")).ok());
  const json status = {{"status",
                        {{"phase", "Running"},
                         {"podIP", "10.1.2.3"},
                         {"podIPs", {{{"ip", "10.1.2.3"}}, {{"ip", "fd00::3"}}}},
                         {"containerStatuses",
                          {{{"name", "main"},
                            {"containerID", "containerd://abc"},
                            {"image", "image"},
                            {"imageID", ""},
                            {"ready", true},
                            {"restartCount", 3}}}}}}};
  const auto patched = client_->Patch(pods_, "web-0", PatchType::kStrategic, status, "status");
  ASSERT_TRUE(patched.ok()) << patched.status();
  const auto page = client_->List(pods_, Codec::Protobuf(k8s::v1::Pod::default_instance()), {});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_FALSE(page->resource_version.empty());
  EXPECT_EQ(page->objects[0].key, ns_ + "/web-0");
  k8s::v1::Pod pod;
  ASSERT_TRUE(pod.ParseFromString(page->objects[0].bytes));
  EXPECT_EQ(pod.metadata().name(), "web-0");
  EXPECT_EQ(pod.metadata().namespace_(), ns_);
  EXPECT_EQ(pod.metadata().uid(), patched->at("metadata").at("uid"));
  EXPECT_EQ(pod.metadata().labels().at("app"), "web");
  EXPECT_EQ(pod.metadata().annotations().at("a"), "b");
  EXPECT_EQ(pod.spec().node_name(), "node-1");
  ASSERT_EQ(pod.spec().containers_size(), 1);
  EXPECT_EQ(pod.spec().containers(0).name(), "main");
  EXPECT_EQ(pod.status().phase(), "Running");
  EXPECT_EQ(pod.status().pod_ip(), "10.1.2.3");
  ASSERT_EQ(pod.status().pod_ips_size(), 2);
  EXPECT_EQ(pod.status().pod_ips(1).ip(), "fd00::3");
  ASSERT_EQ(pod.status().container_statuses_size(), 1);
  EXPECT_EQ(pod.status().container_statuses(0).container_id(), "containerd://abc");
}

TEST_F(ClientTest, ReadsServicesNodesAndNamespacesAsProtobuf) {
  const json service = {
      {"apiVersion", "v1"},
      {"kind", "Service"},
      {"metadata", {{"name", "web"}}},
      {"spec", {{"selector", {{"app", "web"}}}, {"ports", {{{"name", "http"}, {"port", 80}}}}}}};
  ASSERT_TRUE(client_->Create({.version = "v1", .plural = "services", .ns = ns_}, service).ok());
  const auto services = client_->List({.version = "v1", .plural = "services", .ns = ns_},
                                      Codec::Protobuf(k8s::v1::Service::default_instance()), {});
  ASSERT_TRUE(services.ok()) << services.status();
  ASSERT_EQ(services->objects.size(), 1u);
  k8s::v1::Service read;
  ASSERT_TRUE(read.ParseFromString(services->objects[0].bytes));
  EXPECT_EQ(read.spec().selector().at("app"), "web");
  ASSERT_EQ(read.spec().ports_size(), 1);
  EXPECT_EQ(read.spec().ports(0).port(), 80);
  EXPECT_EQ(read.spec().ports(0).protocol(), "TCP");
  EXPECT_THAT(read.spec().cluster_ip(), testing::StartsWith("10.0.0."));
  ASSERT_EQ(read.spec().cluster_ips_size(), 1);

  const json node = {
      {"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", ns_}, {"labels", {{"z", "1"}}}}}};
  ASSERT_TRUE(client_->Create({.version = "v1", .plural = "nodes"}, node).ok());
  const auto nodes =
      client_->List({.version = "v1", .plural = "nodes"}, Codec::Protobuf(k8s::v1::Node::default_instance()),
                    {.label_selector = "z=1"});
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  EXPECT_GE(nodes->objects.size(), 1u);
  const auto namespaces = client_->List({.version = "v1", .plural = "namespaces"},
                                        Codec::Protobuf(k8s::v1::Namespace::default_instance()),
                                        {.field_selector = "metadata.name=" + ns_});
  ASSERT_TRUE(namespaces.ok()) << namespaces.status();
  ASSERT_EQ(namespaces->objects.size(), 1u);
  k8s::v1::Namespace ns;
  ASSERT_TRUE(ns.ParseFromString(namespaces->objects[0].bytes));
  EXPECT_EQ(ns.status().phase(), "Active");
}

TEST_F(ClientTest, SaysWhyTheServerRefuses) {
  const auto bad = client_->Create(maps_, ConfigMap("Not A Name"));
  EXPECT_TRUE(absl::IsInvalidArgument(bad.status())) << bad.status();
  EXPECT_THAT(std::string(bad.status().message()), testing::HasSubstr("metadata.name"));
  EXPECT_TRUE(absl::IsInvalidArgument(client_->Get(maps_, "../secrets").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(client_->Delete(maps_, "")));
}

TEST_F(ClientTest, ReadsGoOnAfterAnOutage) {
  ASSERT_TRUE(client_->Create(maps_, ConfigMap("a")).ok());
  { ApiServerOutage outage; }
  EXPECT_TRUE(client_->Get(maps_, "a").ok());
  EXPECT_TRUE(client_->Create(maps_, ConfigMap("b")).ok());
}

// -------------------------------------------------------------------------------------------------
// credentials

class CredentialsTest : public ClientTest {
 protected:
  // A token of a service account that may do everything.
  std::string NewToken() {
    const Resource accounts = {.version = "v1", .plural = "serviceaccounts", .ns = ns_};
    (void)client_->Create(
        accounts, {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "robot"}}}});
    (void)client_->Create(
        {.group = "rbac.authorization.k8s.io", .version = "v1", .plural = "clusterrolebindings"},
        {{"apiVersion", "rbac.authorization.k8s.io/v1"},
         {"kind", "ClusterRoleBinding"},
         {"metadata", {{"name", ns_}}},
         {"roleRef",
          {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}},
         {"subjects", {{{"kind", "ServiceAccount"}, {"name", "robot"}, {"namespace", ns_}}}}});
    const auto token = client_->Create(
        accounts, {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}}, "robot", "token");
    EXPECT_TRUE(token.ok()) << token.status();
    return token.ok() ? token->at("status").at("token").get<std::string>() : "";
  }

  kube::Config WithoutCertificate() {
    kube::Config config = ClusterConfig();
    config.certificate_pem.clear();
    config.key_pem.clear();
    return config;
  }

  void Write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }

  const std::string file_ = std::string(std::getenv("SABOT_CLUSTER")) + "/token-of-test";
};

// RBAC learns of a new binding a moment later.
bool MayRead(Client& client, const Resource& resource) {
  return Eventually(
      [&] { return !absl::IsPermissionDenied(client.List(resource, Codec::Json(), {}).status()); });
}

TEST_F(CredentialsTest, ATokenFileIsReadAgainWhenTheServerRefusesTheOldToken) {
  const std::string token = NewToken();
  kube::Config config = WithoutCertificate();
  config.token_file = file_;
  Write(file_, token + "\n");
  const auto client = ConnectedClient(config);
  ASSERT_TRUE(MayRead(*client, maps_));
  EXPECT_TRUE(client->List(maps_, Codec::Json(), {}).ok());
  Write(file_, "nonsense");
  const auto other = ConnectedClient(config);
  EXPECT_TRUE(absl::IsUnauthenticated(other->Get(maps_, "a").status()));
  Write(file_, NewToken());
  EXPECT_TRUE(absl::IsNotFound(other->Get(maps_, "a").status()));
}

TEST_F(CredentialsTest, APluginIsAskedOnceAndAgainWhenItsTokenEnds) {
  const std::string token = NewToken();
  const std::string expires =
      absl::FormatTime(absl::RFC3339_full, absl::Now() + absl::Minutes(30), absl::UTCTimeZone());
  Write(file_ + ".sh",
        "#!/bin/sh\necho x >>" + file_ + ".calls\n" +
            "printf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\"," +
            "\"status\":{\"token\":\"%s\",\"expirationTimestamp\":\"" + expires + "\"}}' \"$TOKEN\"\n");
  chmod((file_ + ".sh").c_str(), 0700);
  kube::Config config = WithoutCertificate();
  config.exec = {.api_version = "client.authentication.k8s.io/v1",
                 .command = file_ + ".sh",
                 .environment = {{"TOKEN", token}}};
  const auto client = ConnectedClient(config);
  ASSERT_TRUE(MayRead(*client, maps_));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client->List(maps_, Codec::Json(), {}).ok());
  std::ifstream calls(file_ + ".calls");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(calls), {}), "x\n");
}

TEST_F(CredentialsTest, APluginThatFailsIsNamed) {
  kube::Config config = WithoutCertificate();
  config.exec = {.command = "/nonexistent/plugin"};
  EXPECT_THAT(std::string(ConnectedClient(config)->Get(maps_, "a").status().message()),
              testing::HasSubstr("/nonexistent/plugin"));
  config.exec = {.command = "false"};
  EXPECT_THAT(std::string(ConnectedClient(config)->Get(maps_, "a").status().message()),
              testing::HasSubstr("ended with status"));
}

TEST_F(CredentialsTest, AServerThatNobodyVouchesForIsNotTalkedTo) {
  kube::Config config = ClusterConfig();
  config.ca_pem.clear();
  const auto client = Client::Create(config, absl::Seconds(1));
  ASSERT_TRUE(client.ok());
  const absl::Status status = (*client)->Get(maps_, "a").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

// ------------------------------------------------------------------------------------------------------
// leases

TEST_F(ClientTest, OneOfTwoHoldsALease) {
  kube::LeaseOptions options{.ns = ns_, .name = "leader", .identity = "one", .duration = absl::Seconds(60)};
  kube::Lease one(*client_, options);
  options.identity = "two";
  kube::Lease two(*client_, options);
  EXPECT_THAT(one.TryHold(), testing::Property(&absl::StatusOr<bool>::value, true));
  EXPECT_THAT(two.TryHold(), testing::Property(&absl::StatusOr<bool>::value, false));
  EXPECT_THAT(one.TryHold(), testing::Property(&absl::StatusOr<bool>::value, true));
  EXPECT_GT(one.held_until(), absl::Now());
  EXPECT_LT(two.held_until(), absl::Now());
  EXPECT_TRUE(two.Release().ok());
  EXPECT_THAT(two.TryHold(), testing::Property(&absl::StatusOr<bool>::value, false));
  EXPECT_TRUE(one.Release().ok());
  EXPECT_LT(one.held_until(), absl::Now());
  EXPECT_THAT(two.TryHold(), testing::Property(&absl::StatusOr<bool>::value, true));
  EXPECT_THAT(one.TryHold(), testing::Property(&absl::StatusOr<bool>::value, false));
}

TEST_F(ClientTest, ALeaseThatIsNotRenewedIsTaken) {
  kube::LeaseOptions options{.ns = ns_, .name = "leader", .identity = "one", .duration = absl::Seconds(1)};
  kube::Lease one(*client_, options);
  options.identity = "two";
  kube::Lease two(*client_, options);
  ASSERT_THAT(one.TryHold(), testing::Property(&absl::StatusOr<bool>::value, true));
  const absl::Time first_seen = absl::Now();
  EXPECT_TRUE(Eventually([&] { return two.TryHold().value_or(false); }));
  EXPECT_GE(absl::Now() - first_seen, absl::Seconds(1));
  EXPECT_THAT(one.TryHold(), testing::Property(&absl::StatusOr<bool>::value, false));
}

// ------------------------------------------------------------------------------------------------------
// events

TEST_F(ClientTest, AnEventThatRepeatsIsCountedUp) {
  const auto made = client_->Create(maps_, ConfigMap("a"));
  ASSERT_TRUE(made.ok()) << made.status();
  const kube::ObjectReference about = {"v1", "ConfigMap", ns_, "a", made->at("metadata").at("uid")};
  const Resource events = {.version = "v1", .plural = "events", .ns = ns_};
  kube::EventRecorder recorder(*client_);
  const kube::Event applied = {.reason = "Applied",
                               .message = "it is done",
                               .component = "records",
                               .annotations = {{"chaos-mesh.org/type", "applied"}}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(recorder.Record(about, applied).ok());
  const kube::Event failed = {.warning = true, .reason = "Failed", .message = std::string(5000, 'x')};
  EXPECT_TRUE(recorder.Record(about, failed).ok());
  const auto page = client_->List(events, Codec::Json(), {.field_selector = "involvedObject.name=a"});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->objects.size(), 2u);
  for (const kube::Object& object : page->objects) {
    const json event = json::parse(object.bytes);
    EXPECT_EQ(event.at("involvedObject").at("uid"), about.uid);
    if (event.at("reason") == "Applied") {
      EXPECT_EQ(event.at("count"), 3);
      EXPECT_EQ(event.at("type"), "Normal");
      EXPECT_EQ(event.at("source").at("component"), "records");
      EXPECT_EQ(event.at("metadata").at("annotations").at("chaos-mesh.org/type"), "applied");
    } else {
      EXPECT_EQ(event.at("type"), "Warning");
      EXPECT_EQ(event.at("message").get<std::string>().size(), 1024u);
    }
    // Somebody tidies up; the next one is written anew.
    EXPECT_TRUE(client_->Delete(events, event.at("metadata").at("name").get<std::string>()).ok());
  }
  EXPECT_TRUE(recorder.Record(about, applied).ok());
  EXPECT_EQ(client_->List(events, Codec::Json(), {})->objects.size(), 1u);
}

}  // namespace
}  // namespace sabot::test
