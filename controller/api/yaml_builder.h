// SPDX-License-Identifier: Apache-2.0
//
// Builds the tree of one YAML document from parser events, within bounds. Knows nothing of the parser.
#ifndef SABOT_CONTROLLER_API_YAML_BUILDER_H_
#define SABOT_CONTROLLER_API_YAML_BUILDER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "controller/api/report.h"
#include "controller/api/yaml.h"

namespace sabot::api {

class YamlBuilder {
 public:
  // Both must outlive the builder.
  YamlBuilder(YamlFile& file, Report& report)
      : file_(file), report_(report), errors_before_(report.errors()) {}

  // One per event, in the parser's order. False: a bound is passed or the document makes no sense, the reason
  // is in the report, and no more events may come. An anchor of 0 is none.
  bool Null(Position at, size_t anchor);
  bool Scalar(Position at, std::string_view tag, size_t anchor, std::string_view text);
  bool Alias(Position at, size_t anchor);
  bool BeginList(Position at, std::string_view tag, size_t anchor);
  bool BeginMap(Position at, std::string_view tag, size_t anchor);
  bool End();

  // The document has ended: adds it to the file unless it is empty.
  void Finish();

  bool stopped() const { return stopped_; }

 private:
  // How much a node is with all below it, aliases followed.
  struct Extent {
    size_t values = 1;
    int depth = 1;
    bool open = false;  // its end has not come yet
  };
  struct Frame {
    YamlNode* node;
    size_t anchor;
    const YamlNode* key = nullptr;  // of a map: waiting for its value
    Extent extent;
  };

  bool Stop(Position at, std::string_view message);
  // A new node of the file; nullptr when there are too many.
  YamlNode* NewNode(Position at, YamlNode::Kind kind, size_t anchor);
  bool Begin(Position at, YamlNode::Kind kind, std::string_view tag, size_t anchor);
  // Puts a finished node where it belongs: as key, value, item or document.
  bool Place(const YamlNode* node, Position at, Extent extent);
  bool PlaceInMap(Frame& frame, const YamlNode* node, Position at);
  // What a finished map needs: merge keys replaced by what they refer to, then no key twice.
  bool ResolveMerges(YamlNode& map);
  void CheckKeys(const YamlNode& map);

  YamlFile& file_;
  Report& report_;
  const size_t errors_before_;
  std::vector<Frame> open_;
  const YamlNode* root_ = nullptr;
  absl::flat_hash_map<size_t, const YamlNode*> anchors_;
  absl::flat_hash_map<const YamlNode*, Extent> extents_;  // of the anchored nodes
  size_t merged_ = 0;
  bool stopped_ = false;
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_YAML_BUILDER_H_
