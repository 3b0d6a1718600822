#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the tree itself: repository_checks.py [--root DIR] [--bin DIR] CHECK

Each check prints one sentence per defect and exits with 1 if there is any. They look at the files that git tracks.

  layers      dependencies run one way: bpf/abi <- loader <- agent; controller and agent meet only in proto/
  license     every file that can carry one has the SPDX line of its directory
  format      C++ is as clang-format-14 would write it
  size        no file is so large that nobody reads it
  paths       no file names the place where it was written
  faults      every kind of fault in the fault map has its BPF file, its fault file, its tests and its ladder
  faults_doc  docs/FAULTS.md is what the ladders say
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

CPP = (".h", ".cc")
C_LIKE = CPP + (".c",)


def tracked(root):
    """Paths, relative to `root`, of the files that git tracks and that are there."""
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], check=True, stdout=subprocess.PIPE).stdout
    names = [name for name in out.decode().split("\0") if name]
    return [name for name in names if (root / name).is_file() and not (root / name).is_symlink()]


def text_of(root, name):
    return (root / name).read_text(encoding="utf-8", errors="replace")


# ---------------------------------------------------------------------------------------------------- layers

# Files below the first may include what starts with one of the second; everything in <> and of libraries is free.
OWN_ROOTS = ("bpf/", "loader/", "agent/", "controller/", "tools/", "tests/", "sabot/", "proto/")
MAY_INCLUDE = {
    "bpf/": ("bpf/",),
    "loader/": ("loader/", "bpf/abi/"),
    "agent/": ("agent/", "loader/", "bpf/abi/", "sabot/"),
    # The controller's few helpers that have no layer (status macros, descriptors) live in loader/status.h and
    # loader/fd.h: headers without a .cc that know nothing of the kernel.
    "controller/": ("controller/", "sabot/", "loader/status.h", "loader/fd.h"),
}
# Parts of the agent that must not reach back into what drives them.
FAULT_PARTS = ("agent/faults/", "agent/network/", "agent/pacer/", "agent/syscall/")


def includes(root, name):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text_of(root, name), re.MULTILINE)


def check_layers(root, files):
    sources = [name for name in files if name.endswith(C_LIKE)]
    graph = {name: includes(root, name) for name in sources}
    for name in sources:
        layer = next((layer for layer in MAY_INCLUDE if name.startswith(layer)), None)
        if layer is None:
            continue
        for header in graph[name]:
            if header.startswith(OWN_ROOTS) and not header.startswith(MAY_INCLUDE[layer]):
                yield f"{name} includes {header}: {layer} may not know of it."
    for name in sources:
        if name.startswith(FAULT_PARTS):
            yield from cycles_through_the_agent(name, graph)
    for name in files:
        if name.startswith("proto/") and name.endswith(".proto"):
            for imported in re.findall(r'^\s*import\s+"([^"]+)"', text_of(root, name), re.MULTILINE):
                if not imported.startswith(("sabot/", "google/", "cri/", "k8s/")):
                    yield f"{name} imports {imported}, which is not below proto/."


def cycles_through_the_agent(name, graph):
    """A fault part may use the agent's lower half, but nothing that itself includes fault parts."""
    for header in graph[name]:
        if not header.startswith("agent/") or header.startswith(FAULT_PARTS):
            continue
        seen, queue = set(), [header]
        while queue:
            current = queue.pop()
            if current in seen:
                continue
            seen.add(current)
            if current.startswith("agent/faults/"):
                yield f"{name} includes {header}, which includes {current}: faults must not depend on their driver."
                break
            queue.extend(graph.get(current, []))


# --------------------------------------------------------------------------------------------------- license

CARRIES_SPDX = C_LIKE + (".proto", ".py", ".sh", ".cmake", ".yaml", ".yml", ".config")
CARRIES_SPDX_NAMES = ("CMakeLists.txt", ".clang-format", "Dockerfile")
APACHE = ("Apache-2.0",)
GPL = ("GPL-2.0-only",)
DUAL = ("GPL-2.0-only OR Apache-2.0", "(GPL-2.0-only OR Apache-2.0)")


