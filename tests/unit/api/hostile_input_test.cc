// SPDX-License-Identifier: Apache-2.0
//
// Whatever is in a file: a clear error, soon.
#include <chrono>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The errors, and that they came within a time that no healthy parse needs (sanitizers included).
std::vector<std::string> QuickErrorsOf(std::string_view content) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> errors = ErrorsOf(content);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  return errors;
}

std::string Repeated(std::string_view text, size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(HostileInput, TooLarge) {
  EXPECT_THAT(QuickErrorsOf(std::string(100'000'000, 'x')),
              ElementsAre("file is too large: 100000000 bytes, the limit is 8388608"));
  EXPECT_THAT(QuickErrorsOf(std::string((8 << 20) + 1, ' ')),
              ElementsAre("file is too large: 8388609 bytes, the limit is 8388608"));
  EXPECT_THAT(QuickErrorsOf(std::string(8 << 20, ' ')), ElementsAre("there is no object in this file"));
}

TEST(HostileInput, Empty) {
  EXPECT_THAT(QuickErrorsOf(""), ElementsAre("there is no object in this file"));
  EXPECT_THAT(QuickErrorsOf("# only a comment\n---\n---\n"), ElementsAre("there is no object in this file"));
}

TEST(HostileInput, Binary) {
  EXPECT_THAT(QuickErrorsOf(std::string_view("\x7f"
                                             "ELF\2\1\1\0\0\0",
                                             10)),
              ElementsAre("not a text file: control byte 0x7f"));
  EXPECT_THAT(QuickErrorsOf(std::string(1 << 20, '\0')), ElementsAre("not a text file: control byte 0x00"));
  EXPECT_THAT(QuickErrorsOf("\xff\xfe\x61\x00"), ElementsAre("not a text file: byte 0xff is no UTF-8"));
  std::mt19937_64 rng(1);
  for (int i = 0; i < 200; ++i) {
    std::string noise(1 + rng() % 4096, '\0');
    for (char& c : noise) c = static_cast<char>(rng());
    EXPECT_FALSE(QuickErrorsOf(noise).empty());
  }
}

TEST(HostileInput, NulInAName) {
  EXPECT_THAT(QuickErrorsOf(NetworkChaosWith("device: \"eth\\0\"")),
              ElementsAre("a string contains a NUL character"));
}

TEST(HostileInput, AliasBomb) {
  // Nine levels of nine: 387 million values.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    StrAppend(bomb, "a", i, ": &a", i, " [", Repeated(StrCat("*a", i - 1, ", "), 9), "]\n");
  }
  EXPECT_THAT(QuickErrorsOf(bomb), ElementsAre("aliases expand to too many values, the limit is 1000000"));
}

