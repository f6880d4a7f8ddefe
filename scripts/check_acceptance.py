#!/usr/bin/env python3
"""Checks docs/acceptance.md: no id missing or double, and every named test and command exists.

Usage: check_acceptance.py [--root DIR]

What the column "shown by" may name, separated by commas:
  `ctest -R name`    a module with tests in src/, a test added in a CMakeLists.txt, or a folder in scenarios/
  "a sentence"       the name of one test in src/ (TEST_CASE), web/ (it, test) or scenarios/ (`def test_a_sentence`)
  `millrace command` a command of src/app; `./dev command` a command of ./dev
  `a/path`           a file, or a folder with files in it
  not yet (why)      nothing shows it
Exit code 1 with file:line for each thing that does not hold.
"""
import argparse
import pathlib
import re
import sys

# Ids are never reused, so a table that lost its last rows would look whole without these.
IDS = {"M": (3, 265), "X": (2, 18), "I": (2, 16), "D": (2, 20)}

ROW = re.compile(r"^\| ([A-Z]\d+) \| (.*) \| (.*) \| (.*) \|$")
TEST_CASE = re.compile(r'\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
WEB_TEST = re.compile(r"""\b(?:it|test)\(\s*(["'`])((?:(?!\1)[^\\]|\\.)*)\1""")
NAMED = re.compile(r'`([^`]*)`|"([^"]*)"')


def tests_of_sources(root):
    names, modules = set(), set()
    for path in (root / "src").rglob("*_test.cpp"):
        modules.add(path.relative_to(root / "src").parts[0])
        for literals in TEST_CASE.findall(path.read_text(encoding="utf-8", errors="replace")):
            names.add("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"'))
    for path in (root / "web").glob("[st]*/**/*"):
        if path.suffix in (".ts", ".tsx", ".mjs") and "node_modules" not in path.parts:
            names.update(name for _, name in WEB_TEST.findall(path.read_text(encoding="utf-8", errors="replace")))
    for path in (root / "scenarios").glob("*/story.py"):
        names.update(name.replace("_", " ") for name in re.findall(r"def test_(\w+)\(", path.read_text(encoding="utf-8")))
    return names, modules


def ctest_names(root, modules):
    names = set(modules)
    for path in [root / "CMakeLists.txt", *(root / "src").glob("CMakeLists.txt"), *(root / "scenarios").glob("CMakeLists.txt")]:
        if path.exists():
            names.update(re.findall(r"add_test\(\s*NAME\s+([\w.-]+)", path.read_text(encoding="utf-8")))
    names.update(path.name for path in (root / "scenarios").glob("*") if path.is_dir())
    return names


def commands_of(root):
    program = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in (root / "src" / "app").rglob("*.cpp"))
    dev = (root / "dev").read_text(encoding="utf-8")
    return set(re.findall(r'"([a-z][a-z-]*)"', program)), set(re.findall(r"^  ([a-z]+)\) command_", dev, re.MULTILINE))


class Table:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.test_names, modules = tests_of_sources(root)
        self.ctests = ctest_names(root, modules)
        self.commands, self.dev_commands = commands_of(root)

    def command_problem(self, text):
        words = text.split()
        if words[:2] == ["ctest", "-R"] and len(words) == 3:
            return None if words[2] in self.ctests else f"there is no test {words[2]} for ctest"
        if words[0] == "millrace":
            return None if len(words) > 1 and words[1] in self.commands else f"millrace has no command {' '.join(words[1:2])}"
        if words[0] == "./dev":
            return None if len(words) > 1 and words[1] in self.dev_commands else f"./dev has no command {' '.join(words[1:2])}"
        if re.fullmatch(r"[\w./-]+", text):
            path = self.root / text
            found = path.is_file() or (path.is_dir() and any(path.iterdir()))
            return None if found else f"there is no file {text}"
        return f"`{text}` is neither a test, a command nor a file"

    def check_row(self, place, identifier, shown_by, value):
        if shown_by.startswith("not yet (") and shown_by.endswith(")"):
            if value:
                self.problems.append(f"{place}: {identifier} has a value and nothing that shows it")
            return
        if NAMED.sub("", shown_by).strip(" ,"):
            self.problems.append(f"{place}: {identifier} may name only tests and commands, not \"{NAMED.sub('', shown_by).strip(' ,')}\"")
        named = NAMED.findall(shown_by)
        if not named:
            self.problems.append(f"{place}: {identifier} names nothing that shows it")
        for command, sentence in named:
            if command:
                problem = self.command_problem(command)
            else:
                problem = None if sentence in self.test_names else f"there is no test named \"{sentence}\""
            if problem:
                self.problems.append(f"{place}: {identifier}: {problem}")


def check_ids(seen, problems):
    for letter, (width, count) in IDS.items():
        for number in range(1, count + 1):
            if f"{letter}{number:0{width}d}" not in seen:
                problems.append(f"docs/acceptance.md: {letter}{number:0{width}d} has no row")
        extra = sorted(int(i[1:]) for i in seen if i[0] == letter and int(i[1:]) > count)
        if extra != list(range(count + 1, count + 1 + len(extra))):
            problems.append(f"docs/acceptance.md: the new {letter} ids are not numbered one after the other")
    for identifier in seen:
        if identifier[0] not in IDS:
            problems.append(f"docs/acceptance.md: {identifier} has an unknown letter")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    table = Table(root)
    seen, open_rows = set(), 0
    for number, line in enumerate((root / "docs" / "acceptance.md").read_text(encoding="utf-8").splitlines(), 1):
        row = ROW.match(line)
        if not row:
            if re.match(r"^\| [A-Z]\d+ ", line):
                table.problems.append(f"docs/acceptance.md:{number}: a row needs id, item, shown by and last value")
            continue
        identifier, _, shown_by, value = row.groups()
        if identifier in seen:
            table.problems.append(f"docs/acceptance.md:{number}: {identifier} has a second row")
        seen.add(identifier)
        open_rows += shown_by.startswith("not yet")
        table.check_row(f"docs/acceptance.md:{number}", identifier, shown_by.strip(), value.strip())
    check_ids(seen, table.problems)
    for problem in table.problems:
        print(problem)
    print(f"{len(seen)} items, {len(seen) - open_rows} shown, {open_rows} not yet, {len(table.problems)} problems")
    sys.exit(1 if table.problems else 0)


if __name__ == "__main__":
    main()
