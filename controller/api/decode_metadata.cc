// SPDX-License-Identifier: Apache-2.0
#include "controller/api/decode.h"
#include "controller/api/names.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

// What a cluster puts there and nothing here needs.
constexpr std::string_view kIgnored[] = {
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
};

// The name that an object without one gets.
std::string GeneratedName(ObjectDecoder& metadata, std::string_view suffix) {
  std::string prefix;
  if (!metadata.String("generateName", &prefix)) return "";
  return StrCat(prefix, suffix);
}

void CheckNames(ObjectDecoder& metadata, const ObjectMeta& meta) {
  if (!IsDnsSubdomain(meta.name)) {
    metadata.Error(metadata.Has("name") ? "name" : "generateName",
                   StrCat("Invalid value: ", Quoted(meta.name), ": ", kDnsSubdomainRule));
  }
  if (!IsDnsLabel(meta.ns)) {
    metadata.Error("namespace", StrCat("Invalid value: ", Quoted(meta.ns), ": ", kDnsLabelRule));
  }
  if (meta.uid.size() > 128) metadata.Error("uid", "must be at most 128 bytes");
}

}  // namespace

ObjectMeta DecodeMetadata(ObjectDecoder& object, std::string_view generated_suffix) {
  ObjectMeta meta;
  meta.ns = "default";
  const YamlNode* node = object.Child("metadata", kRequired);
  if (node == nullptr) return meta;
  ObjectDecoder metadata(*node, object.PathOf("metadata"), object.context());
  metadata.String("namespace", &meta.ns, {.default_value = "default"});
  metadata.String("uid", &meta.uid);
  metadata.StringMap("labels", &meta.labels);
  metadata.StringMap("annotations", &meta.annotations);
  meta.name = GeneratedName(metadata, generated_suffix);
  const bool named = metadata.String("name", &meta.name, {.required = meta.name.empty()});
  if (named || !meta.name.empty()) CheckNames(metadata, meta);
  metadata.Ignore(kIgnored);
  metadata.Finish();
  return meta;
}

}  // namespace sabot::api
