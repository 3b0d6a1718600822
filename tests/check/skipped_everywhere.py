# SPDX-License-Identifier: Apache-2.0
"""Which tests were skipped in some of these logs and passed in none of them.

A rung needs a kernel that has it, so the same tests run on several kernels. Reads GoogleTest's own lines and the
"skipped: NAME" lines that tools/test prints for ctest. Prints "skipped: NAME" for each, and a closing sentence.
"""
import re
import sys

PASSED = re.compile(r"^\[ +OK \] (\S+)")
# "[  SKIPPED ] 4 tests, listed below:" names none.
SKIPPED = re.compile(r"^(?:\[ +SKIPPED +\]|skipped:) ([^\s,]*[^\s,\d][^\s,]*)")


def read(paths):
    passed, skipped = set(), set()
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                if match := PASSED.match(line):
                    passed.add(match.group(1))
                elif match := SKIPPED.match(line):
                    skipped.add(match.group(1))
    return passed, skipped


def main():
    passed, skipped = read(sys.argv[1:])
    nowhere = sorted(skipped - passed)
    for name in nowhere:
        print("skipped:", name)
    print(f"{len(skipped)} test(s) were skipped on some kernel, {len(nowhere)} of them on every one")


if __name__ == "__main__":
    main()