def can_carry_spdx(root, name):
    path = pathlib.PurePath(name)
    if path.suffix in CARRIES_SPDX or path.name in CARRIES_SPDX_NAMES:
        return True
    with open(root / name, "rb") as file:
        return file.read(2) == b"#!"


def licenses_for(name):
    if name.startswith("bpf/abi/"):
        return DUAL
    if name.startswith("bpf/lib/"):
        return GPL + DUAL
    if name.startswith("bpf/") and name.endswith(".bpf.c"):
        return GPL
    if name.endswith(".bpf.c"):  # test programs that the kernel loads
        return GPL + DUAL
    return APACHE


def check_license(root, files):
    for name in files:
        if not can_carry_spdx(root, name):
            continue
        head = "\n".join(text_of(root, name).splitlines()[:3])
        found = re.search(r"SPDX-License-Identifier: ([A-Za-z0-9. ()-]+)", head)
        wanted = licenses_for(name)
        if found is None:
            yield f"{name} has no SPDX line in its first three lines; it should say {wanted[0]}."
        elif found.group(1).strip() not in wanted:
            yield f"{name} is marked {found.group(1).strip()}; it should say {' or '.join(wanted)}."


# ---------------------------------------------------------------------------------------------------- format


def formatted_sources(root, files):
    """C++ by the tree's .clang-format; bpf/ is in kernel style, unless it has a .clang-format of its own."""
    kernel_style = not (root / "bpf/.clang-format").exists()
    return [name for name in files if name.endswith(CPP) and not (kernel_style and name.startswith("bpf/"))]


