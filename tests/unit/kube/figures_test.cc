// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>

#include "controller/kube/codec.h"
#include "controller/kube/store.h"
#include "k8s/v1.pb.h"

namespace sabot::kube {
namespace {

namespace pb = k8s::v1;

// A pod as clusters have them: with the fields that are dropped, it comes to some kilobytes.
pb::Pod OrdinaryPod(int i) {
  const std::string number = std::to_string(i);
  pb::Pod pod;
  pod.mutable_metadata()->set_name("checkout-service-7d9c6b8f5-" + number);
  pod.mutable_metadata()->set_namespace_("team-" + std::to_string(i % 100));
  pod.mutable_metadata()->set_uid("0b9a4d62-5c1e-4e0c-9a51-" + std::to_string(100000000000 + i));
  pod.mutable_metadata()->set_resource_version(std::to_string(100000 + i));
  pod.mutable_metadata()->mutable_creation_timestamp()->set_seconds(1700000000);
  (*pod.mutable_metadata()->mutable_labels())["app"] = "checkout-service";
  (*pod.mutable_metadata()->mutable_labels())["pod-template-hash"] = "7d9c6b8f5";
  auto* owner = pod.mutable_metadata()->add_owner_references();
  owner->set_kind("ReplicaSet");
  owner->set_name("checkout-service-7d9c6b8f5");
  pod.mutable_spec()->set_node_name("node-" + std::to_string(i % 5000));
  pod.mutable_spec()->add_containers()->set_name("main");
  pod.mutable_status()->set_phase("Running");
  pod.mutable_status()->set_pod_ip("10.1.2.3");
  pod.mutable_status()->add_pod_ips()->set_ip("10.1.2.3");
  auto* status = pod.mutable_status()->add_container_statuses();
  status->set_name("main");
  status->set_container_id("containerd://" + std::string(64, 'a'));
  return pod;
}

size_t BytesInUse() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

TEST(Figures, MemoryPerWatchedPod) {
  constexpr int kCount = 150'000;
  const size_t before = BytesInUse();
  Store store({{"node",
                [](const Object& object) {
                  pb::Pod pod;
                  EXPECT_TRUE(pod.ParseFromString(object.bytes));
                  return std::vector<std::string>{pod.spec().node_name()};
                }},
               {"namespace", [](const Object& object) {
                  return std::vector<std::string>{object.key.substr(0, object.key.find('/'))};
                }}});
  const Codec codec = Codec::Protobuf(pb::Pod::default_instance());
  for (int i = 0; i < kCount; ++i) {
    pb::AnyList list;
    list.add_items(OrdinaryPod(i).SerializeAsString());
    pb::Unknown unknown;
    unknown.set_raw(list.SerializeAsString());
    auto page = codec.DecodeList(std::string("k8s\0", 4) + unknown.SerializeAsString());
    ASSERT_TRUE(page.ok()) << page.status();
    store.Put(std::move(page->objects[0]));
  }
  ASSERT_EQ(store.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(store.Keys("node", "node-77").size(), 30u);
  const size_t per_pod = (BytesInUse() - before) / kCount;
  RecordProperty("bytes_per_pod", static_cast<int>(per_pod));
  printf("memory per watched pod: %zu bytes\n", per_pod);
  EXPECT_LE(per_pod, 600u);
}

}  // namespace
}  // namespace sabot::kube
