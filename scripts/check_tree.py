#!/usr/bin/env python3
"""Holds `millrace scan` against the exact truth of trees made by make_order_tree.py.

Usage: check_tree.py --binary build/release/millrace TREE...

Beside each TREE lie TREE.orders.csv (amounts in hundredths) and TREE.manifest.json (troubled files and their outcome).
Prints one line per tree; exit code 1 when any order, amount or outcome differs.
"""
import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

MONEY = ("net", "tax", "freight", "total", "open")
DECIMALS = {"JPY": 0}
MUST_BE_LISTED = {"reject": {"reject"}, "keep_previous": {"keep_previous"}, "ingest_and_flag": {"ingest_and_flag"}}
MUST_NOT_BE_LISTED = {"ingest", "ignore"}


def read_csv(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(io.StringIO(file.read())))


def hundredths(text, currency):
    negative, digits = text.startswith("-"), text.lstrip("-")
    whole, _, fraction = digits.partition(".")
    if len(fraction) != DECIMALS.get(currency, 2):
        raise ValueError(f"{text} {currency} has the wrong number of decimals")
    value = int(whole) * 100 + int((fraction + "00")[:2])
    return -value if negative else value


def order_differences(truth, found):
    ours = {row["order"]: row for row in found}
    theirs = {row["order"]: row for row in truth}
    problems = [f"order {n} is missing ({theirs[n]['path']!r})" for n in theirs if n not in ours]
    problems += [f"order {n} should not count ({ours[n]['path']!r})" for n in ours if n not in theirs]
    for number in theirs.keys() & ours.keys():
        for column, wanted in theirs[number].items():
            have = ours[number][column]
            if column in MONEY:
                have = str(hundredths(have, ours[number]["currency"]))
            if have != wanted:
                problems.append(f"order {number} {column}: {have!r} instead of {wanted!r} ({theirs[number]['path']!r})")
    if [row["order"] for row in found] != sorted((row["order"] for row in found), key=int):
        problems.append("the orders are not sorted by number")
    return problems


def outcome_differences(manifest, rejections):
    listed = {}
    for row in rejections:
        listed.setdefault(row["path"], []).append(row)
    problems = []
    named = {}
    for trouble in manifest["trouble"]:
        named.setdefault(trouble["path"], set()).add(trouble["outcome"])
    for path, outcomes in named.items():
        rows = listed.get(path, [])
        have = {row["outcome"] for row in rows}
        for outcome in outcomes:
            if outcome in MUST_BE_LISTED and not have & MUST_BE_LISTED[outcome]:
                problems.append(f"{path!r} should be listed as {outcome}, is {sorted(have) or 'not listed'}")
        if outcomes <= MUST_NOT_BE_LISTED and rows:
            problems.append(f"{path!r} ({sorted(outcomes)}) is listed: {rows[0]['reason']}")
        if any(not row["reason"] for row in rows):
            problems.append(f"{path!r} is listed without a reason")
    for path in listed.keys() - named.keys():
        problems.append(f"clean file {path!r} is listed: {listed[path][0]['reason']}")
    return problems


def check(binary, tree):
    with tempfile.TemporaryDirectory() as folder:
        orders, rejections = os.path.join(folder, "orders.csv"), os.path.join(folder, "rejections.csv")
        run = subprocess.run([binary, "scan", tree, "--orders-csv", orders, "--rejections", rejections, "--json"],
                             capture_output=True, text=True, check=False)
        if run.returncode not in (0, 6):
            return [f"scan ended with {run.returncode}: {run.stderr[-400:]}"], ""
        found, refused = read_csv(orders), read_csv(rejections)
    with open(tree + ".manifest.json", encoding="ascii") as file:
        manifest = json.load(file)
    problems = order_differences(read_csv(tree + ".orders.csv"), found) + outcome_differences(manifest, refused)
    wanted_exit = 6 if any(t["outcome"] in ("reject", "keep_previous") for t in manifest["trouble"]) else 0
    if run.returncode != wanted_exit:
        problems.append(f"exit code {run.returncode} instead of {wanted_exit}")
    return problems, f"{len(found)} orders, {len(refused)} listed files and rows, exit {run.returncode}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--most", type=int, default=20, help="differences to print per tree")
    parser.add_argument("tree", nargs="+")
    arguments = parser.parse_args()
    failed = False
    for tree in arguments.tree:
        problems, summary = check(arguments.binary, tree.rstrip("/"))
        print(f"{tree}: {'exact' if not problems else f'{len(problems)} differences'}; {summary}", flush=True)
        for problem in problems[:arguments.most]:
            print("  " + problem)
        failed |= bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
