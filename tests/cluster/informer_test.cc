// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/synchronization/mutex.h"
#include "controller/kube/informer.h"
#include "k8s/v1.pb.h"
#include "tests/cluster/cluster.h"

namespace sabot::test {
namespace {

using kube::Codec;
using kube::Informer;
using kube::Object;
using kube::Resource;
using kube::Store;
using nlohmann::json;

json ConfigMap(const std::string& name, const std::string& value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}}},
          {"data", {{"key", value}}}};
}

// What the callback has said, checked as it comes: nothing is added twice or changed before it is there.
class Mirror {
 public:
  void operator()(Store::Change change, const Object& object) {
    absl::MutexLock lock(&mutex_);
    const bool there = keys_.contains(object.key);
    if ((change == Store::Change::kAdded) == there) ++mistakes_;
    if (change == Store::Change::kDeleted) {
      keys_.erase(object.key);
      deleted_.insert(object.key);
    } else {
      keys_.insert(object.key);
    }
  }
  std::set<std::string> keys() {
    absl::MutexLock lock(&mutex_);
    return keys_;
  }
  bool deleted(const std::string& key) {
    absl::MutexLock lock(&mutex_);
    return deleted_.contains(key);
  }
  int mistakes() {
    absl::MutexLock lock(&mutex_);
    return mistakes_;
  }

 private:
  absl::Mutex mutex_;
  std::set<std::string> keys_, deleted_;
  int mistakes_ = 0;
};

// With WatchList and with pages.
class InformerTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    client_ = ConnectedClient();
    ASSERT_NE(client_, nullptr);
    ns_ = TestNamespace(*client_).name();
    maps_ = {.version = "v1", .plural = "configmaps", .ns = ns_};
  }

  kube::InformerOptions Options() {
    kube::InformerOptions options;
    options.resource = maps_;
    options.watch_list = GetParam();
    options.page_size = 3;
    options.longest_wait = absl::Seconds(1);
    options.on_change = [this](Store::Change change, const Object& object) { mirror_(change, object); };
    return options;
  }
  std::string Key(const std::string& name) { return ns_ + "/" + name; }
  void Make(const std::string& name, const std::string& value = "1") {
    const auto made = client_->Create(maps_, ConfigMap(name, value));
    ASSERT_TRUE(made.ok()) << made.status();
  }
  static std::string ValueOf(const Informer& informer, const std::string& key) {
    const auto bytes = informer.Find(key);
    return bytes ? json::parse(*bytes).at("data").value("key", "") : "";
  }

  std::unique_ptr<kube::Client> client_;
  std::string ns_;
  Resource maps_;
  Mirror mirror_;
};

INSTANTIATE_TEST_SUITE_P(Ways, InformerTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "WatchList" : "Pages"; });

TEST_P(InformerTest, SeesWhatIsThereAndWhatChanges) {
  for (int i = 0; i < 10; ++i) Make("m" + std::to_string(i));
  Informer informer(*client_, Options());
  ASSERT_TRUE(informer.WaitForSync(absl::Seconds(30)));
  EXPECT_EQ(informer.size(), 10u);
  Make("new");
  EXPECT_TRUE(Eventually([&] { return informer.Find(Key("new")).has_value(); }));
  ASSERT_TRUE(client_->Patch(maps_, "new", kube::PatchType::kMerge, {{"data", {{"key", "2"}}}}).ok());
  EXPECT_TRUE(Eventually([&] { return ValueOf(informer, Key("new")) == "2"; }));
  ASSERT_TRUE(client_->Delete(maps_, "m3").ok());
  EXPECT_TRUE(Eventually([&] { return mirror_.deleted(Key("m3")); }));
  EXPECT_FALSE(informer.Find(Key("m3")).has_value());
  EXPECT_EQ(mirror_.keys().size(), 10u);
  EXPECT_EQ(mirror_.mistakes(), 0);
  EXPECT_EQ(informer.stats().lists, 1);
  EXPECT_EQ(informer.stats().pages, GetParam() ? 0 : 4);
  EXPECT_TRUE(informer.stats().last_error.ok()) << informer.stats().last_error;
}

