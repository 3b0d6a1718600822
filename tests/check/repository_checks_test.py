#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Can every check fail? Each is given a tree with one defect and must name it, and a sound one and must not."""
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repository_checks  # noqa: E402

APACHE = "// SPDX-License-Identifier: Apache-2.0\n"
PROTO = """
message Fault {
  // oneof kind { Wrong wrong = 1; }
  oneof kind {
    NetworkFault network = 16;  // packets
  }
}
message NetworkFault {
  oneof effect {
    Loss loss = 16;
  }
}
"""
DOCTOR = {"ladders": [{"fault": "network", "effect": "loss", "rungs": [{"mechanism": "tcx"}]}]}


class Checks(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name) / "checkout"
        self.root.mkdir()
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)

    def tearDown(self):
        self.directory.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        subprocess.run(["git", "-C", str(self.root), "add", name], check=True)
        return path

    def defects(self, check, program=None):
        return repository_checks.run(check, self.root, program)

    def assert_only(self, check, word, program=None):
        found = self.defects(check, program)
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def include(self, name, header):
        self.write(name, f'{APACHE}#include "{header}"\n')

    def test_layers_let_the_allowed_pass(self):
        self.include("loader/a.cc", "bpf/abi/a.h")
        self.include("agent/a.cc", "loader/a.h")
        self.include("agent/faults/a.cc", "agent/journal.h")
        self.include("controller/a.cc", "sabot/v1/fault.pb.h")
        self.include("tools/sabot/a.cc", "controller/a.h")
        self.assertEqual(self.defects("layers"), [])

    def test_layers_find_each_wrong_direction(self):
        for name, header in (("bpf/a.bpf.c", "loader/a.h"), ("loader/a.cc", "agent/a.h"),
                             ("loader/b.cc", "sabot/v1/fault.pb.h"), ("loader/c.cc", "bpf/lib/a.h"),
                             ("agent/a.cc", "controller/plan/a.h"), ("agent/b.cc", "tests/support/a.h"),
                             ("controller/a.cc", "agent/a.h"), ("controller/b.cc", "loader/probe.h")):
            with self.subTest(name=name, header=header):
                self.include(name, header)
                self.assert_only("layers", header)
                subprocess.run(["git", "-C", str(self.root), "rm", "-qf", name], check=True)

    def test_layers_find_a_cycle_from_faults_to_their_driver(self):
        self.include("agent/reconciler.h", "agent/faults/network.h")
        self.include("agent/session.h", "agent/reconciler.h")
        self.include("agent/network/site.cc", "agent/session.h")
        self.assert_only("layers", "agent/network/site.cc")

    def test_license(self):
        self.write("agent/a.cc", APACHE)
        self.write("bpf/a.bpf.c", "// SPDX-License-Identifier: GPL-2.0-only\n")
        self.write("bpf/abi/a.h", "/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */\n")
        self.write("notes.md", "words\n")
        self.assertEqual(self.defects("license"), [])
        for name, text, word in (("agent/b.cc", "int x;\n", "no SPDX"), ("tools/run", "#!/bin/sh\n", "no SPDX"),
                                 ("agent/c.cc", "// SPDX-License-Identifier: GPL-2.0-only\n", "agent/c.cc"),
                                 ("bpf/b.bpf.c", APACHE, "bpf/b.bpf.c"), ("bpf/abi/b.h", APACHE, "bpf/abi/b.h"),
                                 ("CMakeLists.txt", "project(x)\n", "CMakeLists.txt"),
                                 ("late.py", "\n\n\n\n# SPDX-License-Identifier: Apache-2.0\n", "late.py")):
            with self.subTest(name=name):
                self.write(name, text)
                self.assert_only("license", word)
                subprocess.run(["git", "-C", str(self.root), "rm", "-qf", name], check=True)

    def test_format(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("a.cc", "int main() { return 0; }\n")
        self.assertEqual(self.defects("format"), [])
        self.write("b.cc", "int main( ) {return 0;}\n")
        self.assert_only("format", "b.cc")

    def test_size(self):
        self.write("a.cc", "\n" * 800)
        self.assertEqual(self.defects("size"), [])
        self.write("b.cc", "\n" * 801)
        self.assert_only("size", "b.cc")
        self.write("b.cc", "")
        self.write("c.bin", "x" * 200_001)
        self.assert_only("size", "c.bin")

    def test_paths(self):
        self.write("a.sh", "cd ${HOME}/x; cat /proc/1/x /sys/y /run/sabot\n")
        self.assertEqual(self.defects("paths"), [])
        self.write("b.sh", f"cd {self.directory.name}/checkout\n")
        self.assert_only("paths", "b.sh:1")
        self.write("b.sh", "x\ncd /ho" + "me/somebody/src\n")
        self.assert_only("paths", "b.sh:2")

    def program(self, prints):
        path = self.root.parent / "program"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{prints}\nEND\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    def sabot(self, doctor):
        return self.program(json.dumps(doctor))

    def sound_fault_tree(self):
        self.write("proto/sabot/v1/fault.proto", PROTO)
        self.write("bpf/network.bpf.c", "")
        self.write("agent/faults/network.cc", "")
        self.write("tests/host/cell.cc", '"loss"')

    def test_faults_complete(self):
        self.sound_fault_tree()
        self.assertEqual(self.defects("faults", self.sabot(DOCTOR)), [])

    def test_faults_find_what_is_missing(self):
        self.sound_fault_tree()
        self.assert_only("faults", "doctor", self.root.parent / "no-such-binary")
        ladders = DOCTOR["ladders"]
        self.assert_only("faults", "no ladder", self.sabot({"ladders": []}))
        self.assert_only("faults", "no ladder", self.sabot({"ladders": [{**ladders[0], "rungs": []}]}))
        extra = {"ladders": ladders + [{"fault": "toaster", "effect": "", "rungs": [{}]}]}
        self.assert_only("faults", "toaster", self.sabot(extra))
        for name, text, word in (("tests/host/cell.cc", "", "no conformance test"),
                                 ("proto/sabot/v1/fault.proto", "", "no `oneof kind`")):
            with self.subTest(name=name):
                self.write(name, text)
                self.assertTrue(any(word in defect for defect in self.defects("faults", self.sabot(DOCTOR))))
                self.sound_fault_tree()
        subprocess.run(["git", "-C", str(self.root), "rm", "-qf", "bpf/network.bpf.c"], check=True)
        self.assert_only("faults", "bpf/network.bpf.c", self.sabot(DOCTOR))

    def test_faults_doc(self):
        self.assert_only("faults_doc", "faults_doc`", self.program("# Faults"))
        self.write("docs/FAULTS.md", "# Faults\n")
        self.assertEqual(self.defects("faults_doc", self.program("# Faults")), [])
        self.assert_only("faults_doc", "faults_doc`", self.program("# More faults"))
        self.assert_only("faults_doc", "does not print", self.root.parent / "no-such-binary")


if __name__ == "__main__":
    unittest.main()
