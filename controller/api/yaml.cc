// SPDX-License-Identifier: Apache-2.0
#include "controller/api/yaml.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "controller/api/str_cat.h"
#include "controller/api/text_check.h"
#include "controller/api/yaml_builder.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace sabot::api {
namespace {

Position At(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Hands yaml-cpp's events on to the builder. The parser has no way to be stopped other than an exception; its
// own is used, so that there is one place and one type to catch.
class Events : public YAML::EventHandler {
 public:
  // `last_start`: offset of the document before this one, -1 for none; set to this one's.
  Events(YamlBuilder& builder, int& last_start) : builder_(builder), last_start_(last_start) {}

  // A token that cannot stand outside a collection, as in "a, b", makes yaml-cpp 0.7 find empty documents
  // there for ever.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == std::exchange(last_start_, mark.pos))
      throw YAML::ParserException(mark, "unexpected character");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, builder_.Null(At(mark), anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, builder_.Alias(At(mark), anchor));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Check(mark, builder_.Scalar(At(mark), tag, anchor, value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Check(mark, builder_.BeginList(At(mark), tag, anchor));
  }
  void OnSequenceEnd() override { Check(YAML::Mark::null_mark(), builder_.End()); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Check(mark, builder_.BeginMap(At(mark), tag, anchor));
  }
  void OnMapEnd() override { Check(YAML::Mark::null_mark(), builder_.End()); }

 private:
  static void Check(const YAML::Mark& mark, bool go_on) {
    if (!go_on) throw YAML::ParserException(mark, "stopped");
  }

  YamlBuilder& builder_;
  int& last_start_;
};

// yaml-cpp reads a flow collection to its end before it tells of it, at some 200 bytes for each of these
// characters (measured: 1.9 GB for 8 MiB of '['). As many of them as there may be values mean too many
// values, or a text that is none of ours.
bool HasTooManyFlowTokens(std::string_view content) {
  const auto count =
      std::count_if(content.begin(), content.end(), [](char c) { return c == '[' || c == '{' || c == ','; });
  return static_cast<size_t>(count) > kMaxYamlValues;
}

// One document into `file`; false when there are no more or the rest cannot be read.
bool NextDocument(YAML::Parser& parser, int& last_start, YamlFile& file, Report& report) {
  YamlBuilder builder(file, report);
  Events events(builder, last_start);
  try {
    if (!parser.HandleNextDocument(events)) return false;
  } catch (const YAML::Exception& error) {
    // What the builder stopped for is in the report already.
    if (!builder.stopped()) report.Error(At(error.mark), "", StrCat("not valid YAML: ", error.msg));
    return false;
  } catch (const std::exception& error) {
    report.Error({}, "", StrCat("not valid YAML: ", error.what()));
    return false;
  }
  builder.Finish();
  return true;
}

}  // namespace

std::string_view KindName(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kBool:
      return "a boolean";
    case YamlNode::Kind::kInt:
      return "an integer";
    case YamlNode::Kind::kFloat:
      return "a number";
    case YamlNode::Kind::kString:
      return "a string";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

YamlFile ParseYaml(std::string_view content, Report& report) {
  YamlFile file;
  if (content.size() > kMaxYamlBytes) {
    report.Error({}, "",
                 StrCat("file is too large: ", content.size(), " bytes, the limit is ", kMaxYamlBytes));
    return file;
  }
  if (const auto rubbish = FindNonText(content)) {
    report.Error(rubbish->at, "", rubbish->message);
    return file;
  }
  if (HasTooManyFlowTokens(content)) {
    report.Error({}, "", StrCat("file has too many values, the limit is ", kMaxYamlValues));
    return file;
  }
  std::istringstream stream{std::string(content)};
  try {
    YAML::Parser parser(stream);
    int last_start = -1;
    while (NextDocument(parser, last_start, file, report)) {
    }
  } catch (const std::exception& error) {
    report.Error({}, "", StrCat("not valid YAML: ", error.what()));
  }
  return file;
}

}  // namespace sabot::api
