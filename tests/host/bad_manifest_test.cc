// SPDX-License-Identifier: Apache-2.0
//
// Bad manifests: each a clear error that names file and place, exit code 2, and nothing touched.
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/host/cli_fixture.h"

namespace sabot::test {
namespace {

// A good manifest with one change.
struct BadManifest {
  const char* name;
  const char* old_text;  // in the good manifest
  const char* new_text;
  std::vector<std::string> words;  // that the message must have, besides the file's name
  // Upstream's admission lets it pass, and so must ours: `validate` only warns, `run` and `plan` refuse.
  bool admitted = false;
};

class BadManifestTest : public CliTest, public testing::WithParamInterface<BadManifest> {};

TEST_P(BadManifestTest, IsRefusedByRunPlanAndValidate) {
  std::string good = Chaos().Yaml();
  ASSERT_NE(good.find(GetParam().old_text), std::string::npos) << "the change does not apply to:\n" << good;
  std::string path =
      Write("bad.yaml", absl::StrReplaceAll(good, {{GetParam().old_text, GetParam().new_text}}));
  std::vector<std::string> words = GetParam().words;
  words.emplace_back("bad.yaml");
  ExpectRefusal(RunFile(path), 2, words);
  ExpectRefusal(cli_.Run({"plan", path, "--target", Target()}), 2, words);
  ExpectRefusal(cli_.Run({"validate", path}), GetParam().admitted ? 0 : 2, words);
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadManifestTest,
    testing::Values(
        BadManifest{"UnknownKind", "kind: NetworkChaos", "kind: NetworkChoas", {"NetworkChoas"}},
        BadManifest{"UnknownApiVersion", "chaos-mesh.org/v1alpha1", "chaos-mesh.org/v9", {"v9"}},
        BadManifest{"NoKind", "kind: NetworkChaos\n", "", {"kind"}},
        BadManifest{"NoName", "  name: cut-the-peer\n", "", {"name"}},
        BadManifest{"UnknownField", "  mode: all\n", "  mode: all\n  modus: all\n", {"modus", "bad.yaml:9"}},
        BadManifest{"UnknownAction", "action: loss", "action: lose", {"action", "lose"}},
        BadManifest{"NoAction", "  action: loss\n", "", {"action"}},
        BadManifest{"NoMode", "  mode: all\n", "", {"mode"}},
        BadManifest{"NoBlockForTheAction", "  loss:\n    loss: \"100\"\n", "", {"loss"}, /*admitted=*/true},
        BadManifest{"WrongType", "mode: all", "mode: [all]", {"mode"}},
        BadManifest{"ScalarForMapping", "    loss: \"100\"\n", "    - 100\n", {"loss"}},
        BadManifest{"NotANumber", "loss: \"100\"", "loss: \"many\"", {"loss", "many"}},
        BadManifest{"FixedZero", "  mode: all\n", "  mode: fixed\n  value: \"0\"\n", {"value"}},
        BadManifest{"FixedWithoutValue", "  mode: all\n", "  mode: fixed\n", {"value"}},
        BadManifest{"PercentAbove100",
                    "  mode: all\n",
                    "  mode: fixed-percent\n  value: \"101\"\n",
                    {"value", "101"}},
        BadManifest{"UnknownMode", "mode: all", "mode: every", {"mode", "every"}},
        BadManifest{"UnknownDirection", "direction: to", "direction: up", {"direction", "up"}},
        BadManifest{"FromWithoutTarget", "direction: to", "direction: from", {"from"}},
        BadManifest{"NotADuration", "duration: 60s", "duration: soon", {"duration", "soon"}},
        BadManifest{"DurationBelowASecond",
                    "duration: 60s",
                    "duration: 500ms",
                    {"duration", "500ms"},
                    /*admitted=*/true},
        BadManifest{"NotYaml", "spec:", "spec: {", {}},
        BadManifest{"DuplicateKey", "  action: loss\n", "  action: loss\n  action: loss\n", {"action"}}),
    [](const auto& info) { return info.param.name; });

using CliBadFile = CliTest;

TEST_F(CliBadFile, ThatIsNotThere) {
  ExpectRefusal(RunFile("/nonexistent/x.yaml"), 2, {"/nonexistent/x.yaml"});
}

TEST_F(CliBadFile, ThatIsADirectory) {
  ExpectRefusal(RunFile(cli_.files().path()), 2, {cli_.files().path()});
}

TEST_F(CliBadFile, ThatIsEmpty) {
  for (const char* content : {"", "\n\n", "---\n", "# only words\n"}) {
    ExpectRefusal(RunFile(Write("empty.yaml", content)), 2, {"empty.yaml"});
  }
}

TEST_F(CliBadFile, OfBinaryRubbish) {
  std::mt19937 random(4711);
  for (size_t size : {1U, 100U, 65536U}) {
    std::string rubbish(size, '\0');
    for (char& byte : rubbish) byte = static_cast<char>(random());
    ExpectRefusal(RunFile(Write("rubbish.yaml", rubbish)), 2, {"rubbish.yaml"});
  }
  ExpectRefusal(RunFile(Write("zeros.yaml", std::string(4096, '\0'))), 2, {"zeros.yaml"});
}

TEST_F(CliBadFile, NestedADizzyDepth) {
  ExpectRefusal(RunFile(Write("deep.yaml", std::string(200'000, '['))), 2, {"deep.yaml"});
  ExpectRefusal(RunFile(Write("deep2.yaml", std::string(200'000, '{'))), 2, {"deep2.yaml"});
}

TEST_F(CliBadFile, ThatGrowsByAliases) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string before = absl::StrCat("*a", i - 1);
    absl::StrAppend(&bomb, "a", i, ": &a", i, " [", before);
    for (int j = 0; j < 9; ++j) absl::StrAppend(&bomb, ", ", before);
    absl::StrAppend(&bomb, "]\n");
  }
  ExpectRefusal(RunFile(Write("bomb.yaml", bomb)), 2, {"bomb.yaml"});
}

// Refused by its size, not read into memory first.
TEST_F(CliBadFile, OfAHundredMegabytes) {
  std::string path = Write("huge.yaml", Chaos().Yaml());
  {
    std::ofstream file(path, std::ios::app);
    std::string line = "# " + std::string(1021, 'x') + "\n";
    for (int i = 0; i < 100 * 1024; ++i) file << line;
  }
  Finished finished = RunCommand({.argv = {"sh", "-c", "ulimit -v 4000000; ulimit -d 200000; exec \"$@\"",
                                           "sh", SabotBinary(), "run", path, "--target", Target()},
                                  .env = {{"SABOT_STATE_DIR", cli_.state_dir()}}},
                                 absl::Seconds(5));
  ExpectRefusal(finished, 2, {"huge.yaml"});
}

TEST_F(CliBadFile, OneOfTwoStopsBoth) {
  std::string bad =
      Write("bad.yaml", absl::StrReplaceAll(Chaos().Yaml(), {{"action: loss", "action: lose"}}));
  Finished finished = RunCommand(cli_.Make({"run", GoodFile(), bad, "--target", Target(), "-o", "json"}));
  ExpectRefusal(finished, 2, {"bad.yaml"});
  EXPECT_EQ(finished.out.find("\"injected\""), std::string::npos) << finished.out;
}

TEST_F(CliBadFile, SecondDocumentIsReadToo) {
  std::string two =
      Chaos().Yaml() + "---\n" + absl::StrReplaceAll(Chaos().Yaml(), {{"action: loss", "action: lose"}});
  ExpectRefusal(RunFile(Write("two.yaml", two)), 2, {"two.yaml", "lose"});
}

}  // namespace
}  // namespace sabot::test
