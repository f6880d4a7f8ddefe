#!/usr/bin/env python3
"""Thousands of damaged order documents against the parsers: none may crash, hang or eat memory.

Usage: hostile_files.py --tree TREE [--fuzzers build/fuzz/fuzz] [--binary build/release/millrace] [--each 2000] [--seed 1]

Takes sound documents of each format from TREE, damages them (flips, cuts, insertions, repeats, splices of two files, words
that parsers trip over), all from one seed, and lets them be read
  * by the fuzz programs, one process per format, when --fuzzers names them (clang, ASan and UBSan, `cmake --preset fuzz`):
    each file at most 2 s, the process at most --memory MB;
  * by `millrace scan`, sandbox and all, when --binary names it: it must end by itself, replace no parser, and answer
    every file.
Prints one line per format and reader; exit code 1 when anything failed. --keep leaves the damaged files in place.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

FORMATS = ("json", "csv", "xlsx", "pdf")
WORDS = {
    "json": [b'{', b'}', b'[', b']' * 50, b'[' * 200, b'"', b'\\ud800', b'1e999', b'-', b'99999999999999999999999999', b'null', b'"DocNum":', b'\xff', b'\x00'],
    "csv": [b',', b';' * 3000, b'"', b'\n', b'\r', b'\xff\xfe', b'\x00', b'1.234,56', b'=cmd()', b'OrderNo', b'99999999999999999999', b'-' * 500],
    "xlsx": [b'PK\x03\x04', b'PK\x01\x02', b'PK\x05\x06', b'\xff\xff\xff\xff', b'<!DOCTYPE a [<!ENTITY b "c">]>', b'<c r="XFD1048576"/>', b'\x00' * 40, b'&lol;'],
    "pdf": [b'stream', b'endstream', b'endobj', b'/Length 99999999', b'/W [1 4 2]', b'/Kids [2 0 R]', b'/Filter [/FlateDecode /FlateDecode /ASCIIHexDecode]',
            b'<<' * 300, b'[' * 500, b'/Parent 9 0 R', b'9 0 R', b'/Prev 0', b'startxref\n0', b'Tj', b'BT', b'/ToUnicode 6 0 R', b'-1', b'1e38', b'/Count 2147483647'],
}


def sound_documents(tree, ending, most=200):
    found = []
    for folder, folders, files in os.walk(tree, onerror=lambda error: None):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.endswith("." + ending) and os.path.isfile(path) and 0 < os.path.getsize(path) < 200_000:
                with open(path, "rb") as file:
                    found.append(file.read())
                if len(found) == most:
                    return found
    return found


def damaged(rng, documents, words):
    data = bytearray(rng.choice(documents))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = rng.choice((0, 0xFF, 0x20, 0x0A, 0x22, 0x3C, 0x28, rng.randrange(256)))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = rng.choice(words)
        elif kind == 4:
            del data[at:at + rng.randrange(1, 200)]
        elif kind == 5:
            piece = bytes(data[at:at + rng.randrange(1, 400)])
            data[at:at] = piece * rng.choice((1, 2, 50))
        else:
            other = rng.choice(documents)
            data[at:] = other[rng.randrange(len(other) + 1):]
    return bytes(data)


def write_damaged(folder, ending, documents, count, seed):
    rng = random.Random(f"{seed} {ending}")
    os.makedirs(folder)
    for i in range(count):
        with open(os.path.join(folder, f"SO{900000 + i}.{ending}"), "wb") as file:
            file.write(damaged(rng, documents, WORDS[ending]))


def run_fuzzer(fuzzers, ending, folder, memory):
    program = os.path.join(fuzzers, f"fuzz_{ending}")
    environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=8:malloc_context_size=4", UBSAN_OPTIONS="print_stacktrace=1")
    begun = time.monotonic()
    run = subprocess.run([program, "-runs=0", "-timeout=2", f"-rss_limit_mb={memory}", "-max_len=4194304", folder],
                         capture_output=True, text=True, errors="replace", env=environment, check=False, timeout=1200)
    tail = [line for line in run.stderr.splitlines() if line.strip()]
    peak = [word for line in tail if "INITED" in line or "DONE" in line for word in line.split() if word.endswith("Mb")]
    good = run.returncode == 0
    print(f"{ending}: fuzz program {'held' if good else 'FAILED'}, {time.monotonic() - begun:.1f} s, peak {peak[-1] if peak else '?'}", flush=True)
    if not good:
        print("  " + "\n  ".join(tail[-12:]))
    return good


def run_scan(binary, ending, folder, count):
    begun = time.monotonic()
    run = subprocess.run([binary, "scan", folder, "--json"], capture_output=True, text=True, errors="replace", check=False, timeout=1200)
    took = time.monotonic() - begun
    replaced = [line for line in run.stderr.splitlines() if "parser_replaced" in line or "parser_ended" in line]
    try:
        files = json.loads(run.stdout)["files"]
    except (ValueError, KeyError):
        files = None
    good = run.returncode in (0, 6) and files == count and not replaced
    print(f"{ending}: millrace scan {'held' if good else 'FAILED'}: {files} of {count} files answered, exit {run.returncode}, "
          f"{len(replaced)} parsers replaced, {took:.1f} s", flush=True)
    for line in replaced[:5]:
        print("  " + line[:300])
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--fuzzers")
    parser.add_argument("--binary")
    parser.add_argument("--each", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", type=int, default=256, help="MB a fuzz program may use, sanitizer and all")
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        base = arguments.keep or temporary
        for ending in arguments.format or FORMATS:
            documents = sound_documents(arguments.tree, ending)
            if not documents:
                sys.exit(f"{arguments.tree} holds no {ending} document")
            folder = os.path.join(base, f"hostile-{ending}")
            write_damaged(folder, ending, documents, arguments.each, arguments.seed)
            if arguments.fuzzers:
                good &= run_fuzzer(arguments.fuzzers, ending, folder, arguments.memory)
            if arguments.binary:
                good &= run_scan(arguments.binary, ending, folder, arguments.each)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