TEST(HostileInput, MergeBomb) {
  std::string bomb = "base: &b {";
  for (int i = 0; i < 2000; ++i) StrAppend(bomb, "k", i, ": 1, ");
  bomb += "}\nlist:\n" + Repeated("- {<<: *b}\n", 100'000);
  EXPECT_THAT(QuickErrorsOf(bomb), ElementsAre(HasSubstr("too many values")));
}

TEST(HostileInput, DeepNesting) {
  EXPECT_THAT(QuickErrorsOf(std::string(100'000, '[')),
              ElementsAre("values are nested too deeply, the limit is 64"));
  EXPECT_THAT(QuickErrorsOf(Repeated("{a: ", 100'000)),
              ElementsAre("values are nested too deeply, the limit is 64"));
  EXPECT_THAT(QuickErrorsOf(std::string(8 << 20, '[')),
              ElementsAre("file has too many values, the limit is 1000000"));
  EXPECT_THAT(QuickErrorsOf(Repeated("- ", 4 << 20)),
              ElementsAre("values are nested too deeply, the limit is 64"));
  EXPECT_THAT(QuickErrorsOf(Repeated("? ", 4 << 20)),
              ElementsAre("values are nested too deeply, the limit is 64"));
  std::string stairs;
  for (int i = 0; i < 1000; ++i) stairs += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(QuickErrorsOf(stairs), ElementsAre("values are nested too deeply, the limit is 64"));
  // By aliases: each level one deeper than the one before.
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) StrAppend(chain, "a", i, ": &a", i, " [*a", i - 1, "]\n");
  EXPECT_THAT(QuickErrorsOf(chain), ElementsAre("values are nested too deeply, the limit is 64"));
}

TEST(HostileInput, DepthHasALimitNotAGuess) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_THAT(QuickErrorsOf(nested(64)), testing::Not(testing::Contains(HasSubstr("nested"))));
  EXPECT_THAT(QuickErrorsOf(nested(65)), testing::Contains(HasSubstr("nested too deeply")));
}

TEST(HostileInput, TooManyValues) {
  EXPECT_THAT(QuickErrorsOf(Repeated("- a\n", 2'000'000)),
              ElementsAre("file has too many values, the limit is 1000000"));
  EXPECT_THAT(QuickErrorsOf("[" + Repeated("a,", 4'000'000) + "]"),
              ElementsAre("file has too many values, the limit is 1000000"));
}

TEST(HostileInput, ManyDocuments) { EXPECT_FALSE(QuickErrorsOf(Repeated("---\na\n", 1'000'000)).empty()); }

TEST(HostileInput, ManyUnknownFields) {
  std::string text = "apiVersion: chaos-mesh.org/v1alpha1\nkind: NetworkChaos\nmetadata: {name: a}\nspec:\n";
  for (int i = 0; i < 300'000; ++i) StrAppend(text, "  field", i, ": x\n");
  EXPECT_LE(QuickErrorsOf(text).size(), 1001u);
}

// yaml-cpp finds empty documents there without end.
TEST(HostileInput, FlowCharactersOutsideOfCollections) {
  for (std::string_view text : {",", ",,,,x", "---\n,", "# x\n,\n"}) {
    EXPECT_THAT(QuickErrorsOf(text), testing::Contains("not valid YAML: unexpected character")) << text;
  }
}

TEST(HostileInput, LongLines) {
  EXPECT_FALSE(QuickErrorsOf(std::string(8 << 20, 'a')).empty());
  EXPECT_FALSE(QuickErrorsOf("a: \"" + std::string(4 << 20, 'x')).empty());
  EXPECT_FALSE(QuickErrorsOf(Repeated("a\n", 4 << 20)).empty());
  EXPECT_FALSE(QuickErrorsOf("a: |\n" + Repeated(" b\n", 2 << 20)).empty());
  EXPECT_FALSE(QuickErrorsOf(Repeated("\n", 8 << 20)).empty());
  EXPECT_FALSE(QuickErrorsOf(Repeated("&a ", 2 << 20)).empty());
  EXPECT_FALSE(QuickErrorsOf(Repeated("!a ", 2 << 20)).empty());
  EXPECT_FALSE(QuickErrorsOf(Repeated("%", 8 << 20)).empty());
  EXPECT_FALSE(QuickErrorsOf(Repeated("%TAG ! !\n", 900'000)).empty());
}

TEST(HostileInput, HugeNumbers) {
  const std::string digits(100'000, '9');
  EXPECT_THAT(QuickErrorsOf(NetworkChaosWith("value: " + digits + "\nmode: fixed")),
              ElementsAre(HasSubstr("value")));
  EXPECT_THAT(QuickErrorsOf(NetworkChaosWith("loss: {loss: \"" + digits + "\"}")),
              ElementsAre(HasSubstr("value out of range")));
  EXPECT_THAT(QuickErrorsOf(NetworkChaosWith("duration: " + digits + "s")),
              ElementsAre(HasSubstr("invalid duration")));
  EXPECT_THAT(QuickErrorsOf(NetworkChaosWith("delay: {latency: " + digits + "ms}")),
              ElementsAre(HasSubstr("invalid duration")));
  EXPECT_THAT(QuickErrorsOf(NetworkChaosWith("bandwidth: {rate: 1mbps, buffer: 1, limit: " + digits + "}")),
              ElementsAre("spec.bandwidth.limit: must be an integer, got a string"));
}

TEST(HostileInput, MessagesStayShort) {
  const Manifests manifests =
      ParseManifests(NetworkChaosWith("duration: " + std::string(1 << 20, 'x')), std::string(100, 'f'));
  for (const Problem& problem : manifests.problems) EXPECT_LT(ToString(problem).size(), 3000u);
}

}  // namespace
}  // namespace sabot::api
