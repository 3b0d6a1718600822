// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <nlohmann/json.hpp>

#include "controller/kube/store.h"
#include "k8s/v1.pb.h"

namespace sabot::kube {
namespace {

namespace pb = k8s::v1;

const Codec kPods = Codec::Protobuf(pb::Pod::default_instance());

std::string Wrapped(const google::protobuf::Message& message) {
  pb::Unknown unknown;
  unknown.set_raw(message.SerializeAsString());
  return std::string("k8s\0", 4) + unknown.SerializeAsString();
}

std::string Framed(const std::string& type, const google::protobuf::Message& object) {
  pb::WatchEvent event;
  event.set_type(type);
  event.mutable_object()->set_raw(Wrapped(object));
  const std::string bytes = event.SerializeAsString();
  const uint32_t size = bytes.size();
  return std::string{static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8), static_cast<char>(size)} +
         bytes;
}

pb::Pod PodNamed(const std::string& name) {
  pb::Pod pod;
  pod.mutable_metadata()->set_name(name);
  pod.mutable_metadata()->set_namespace_("n");
  pod.mutable_metadata()->set_resource_version("5");
  return pod;
}

TEST(Codec, KeepsWhatIsDeclaredAndDropsTheRest) {
  pb::Pod pod = PodNamed("a");
  const std::string declared = pod.SerializeAsString();
  // Field 999, as a later version of Kubernetes could have it.
  pod.GetReflection()->MutableUnknownFields(&pod)->AddLengthDelimited(999, std::string(1000, 'x'));
  pb::AnyList list;
  list.mutable_metadata()->set_resource_version("9");
  list.mutable_metadata()->set_continue_("more");
  list.add_items(pod.SerializeAsString());
  const auto page = kPods.DecodeList(Wrapped(list));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->resource_version, "9");
  EXPECT_EQ(page->continue_token, "more");
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "n/a");
  EXPECT_EQ(page->objects[0].bytes, declared);
}

TEST(Codec, KeepsUnknownFieldsOfCustomResources) {
  const auto event = Codec::Json().DecodeEvent(
      R"({"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"3"},"spec":{"new":[1,{"x":null}]}}})");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->type, WatchEvent::Type::kModified);
  EXPECT_EQ(event->object.key, "a");
  EXPECT_EQ(nlohmann::json::parse(event->object.bytes).at("spec").dump(), R"({"new":[1,{"x":null}]})");
}

TEST(Codec, KnowsTheBookmarkAtTheEndOfTheFirstObjects) {
  pb::Pod pod;
  pod.mutable_metadata()->set_resource_version("8");
  (*pod.mutable_metadata()->mutable_annotations())["k8s.io/initial-events-end"] = "true";
  FrameReader frames(true);
  int events = 0;
  const std::string bytes = Framed("ADDED", PodNamed("a")) + Framed("BOOKMARK", pod);
  // Byte by byte, as a slow network could bring it.
  for (const char byte : bytes) {
    ASSERT_TRUE(frames
                    .Feed({&byte, 1},
                          [&](std::string_view frame) {
                            const auto event = kPods.DecodeEvent(frame);
                            EXPECT_TRUE(event.ok()) << event.status();
                            EXPECT_EQ(event->initial_events_end, events == 1);
                            EXPECT_EQ(event->resource_version, events == 1 ? "8" : "5");
                            ++events;
                            return absl::OkStatus();
                          })
                    .ok());
  }
  EXPECT_EQ(events, 2);
  EXPECT_TRUE(frames.Finish().ok());
}

TEST(Codec, AnErrorIsAStatus) {
  pb::Status status;
  status.set_code(410);
  status.set_reason("Expired");
  status.set_message("too old");
  pb::WatchEvent event;
  event.set_type("ERROR");
  event.mutable_object()->set_raw(Wrapped(status));
  const absl::Status decoded = kPods.DecodeEvent(event.SerializeAsString()).status();
  EXPECT_TRUE(absl::IsOutOfRange(decoded)) << decoded;
  EXPECT_TRUE(absl::IsOutOfRange(StatusOf(410, "{}")));
  EXPECT_TRUE(absl::IsAlreadyExists(StatusOf(409, R"({"reason":"AlreadyExists"})")));
  EXPECT_TRUE(absl::IsAborted(StatusOf(409, R"({"reason":"Conflict"})")));
  EXPECT_TRUE(absl::IsUnavailable(StatusOf(500, "<html>")));
  EXPECT_TRUE(absl::IsResourceExhausted(StatusOf(429, "")));
}

TEST(Codec, BrokenBytesAreAnError) {
  for (const std::string& bytes : {std::string(), std::string("k8s"), std::string("k8s\0\xff\xff", 6),
                                   std::string("{}"), std::string(100, '\xff')}) {
    EXPECT_TRUE(absl::IsDataLoss(kPods.DecodeList(bytes).status()));
    EXPECT_FALSE(kPods.DecodeEvent(bytes).ok());
  }
  pb::AnyList list;
  list.add_items("\xff\xff");
  EXPECT_TRUE(absl::IsDataLoss(kPods.DecodeList(Wrapped(list)).status()));
  list.set_items(0, "");
  EXPECT_TRUE(absl::IsDataLoss(kPods.DecodeList(Wrapped(list)).status())) << "an object without a name";
}

TEST(FrameReader, AFrameThatClaimsTooMuchEndsTheWatch) {
  FrameReader frames(true);
  EXPECT_TRUE(
      absl::IsDataLoss(frames.Feed("\xff\xff\xff\xff", [](std::string_view) { return absl::OkStatus(); })));
}

TEST(FrameReader, AStreamThatEndsWithinAFrameIsAnError) {
  FrameReader frames(false);
  EXPECT_TRUE(frames.Feed("{}\n{", [](std::string_view) { return absl::OkStatus(); }).ok());
  EXPECT_TRUE(absl::IsUnavailable(frames.Finish()));
}

// A pod as clusters have them: with the fields that are dropped, it comes to some kilobytes.
pb::Pod OrdinaryPod(int i) {
  const std::string number = std::to_string(i);
  pb::Pod pod = PodNamed("checkout-service-7d9c6b8f5-" + number);
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

// The memory of a sanitizer says nothing.
#ifndef __SANITIZE_ADDRESS__
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#endif
#ifndef __SANITIZE_ADDRESS__
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
  FrameReader frames(true);
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(frames
                    .Feed(Framed("ADDED", OrdinaryPod(i)),
                          [&](std::string_view frame) -> absl::Status {
                            auto event = kPods.DecodeEvent(frame);
                            if (event.ok()) store.Put(std::move(event->object));
                            return event.status();
                          })
                    .ok());
  }
  ASSERT_EQ(store.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(store.Keys("node", "node-77").size(), 30u);
  const size_t per_pod = (BytesInUse() - before) / kCount;
  RecordProperty("bytes_per_pod", static_cast<int>(per_pod));
  printf("memory per watched pod: %zu bytes\n", per_pod);
  EXPECT_LE(per_pod, 600u);
}
#endif

}  // namespace
}  // namespace sabot::kube
