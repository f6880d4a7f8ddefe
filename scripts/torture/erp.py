#!/usr/bin/env python3
"""Random schedules of changes, faults and kills between a simulated ERP and the record: no difference, no false tombstone.

Usage: erp.py [--cycles 2000] [--seed S] [--binary millrace]

Runs `millrace_convergence` twice, with manufacturers that are renamed and without; it lies beside the program (build it with `ninja millrace_convergence`). Holds when every schedule is
good, and when each of four deliberately wrong syncs is caught within 200 schedules: a harness that cannot see them proves
nothing. A broken schedule prints the seed that replays it.
"""
import argparse
import pathlib
import random
import subprocess
import sys

BROKEN = ["offset", "exclusive", "late_watermark", "absence"]
BROKEN_WITHIN = 200


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=2000)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--binary", required=True)
    given = parser.parse_args()
    seed = given.seed or random.SystemRandom().randrange(1, 1_000_000_000)
    program = pathlib.Path(given.binary).resolve().parent / "src" / "millrace_convergence"
    if not program.is_file():
        sys.exit(f"{program} is not built; run: ninja millrace_convergence")
    failed = False
    # Names that change write orders of their own; without them a schedule has fewer excuses.
    for more in ([], ["--no-renames"]):
        words = [program, "--seed", str(seed), "--schedules", str(given.cycles), *more]
        print(*words[1:], flush=True)
        failed |= subprocess.run(words, check=False).returncode != 0
    for name in BROKEN:
        words = [program, "--seed", str(seed), "--schedules", str(BROKEN_WITHIN), "--broken", name, "--until-broken"]
        caught = subprocess.run(words, check=False, capture_output=True, text=True)
        if caught.returncode == 1:
            print(f"caught: the wrong sync '{name}'")
        else:
            print(f"NOT CAUGHT within {BROKEN_WITHIN} schedules: the wrong sync '{name}' (seed {seed})\n{caught.stdout}{caught.stderr}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
