#!/usr/bin/env python3
"""Holds the metrics catalogue against the code: every row is recorded somewhere, every recorded name has a row.

Usage: check_metrics.py

A row nobody records would be a number that is always 0, which reads like an answer. `process_*` come from /proc.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "src/metrics/catalogue.cpp"
ROW = re.compile(r'^\s*\{"(millrace_\w+)",', re.MULTILINE)
NAME = re.compile(r'(?:counter|gauge|timing)\(\s*"(millrace_\w+)"')


def main():
    rows = set(ROW.findall(CATALOGUE.read_text(encoding="utf-8")))
    used = {}
    for path in (ROOT / "src").rglob("*.cpp"):
        if path == CATALOGUE or path.name.endswith("_test.cpp") or "testing" in path.parts:
            continue
        for name in NAME.findall(path.read_text(encoding="utf-8")):
            used.setdefault(name, path.relative_to(ROOT))
    problems = [f"src/metrics/catalogue.cpp: nothing records {name}" for name in sorted(rows - used.keys())]
    problems += [f"{used[name]}: {name} has no row in the catalogue" for name in sorted(used.keys() - rows)]
    for problem in problems:
        print(problem)
    print(f"{len(rows)} metrics, {len(problems)} problems")
    return 1 if problems or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
