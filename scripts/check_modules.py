#!/usr/bin/env python3
"""Holds the module table of ARCHITECTURE.md against src/CMakeLists.txt and every include in src/.

Usage: check_modules.py [--root DIR]

The table stands between two `<!-- module-table -->` lines: | `name` | purpose | may use |, where "may use" lists
modules, "-" for none or "all". Tests may also use src/testing, which may use every module. Exit code 1 with file:line
for each thing the table does not allow.
"""
import argparse
import pathlib
import re
import sys

MARKER = "<!-- module-table -->"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
MODULE_CALL = re.compile(r"^\s*millrace_module\(([^)]*)\)", re.MULTILINE)
KEYWORDS = {"USES", "LIBRARIES", "TEST_LIBRARIES"}
TESTING = "testing"  # helpers of tests: not part of the program


def read_table(path):
    parts = path.read_text(encoding="utf-8").split(MARKER)
    if len(parts) != 3:
        raise SystemExit(f"{path.name}: expected the module table between two {MARKER} lines")
    rows = {}
    for line in parts[1].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or cells[0] == "module" or set(cells[0]) <= set("-: "):
            continue
        rows[cells[0].strip("`")] = [word.strip("` ") for word in cells[2].split(",")]
    if not rows:
        raise SystemExit(f"{path.name}: the module table is empty")
    return rows


def allowed_modules(rows, problems):
    allowed = {}
    for name, words in rows.items():
        if words == ["all"]:
            allowed[name] = set(rows) - {name}
        elif words == ["-"]:
            allowed[name] = set()
        else:
            allowed[name] = set(words)
            for word in allowed[name] - set(rows):
                problems.append(f"ARCHITECTURE.md: module {name} may use {word}, which is no module")
    for name in rows:
        for used in allowed[name]:
            if name in allowed.get(used, set()):
                problems.append(f"ARCHITECTURE.md: {name} and {used} may use each other")
    return allowed


def uses_in_cmake(text):
    uses = {}
    without_comments = re.sub(r"#[^\n]*", "", text)
    for call in MODULE_CALL.findall(without_comments):
        words = call.split()
        keyword, listed = None, []
        for word in words[1:]:
            if word in KEYWORDS:
                keyword = word
            elif keyword == "USES":
                listed.append(word)
        uses[words[0]] = set(listed)
    return uses


def check_includes(source_root, allowed, problems):
    known = set(allowed) | {TESTING}
    checked = 0
    for path in sorted(source_root.rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        module = path.relative_to(source_root).parts[0]
        if module == TESTING:
            continue
        place = path.relative_to(source_root.parent)
        if module not in allowed:
            problems.append(f"{place}:1: the folder {module} is no module of the table")
            continue
        is_test = "test" in path.name  # x_test.cpp and the helpers of tests, test_client.h
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            checked += 1
            target = match.group(1).split("/")[0] if "/" in match.group(1) else module
            if target not in known:
                problems.append(f"{place}:{number}: \"{match.group(1)}\" names no module (includes start at src/)")
            elif target == TESTING:
                if not is_test:
                    problems.append(f"{place}:{number}: only tests may include \"{match.group(1)}\"")
            elif target != module and target not in allowed[module]:
                problems.append(f"{place}:{number}: {module} may not use {target} (\"{match.group(1)}\")")
    return checked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    problems = []
    allowed = allowed_modules(read_table(root / "ARCHITECTURE.md"), problems)
    uses = uses_in_cmake((root / "src" / "CMakeLists.txt").read_text(encoding="utf-8"))
    for name, listed in sorted(uses.items()):
        if name not in allowed:
            problems.append(f"src/CMakeLists.txt: {name} is no module of the table in ARCHITECTURE.md")
        for word in sorted(listed - allowed.get(name, listed)):
            problems.append(f"src/CMakeLists.txt: {name} lists {word}, which the table does not allow")
    checked = check_includes(root / "src", allowed, problems)
    for problem in problems:
        print(problem)
    print(f"{len(allowed)} modules, {checked} includes, {len(problems)} not allowed")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
