// SPDX-License-Identifier: Apache-2.0
//
// Machines that lack something: root, BPF, BTF, disk space, an intact journal. Each a clear error, nothing
// touched.
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/host/cli_fixture.h"
#include "tests/support/doctor.h"
#include "tests/support/require.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class CliPoorMachine : public CliTest {
 protected:
  // A rung that keeps a journal, for tests of the journal.
  static constexpr const char* kJournalled = "network=clsact";

  // The journal of the one instance in the state directory.
  std::string JournalPath() {
    for (const auto& entry : fs::recursive_directory_iterator(cli_.state_dir())) {
      if (entry.path().filename() == "journal") return entry.path();
    }
    throw ArrangementFailed("there is no journal in the state directory");
  }
  // Leaves a clsact qdisc with its deed in the journal, and nobody who cares.
  void LeaveAResidue() {
    auto run = StartGood({"--mechanism", kJournalled});
    run->Signal(SIGKILL);
    run->End();
    ASSERT_NE(Qdiscs().find("clsact"), std::string::npos) << "there is nothing to undo: " << Qdiscs();
  }
  std::string Qdiscs() { return network_.target.Run({"tc", "qdisc", "show", "dev", "eth0"}); }
};

TEST_F(CliPoorMachine, WithoutRoot) {
  Finished finished = RunFile(GoodFile(), {}, {"--nobody"});
  EXPECT_TRUE(finished.exit_code == 1 || finished.exit_code == 2) << finished.exit_code << finished.err;
  std::string said = finished.out + finished.err;
  EXPECT_TRUE(said.find("root") != std::string::npos || said.find("CAP_") != std::string::npos) << said;
}

TEST_F(CliPoorMachine, WithoutRootDoctorStillAnswers) {
  Finished finished = RunCommand(cli_.Make({"doctor", "-o", "json"}, {"--nobody"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  json doctor = json::parse(finished.out, nullptr, false);
  ASSERT_TRUE(doctor.is_object()) << finished.out;
  EXPECT_FALSE(VerdictOn(doctor, "loss", "tcx").usable);
}

TEST_F(CliPoorMachine, WithoutBpf) {
  Finished finished = RunFile(GoodFile(), {}, {"--no-bpf"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  std::string said = finished.out + finished.err;
  EXPECT_TRUE(said.find("Operation not permitted") != std::string::npos ||
              said.find("denied") != std::string::npos)
      << said;
}

TEST_F(CliPoorMachine, WithoutBpfDoctorSaysDenied) {
  Finished finished = RunCommand(cli_.Make({"doctor", "-o", "json"}, {"--no-bpf"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  json doctor = json::parse(finished.out, nullptr, false);
  ASSERT_TRUE(doctor.is_object()) << finished.out;
  EXPECT_NE(finished.out.find("\"denied\""), std::string::npos) << finished.out;
  for (const char* rung : {"tcx", "clsact"}) {
    RungVerdict verdict = VerdictOn(doctor, "loss", rung);
    EXPECT_FALSE(verdict.usable) << rung;
    EXPECT_FALSE(verdict.why.empty()) << rung;
  }
}

// Nothing in network faults needs the kernel's BTF: they work without it, or say that they do not.
TEST_F(CliPoorMachine, WithoutKernelBtf) {
  Finished finished = RunFile(GoodFile(), {"--duration", "1s", "-o", "json"}, {"--hide-btf"});
  EXPECT_FALSE(finished.timed_out);
  EXPECT_TRUE(finished.exit_code == 0 || finished.exit_code == 1) << finished.exit_code << finished.err;
  bool injected = finished.out.find("\"event\":\"injected\"") != std::string::npos;
  EXPECT_EQ(injected, finished.exit_code == 0) << finished.out << finished.err;
  std::string said = finished.out + finished.err;
  EXPECT_TRUE(injected || said.find("BTF") != std::string::npos) << said;
}

TEST_F(CliPoorMachine, WithoutKernelBtfDoctorAnswers) {
  Finished finished = RunCommand(cli_.Make({"doctor", "-o", "json"}, {"--hide-btf"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_FALSE(json::parse(finished.out, nullptr, false).is_discarded()) << finished.out;
}

TEST_F(CliPoorMachine, WithAFullDiskUnderTheJournal) {
  fs::create_directory(cli_.state_dir());
  Finished finished = RunFile(GoodFile(), {"--mechanism", kJournalled, "--duration", "1s"},
                              {"--full-disk", cli_.state_dir()});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  std::string said = finished.out + finished.err;
  EXPECT_NE(said.find("No space left on device"), std::string::npos) << said;
}

TEST_F(CliPoorMachine, UndoRepairsWhatAKilledRunLeft) {
  LeaveAResidue();
  Finished undo = cli_.Run({"undo"});
  EXPECT_EQ(undo.exit_code, 0) << undo.out << undo.err;
  EXPECT_EQ(Qdiscs().find("clsact"), std::string::npos) << Qdiscs();
  EXPECT_EQ(cli_.Run({"undo"}).exit_code, 0) << "a second time there is nothing to do";
}

TEST_F(CliPoorMachine, UndoReportsACorruptJournalAndUndoesTheGoodRest) {
  LeaveAResidue();
  std::string path = JournalPath();
  std::string good;
  {
    std::ifstream file(path, std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(file), {});
  }
  // A record whose checksum is wrong, in the middle: a copy of the last bytes with one flipped, then more.
  std::string bad = good + std::string("\x08\0\0\0\x01\x02\x03\x04garbage!", 16) + std::string(64, 'x');
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
  Finished undo = cli_.Run({"undo"});
  EXPECT_EQ(undo.exit_code, 1) << undo.out << undo.err;
  EXPECT_NE((undo.out + undo.err).find("journal"), std::string::npos) << undo.out << undo.err;
  EXPECT_EQ(Qdiscs().find("clsact"), std::string::npos) << "the good deeds were not undone: " << Qdiscs();
  fs::remove_all(cli_.state_dir());
}

TEST_F(CliPoorMachine, UndoForgivesATornLastRecord) {
  LeaveAResidue();
  std::ofstream(JournalPath(), std::ios::binary | std::ios::app) << std::string("\x40\0\0\0\x01\x02", 6);
  Finished undo = cli_.Run({"undo"});
  EXPECT_EQ(undo.exit_code, 0) << undo.out << undo.err;
  EXPECT_EQ(Qdiscs().find("clsact"), std::string::npos) << Qdiscs();
}

TEST_F(CliPoorMachine, UndoLeavesLiveRunsAlone) {
  auto run = StartGood({"--mechanism", kJournalled});
  EXPECT_EQ(cli_.Run({"undo"}).exit_code, 0);
  EXPECT_TRUE(run->running());
  EXPECT_FALSE(PeerAnswers()) << "undo took a live fault away";
  EXPECT_EQ(run->Interrupt().exit_code, 0);
}

}  // namespace
}  // namespace sabot::test
