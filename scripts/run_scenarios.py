#!/usr/bin/env python3
"""Runs the stories of scenarios/ against the real program and prints one line per story.

Usage: run_scenarios.py [NAME...]      all stories, or those whose folder contains a NAME

MILLRACE_BIN names the program, default build/release/millrace. Exit code 1 when a story does not hold.
"""
import importlib.util
import pathlib
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scenarios"), str(ROOT / "scripts")]


def load(path):
    spec = importlib.util.spec_from_file_location("story_" + path.parent.name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main():
    wanted = sys.argv[1:]
    stories = [path for path in sorted(ROOT.glob("scenarios/*/story.py")) if not wanted or any(w in path.parent.name for w in wanted)]
    if not stories:
        sys.exit("run_scenarios: no story is called " + " or ".join(wanted))
    passed = failed = 0
    for path in stories:
        started = time.monotonic()
        result = unittest.TextTestRunner(stream=sys.stderr, verbosity=1).run(load(path))
        bad = len(result.failures) + len(result.errors)
        passed, failed = passed + result.testsRun - bad, failed + bad
        print(f"{'ok  ' if not bad else 'FAIL'} {path.parent.name}: {result.testsRun} tests, {time.monotonic() - started:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
