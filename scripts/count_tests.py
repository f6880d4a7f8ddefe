#!/usr/bin/env python3
"""Prints "passed failed" of one test run, read from what the run itself wrote.

Usage: count_tests.py ctest LastTest.log     test cases of doctest programs; other programs count as one
       count_tests.py vitest report.json     tests of vitest's JSON report
       count_tests.py node log               tests of node --test (spec or TAP)

Prints nothing when the file does not exist or says nothing: the caller then counts the run itself as one.
"""
import json
import re
import sys

DOCTEST = re.compile(r"\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)  # of our own runners


def count_ctest(text):
    passed = failed = 0
    for block in re.split(r"^\d+/\d+ Testing: ", text, flags=re.MULTILINE)[1:]:
        ended_well = re.search(r"^Test Passed\.", block, flags=re.MULTILINE) is not None
        cases = DOCTEST.search(block) or CLOSING.search(block)
        if cases is None:
            passed, failed = passed + ended_well, failed + (not ended_well)
            continue
        case_failures = int(cases.group(2))
        passed += int(cases.group(1))
        # A program that reported success and still ended badly (a sanitizer, an abort at exit) failed once.
        failed += case_failures if case_failures or ended_well else 1
    return passed, failed


def count_vitest(text):
    report = json.loads(text)
    return report["numPassedTests"], report["numFailedTests"]


def count_node(text):
    numbers = {word: 0 for word in ("pass", "fail")}
    for word, number in re.findall(r"^(?:#|\u2139) (pass|fail) (\d+)\s*$", text, flags=re.MULTILINE):
        numbers[word] += int(number)
    return numbers["pass"], numbers["fail"]


def main():
    counters = {"ctest": count_ctest, "vitest": count_vitest, "node": count_node}
    if len(sys.argv) != 3 or sys.argv[1] not in counters:
        sys.exit(__doc__)
    try:
        with open(sys.argv[2], encoding="utf-8", errors="replace") as file:
            text = file.read()
    except FileNotFoundError:
        return
    print("%d %d" % counters[sys.argv[1]](text))


if __name__ == "__main__":
    main()