TEST_P(InformerTest, FindsPodsByNodeNamespaceAndLabel) {
  const Resource pods = {.version = "v1", .plural = "pods", .ns = ns_};
  for (int i = 0; i < 4; ++i) {
    const auto made = client_->Create(
        pods, {{"apiVersion", "v1"},
               {"kind", "Pod"},
               {"metadata", {{"name", "p" + std::to_string(i)}, {"labels", {{"app", i < 3 ? "web" : "db"}}}}},
               {"spec",
                {{"nodeName", i % 2 ? "odd" : "even"}, {"containers", {{{"name", "c"}, {"image", "i"}}}}}}});
    ASSERT_TRUE(made.ok()) << made.status();
  }
  const auto pod_of = [](const Object& object) {
    k8s::v1::Pod pod;
    EXPECT_TRUE(pod.ParseFromString(object.bytes));
    return pod;
  };
  kube::InformerOptions options = Options();
  options.resource = pods;
  options.codec = Codec::Protobuf(k8s::v1::Pod::default_instance());
  options.indexers["node"] = [&](const Object& object) {
    return std::vector<std::string>{pod_of(object).spec().node_name()};
  };
  options.indexers["namespace"] = [&](const Object& object) {
    return std::vector<std::string>{pod_of(object).metadata().namespace_()};
  };
  options.indexers["label"] = [&](const Object& object) {
    std::vector<std::string> labels;
    const k8s::v1::Pod pod = pod_of(object);
    for (const auto& [key, value] : pod.metadata().labels()) labels.push_back(key + "=" + value);
    return labels;
  };
  Informer informer(*client_, options);
  ASSERT_TRUE(informer.WaitForSync(absl::Seconds(30)));
  EXPECT_THAT(informer.Keys("node", "odd"), testing::ElementsAre(Key("p1"), Key("p3")));
  EXPECT_EQ(informer.Keys("namespace", ns_).size(), 4u);
  EXPECT_THAT(informer.Keys("label", "app=db"), testing::ElementsAre(Key("p3")));
  const json labels = {{"metadata", {{"labels", {{"app", "db"}}}}}};
  ASSERT_TRUE(client_->Patch(pods, "p0", kube::PatchType::kMerge, labels).ok());
  EXPECT_TRUE(Eventually([&] { return informer.Keys("label", "app=db").size() == 2; }));
  EXPECT_THAT(informer.Keys("label", "app=web"), testing::ElementsAre(Key("p1"), Key("p2")));
  EXPECT_THAT(informer.Keys("no such index", "x"), testing::IsEmpty());
}

TEST_P(InformerTest, GoesOnAfterTheServerWasKilled) {
  Make("before");
  Informer informer(*client_, Options());
  ASSERT_TRUE(informer.WaitForSync(absl::Seconds(30)));
  { ApiServerOutage outage; }
  Make("after");
  ASSERT_TRUE(client_->Delete(maps_, "before").ok());
  EXPECT_TRUE(Eventually([&] { return informer.Find(Key("after")) && !informer.Find(Key("before")); }));
  EXPECT_TRUE(Eventually([&] { return mirror_.deleted(Key("before")); }));
  EXPECT_EQ(mirror_.mistakes(), 0);
}

// While nobody looks, an object goes, and the server forgets everything up to now.
TEST_P(InformerTest, ListsAgainWhenItsPlaceIsForgotten) {
  Make("stays");
  Make("goes");
  Informer informer(*client_, Options());
  ASSERT_TRUE(informer.WaitForSync(absl::Seconds(30)));
  {
    ApiServerOutage outage;
    const auto base64 = [](const std::string& text) { return absl::Base64Escape(text); };
    CallEtcd("kv/deleterange", R"({"key":")" + base64("/registry/configmaps/" + Key("goes")) + "\"}");
    std::string answer;
    for (int i = 0; i < 10; ++i) {
      answer = CallEtcd("kv/put", R"({"key":")" + base64("/sabot-test") + R"(","value":"eA=="})");
    }
    const std::string revision = json::parse(answer).at("header").at("revision");
    CallEtcd("kv/compaction", R"({"revision":")" + revision + R"(","physical":true})");
  }
  EXPECT_TRUE(Eventually([&] { return mirror_.deleted(Key("goes")); }));
  EXPECT_EQ(informer.Keys(), std::vector<std::string>{Key("stays")});
  Make("new");
  EXPECT_TRUE(Eventually([&] { return informer.Find(Key("new")).has_value(); }));
  EXPECT_GE(informer.stats().lists, 2);
  EXPECT_EQ(mirror_.mistakes(), 0);
}

// Connections of this process to the API server.
int Connections() {
  std::set<std::string> ours;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    ours.insert(std::filesystem::read_symlink(entry.path(), gone).string());
  }
  constexpr std::string_view kPort = ":192B";  // 6443
  constexpr std::string_view kEstablished = "01";
  std::ifstream table("/proc/self/net/tcp");
  std::string line;
  int count = 0;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    count += remote.ends_with(kPort) && state == kEstablished && ours.contains("socket:[" + inode + "]");
  }
  return count;
}

TEST_P(InformerTest, WatchesAndCallsShareOneConnection) {
  std::vector<std::unique_ptr<Informer>> informers;
  for (const char* plural : {"configmaps", "secrets", "pods", "services"}) {
    kube::InformerOptions options = Options();
    options.resource.plural = plural;
    options.on_change = nullptr;
    informers.push_back(std::make_unique<Informer>(*client_, options));
  }
  for (const auto& informer : informers) ASSERT_TRUE(informer->WaitForSync(absl::Seconds(30)));
  for (int i = 0; i < 5; ++i) Make("m" + std::to_string(i));
  EXPECT_TRUE(Eventually([&] { return informers[0]->size() == 5; }));
  EXPECT_EQ(Connections(), 1);
}

TEST_P(InformerTest, EndsAtOnce) {
  auto informer = std::make_unique<Informer>(*client_, Options());
  ASSERT_TRUE(informer->WaitForSync(absl::Seconds(30)));
  const absl::Time begin = absl::Now();
  informer.reset();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace sabot::test
