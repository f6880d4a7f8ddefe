#!/usr/bin/env python3
"""Runs the torture loops, all or some, and prints one line per loop.

Usage: run.py [NAME...] [--smoke] [--cycles N] [--seed S]

--smoke is a few cycles of each, so that the loops never rot (ctest `torture_smoke`). MILLRACE_BIN names the program.
Exit code 1 when a promise was broken; the loop's own output says which, with the seed that replays it.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent

# name, what it does, cycles of a run of minutes, cycles of the smoke test (0: left out of it), more words for the smoke test
LOOPS = [
    ("kill", "kill -9 at random moments under change, during start, stop and bursts", 100, 4, ()),
    ("power", "power cuts at random moments, unsynced writes dropped or torn", 50, 3, ()),
    ("bit_rot", "damage to every file of the data folder: never a wrong answer, always noticed", 200, 3, ()),
    ("warm_file", "a damaged, foreign or old warm-start file: noticed, rebuilt, the same answer", 1000, 12, ()),
    ("disk", "the Nth sync or write fails, and a disk that is really full", 50, 2, ()),
    ("migration", "power cuts while a record of an older version is brought up to date", 40, 2, ()),
    ("churn", "100,000 files created, rewritten, renamed and deleted, more than the kernel tells: the answers equal the tree", 1, 1,
     ("--events", "3000")),
    ("many_files", "200,000 files in 20,000 folders: bounded memory, progress, and none opened twice", 1, 0, ()),
    ("erp", "an ERP that changes, lies and breaks while it is read, and kills in between", 2000, 0, ()),
    ("jobs", "kills of workers and of the server under jobs: every effect once, picked up in time, poison set aside", 500, 8,
     ("--pick-up-max", "30")),
    ("memory", "allocations that fail, an address space that is bounded", 20, 0, ()),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--cycles", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--binary", default=os.environ.get("MILLRACE_BIN", str(HERE.parent.parent / "build/release/millrace")))
    given = parser.parse_args()
    known = [name for name, *_ in LOOPS]
    unknown = [name for name in given.names if name not in known]
    if unknown:
        sys.exit(f"torture: there is no loop {', '.join(unknown)}; there are {', '.join(known)}")
    results = []
    for name, what, cycles, smoke, smoke_words in LOOPS:
        if (given.names and name not in given.names) or (given.smoke and not smoke and not given.names):
            continue
        count = given.cycles or (smoke if given.smoke else cycles)
        print(f"==> {name}: {what}", flush=True)
        words = [sys.executable, "-B", str(HERE / f"{name}.py"), "--cycles", str(count), "--binary", given.binary]
        words += smoke_words if given.smoke else ()
        seed = given.seed or (1 if given.smoke else None)
        began = time.monotonic()
        code = subprocess.run(words + (["--seed", str(seed)] if seed else []), check=False).returncode
        results.append((name, code, time.monotonic() - began))
    for name, code, seconds in results:
        print(f"{'ok  ' if code == 0 else 'FAIL'} {name}, {seconds:.0f} s")
    failed = sum(code != 0 for _, code, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
