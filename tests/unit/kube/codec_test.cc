// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace sabot::kube
