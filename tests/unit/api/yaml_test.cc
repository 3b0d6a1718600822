// SPDX-License-Identifier: Apache-2.0
#include "controller/api/yaml.h"

#include <string>

#include "controller/api/yaml_scalar.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabot::api {
namespace {

using Kind = YamlNode::Kind;

// What one text comes to.
struct Parsed {
  explicit Parsed(std::string_view text)
      : report("t"), file(ParseYaml(text, report)), problems(report.Take()) {}

  const YamlNode& root() const { return *file.documents.at(0).root; }
  const YamlNode* Get(std::string_view key) const {
    for (const YamlEntry& entry : root().children) {
      if (entry.key->text == key) return entry.value;
    }
    return nullptr;
  }
  std::string Message() const { return problems.empty() ? "" : ToString(problems[0]); }

  Report report;
  YamlFile file;
  std::vector<Problem> problems;
};

TEST(YamlScalar, IsTypedAsKubernetesToolsDoIt) {
  const struct {
    Kind kind;
    std::vector<std::string_view> texts;
  } kCases[] = {
      {Kind::kNull, {"", "~", "null", "Null", "NULL"}},
      {Kind::kBool, {"true", "False", "yes", "NO", "on", "Off", "y", "N"}},
      {Kind::kInt, {"0", "1", "-1", "+12", "0x1F", "0o17", "0b101", "017", "1_000", "9223372036854775807"}},
      {Kind::kFloat,
       {"1.5", "-.5", "5.", "1e3", "1.0", ".inf", "-.INF", ".nan", "9223372036854775808", "089"}},
      {Kind::kString,
       {"a", "10ms", "1h", "2001-01-01", "1:30", "0x", "0xg", "1.2.3", "-", "+", ".", "1e", "truE", "nUll",
        "_1", "--1", "10.0.0.0/8", "<<"}},
  };
  for (const auto& one : kCases) {
    for (std::string_view text : one.texts) {
      EXPECT_EQ(KindName(PlainScalarKind(text)), KindName(one.kind)) << '"' << text << '"';
    }
  }
}

TEST(YamlScalar, IntegersKeepTheirValue) {
  EXPECT_EQ(YamlInt("0x1F"), 31);
  EXPECT_EQ(YamlInt("017"), 15);
  EXPECT_EQ(YamlInt("-0b11"), -3);
  EXPECT_EQ(YamlInt("1_000"), 1000);
  EXPECT_EQ(YamlInt("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(YamlInt("9223372036854775808"), std::nullopt);
  EXPECT_EQ(YamlInt("0x-1"), std::nullopt);
}

TEST(Yaml, QuotesMakeStrings) {
  const Parsed parsed("a: \"1\"\nb: 'true'\nc: !!str 5\nd: 1\ne: |\n  2\n");
  for (const char* key : {"a", "b", "c", "e"}) EXPECT_EQ(parsed.Get(key)->kind, Kind::kString) << key;
  EXPECT_EQ(parsed.Get("d")->kind, Kind::kInt);
}

TEST(Yaml, KnowsThePlaces) {
  const Parsed parsed("a: 1\nb:\n  - x\n  -   y\n");
  EXPECT_EQ(parsed.root().children[1].key->at.line, 2);
  EXPECT_EQ(parsed.Get("b")->children[1].value->at.line, 4);
  EXPECT_EQ(parsed.Get("b")->children[1].value->at.column, 7);
}

TEST(Yaml, ReadsSeveralDocumentsAndSkipsEmptyOnes) {
  const Parsed parsed("# nothing\n---\na: 1\n---\n---\nb: 2\n...\n");
  EXPECT_EQ(parsed.file.documents.size(), 2u);
  EXPECT_TRUE(parsed.problems.empty()) << parsed.Message();
}

TEST(Yaml, ReadsJson) {
  const Parsed parsed(R"({"a": {"b": ["c", 1, true, null]}})");
  EXPECT_EQ(parsed.Get("a")->children[0].value->children.size(), 4u);
}

TEST(Yaml, KeepsTheDocumentsBeforeASyntaxError) {
  const Parsed parsed("a: 1\n---\nb: [1\n");
  EXPECT_EQ(parsed.file.documents.size(), 1u);
  EXPECT_THAT(parsed.Message(), testing::StartsWith("t:"));
  EXPECT_THAT(parsed.Message(), testing::HasSubstr("not valid YAML: "));
}

TEST(Yaml, SaysWhichKeyIsThereTwice) {
  const Parsed parsed("a: 1\nb: 2\na: 3\n");
  EXPECT_EQ(parsed.Message(), "t:3: key \"a\" is given twice");
  EXPECT_FALSE(parsed.file.documents.at(0).sound);
}

TEST(Yaml, FollowsAliases) {
  const Parsed parsed("a: &x {k: v}\nb: *x\n");
  EXPECT_EQ(parsed.Get("b"), parsed.Get("a"));
}

TEST(Yaml, ResolvesMergeKeys) {
  const Parsed parsed("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.Message();
  std::string got;
  for (const YamlEntry& entry : parsed.Get("z")->children) got += entry.key->text + entry.value->text + " ";
  EXPECT_EQ(got, "a0 b1 c2 ");
}

TEST(Yaml, RefusesWhatMakesNoSense) {
  const struct {
    std::string_view text;
    std::string_view message;
  } kCases[] = {
      {"a: *nobody", "not valid YAML: "},
      {"a: &x [*x]", "alias of a value that contains it"},
      {"a: &x {b: *x}", "alias of a value that contains it"},
      {"? [1, 2]\n: x", "the key of a map must be a scalar"},
      {"a: !!binary aGk=", "tag \"tag:yaml.org,2002:binary\" is not supported here"},
      {"a: !mine x", "tag \"!mine\" is not supported here"},
      {"a: !!set {x, y}", "is not supported here"},
      {"<<: 5", "a merge key (<<) must refer to a map or a list of maps"},
      {"a: \"\\0\"", "a string contains a NUL character"},
      {"a: b: c", "not valid YAML: "},
      {"\t- x", "not valid YAML: "},
      {"a: 'x", "not valid YAML: "},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(Parsed(one.text).Message(), testing::HasSubstr(one.message)) << one.text;
  }
}

}  // namespace
}  // namespace sabot::api