def check_format(root, files):
    sources = formatted_sources(root, files)
    for start in range(0, len(sources), 40):
        try:
            result = subprocess.run(["clang-format-14", "--dry-run", *sources[start:start + 40]], cwd=root,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
        except FileNotFoundError:
            yield "clang-format-14 is not installed, so the format cannot be checked."
            return
        except subprocess.CalledProcessError as failed:
            yield f"clang-format-14 failed: {failed.stderr.strip()}"
            return
        places = re.findall(r"^(\S+?):(\d+):\d+: warning", result.stderr, re.MULTILINE)
        for name in dict.fromkeys(name for name, _ in places):
            line = next(line for other, line in places if other == name)
            yield f"{name} is not as clang-format-14 writes it, first at line {line}."


# ------------------------------------------------------------------------------------------------------ size

MAX_BYTES = 200_000
MAX_SOURCE_LINES = 800


def check_size(root, files):
    for name in files:
        size = (root / name).stat().st_size
        if size > MAX_BYTES:
            yield f"{name} has {size} bytes, more than {MAX_BYTES}: generate or fetch it instead."
        elif name.endswith(C_LIKE + (".proto", ".py", ".sh")):
            lines = text_of(root, name).count("\n")
            if lines > MAX_SOURCE_LINES:
                yield f"{name} has {lines} lines, more than {MAX_SOURCE_LINES}: split it."


# ----------------------------------------------------------------------------------------------------- paths

# Parents of a checkout that say nothing about where the work was done.
ORDINARY_PARENTS = ("/", "/tmp", "/usr/src", "/opt", "/src")


def check_paths(root, files):
    places = [r"/home/[a-z][\w.-]*/", r"/Users/[A-Za-z][\w.-]*/"]
    parent = str(root.resolve().parent)
    if parent not in ORDINARY_PARENTS:
        places.append(re.escape(parent) + r"(?:/|\b)")
    pattern = re.compile("|".join(rf"(?<![\w.$}}]){place}" for place in places))
    for name in files:
        for number, line in enumerate(text_of(root, name).splitlines(), 1):
            found = pattern.search(line)
            if found:
                yield f"{name}:{number} names a place of the machine it was written on: {found.group(0)}"


# ---------------------------------------------------------------------------------------------------- faults


def block_of(text, opening):
    """The text between the braces that follow `opening` (a regular expression), or "" when it is not there."""
    start = re.search(opening + r"\s*{", text)
    if start is None:
        return ""
    depth, end = 1, start.end()
    while depth and end < len(text):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[start.end():end - 1]


def oneof_fields(block):
    """(type, name) of each field of a block."""
    return re.findall(r"^\s*([\w.]+)\s+(\w+)\s*=\s*\d+", block, re.MULTILINE)


def fault_kinds(root):
    """Fault family -> names of its effects ("" for a family without), by the fault map's proto."""
    text = re.sub(r"//.*", "", text_of(root, "proto/sabot/v1/fault.proto"))
    kinds = {}
    for message, name in oneof_fields(block_of(block_of(text, r"message Fault"), r"oneof kind")):
        effects = oneof_fields(block_of(block_of(text, rf"message {message}"), r"oneof effect"))
        kinds[name] = [effect for _, effect in effects] or [""]
    return kinds


def registered_ladders(sabot):
    out = subprocess.run([sabot, "doctor", "-o", "json"], check=True, stdout=subprocess.PIPE).stdout
    return {(ladder["fault"], ladder.get("effect", "")): ladder["rungs"] for ladder in json.loads(out)["ladders"]}


def check_faults(root, files, sabot):
    kinds = fault_kinds(root)
    if not kinds:
        yield "proto/sabot/v1/fault.proto has no `oneof kind` in message Fault."
    for family, effects in kinds.items():
        for wanted in (f"bpf/{family}.bpf.c", f"agent/faults/{family}.cc"):
            if wanted not in files:
                yield f"The fault map knows `{family}`, but there is no {wanted}."
        cells = "".join(text_of(root, name) for name in files if re.fullmatch(r"tests/host/.*\.cc", name))
        for effect in effects:
            if f'"{effect or family}"' not in cells:
                yield f"The fault map knows `{family}` {effect}, but no conformance test in tests/host does."
    try:
        ladders = registered_ladders(sabot)
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        yield f"`{sabot} doctor -o json` does not list the registered ladders: {error}"
        return
    for family, effects in kinds.items():
        for effect in effects:
            if not ladders.get((family, effect)):
                yield f"The fault map knows `{family}` {effect}, but `sabot doctor` has no ladder for it."
    for family, effect in ladders:
        if effect not in kinds.get(family, []):
            yield f"`sabot doctor` has a ladder for `{family}` {effect}, which the fault map does not know."


def check_faults_doc(root, files, generator):
    try:
        wanted = subprocess.run([generator], check=True, stdout=subprocess.PIPE).stdout.decode()
    except (OSError, subprocess.CalledProcessError) as error:
        yield f"`{generator}` does not print docs/FAULTS.md: {error}"
        return
    name = "docs/FAULTS.md"
    if name not in files or text_of(root, name) != wanted:
        yield f"{name} is not what the ladders say: run `cmake --build build -t faults_doc`."


# ------------------------------------------------------------------------------------------------------ main

CHECKS = {
    "layers": check_layers,
    "license": check_license,
    "format": check_format,
    "size": check_size,
    "paths": check_paths,
    "faults": check_faults,
    "faults_doc": check_faults_doc,
}
ASK_A_PROGRAM = {"faults": "sabot", "faults_doc": "faults-doc"}


def run(check, root, program=None):
    """The defects that a check finds, as sentences. `program`: the one of ASK_A_PROGRAM that was built."""
    files = tracked(root)
    more = (program,) if check in ASK_A_PROGRAM else ()
    return list(CHECKS[check](root, files, *more))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"), help="where programs are")
    arguments = parser.parse_args()
    program = arguments.bin / ASK_A_PROGRAM.get(arguments.check, "")
    defects = run(arguments.check, arguments.root.resolve(), program)
    print("\n".join(defects) if defects else f"{arguments.check}: nothing to object to")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
