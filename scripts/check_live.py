#!/usr/bin/env python3
"""Serves a tree while mutate_order_tree.py changes it, and measures how fast each change reaches a live client.

Usage: check_live.py --binary build/release/millrace --mutator mutate_order_tree.py --tree DIR [--rate 50] [--seconds 60]

A change is visible when a WebSocket delta shows the order as the mutator expects it after the change. The latency is
measured from `t_done` (the change is complete on disk). A half-written state that becomes visible, a change that never
arrives, or a final export that differs from the truth is a failure (exit code 1).
"""
import argparse
import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from check_tree import hundredths, read_csv  # noqa: E402
from millrace_client import Millrace  # noqa: E402

SETTLE = 10  # seconds after the last change
MERGE_NS = 1_000_000_000  # a state that lasted for less may be passed over: the next one of the same order is shown


def scaled(money):
    return money["minor"] * (100 if money["currency"] == "JPY" else 1)


def state_of_row(row):
    return {"status": row["status"], "currency": row["currency"], "lines": row["lines"], "net": scaled(row["net"]),
            "tax": scaled(row["tax"]), "freight": scaled(row["freight"]), "total": scaled(row["total"]),
            "open": scaled(row["open_amount"])}


def wanted_state(expect):
    return {key: expect[key] for key in ("status", "currency", "lines", "net", "tax", "freight", "total", "open")}


class Listener(threading.Thread):
    """Collects every state of every order with the moment it arrived."""

    def __init__(self, millrace):
        super().__init__(daemon=True)
        self.socket = millrace.live("orders", "changes")
        self.seen = {}      # order -> [(time_ns, state or None)]
        self.changes = []   # worded changes with their arrival
        self.resyncs = 0
        self.subscribed = threading.Event()
        self.stop = False

    def run(self):
        while not self.stop:
            try:
                message = self.socket.receive(1)
            except ConnectionError:
                return
            now = time.time_ns()
            if message is None:
                continue
            if message["op"] == "subscribed" and message["id"] == "1":
                self.subscribed.set()
            if message["op"] == "resync":
                self.resyncs += 1
            if message["op"] != "delta":
                continue
            for row in message.get("rows", ()):
                self.seen.setdefault(row["order"], []).append((now, state_of_row(row)))
            for order in message.get("gone", ()):
                self.seen.setdefault(order, []).append((now, None))
            for change in message.get("changes", ()):
                self.changes.append((now, change))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def judge(events, listener):
    """Latency of every change that alters what is shown, and everything that went wrong."""
    latencies, problems, known = [], [], {}
    next_begin = {}
    for event in reversed(events):
        event["next_begin"] = next_begin.get(event["order"])
        next_begin[event["order"]] = event["t_begin"]
    for event in events:
        order, expect = str(event["order"]), event["expect"]
        wanted = wanted_state(expect) if expect["present"] else None
        same_as_before = known.get(order, "unknown") == wanted
        known[order] = wanted
        if event["op"] == "touch" or event["op"] == "rename" or same_as_before:
            continue  # nothing that the order list shows changed
        arrived = [t for t, state in listener.seen.get(order, ()) if t >= event["t_begin"] and state == wanted]
        if arrived:
            latencies.append((max(0, arrived[0] - event["t_done"]) / 1e6, event))
        elif not event["next_begin"] or event["next_begin"] - event["t_done"] > MERGE_NS:
            problems.append(f"change {event['seq']} ({event['op']} of {order}) never arrived")
    return latencies, problems


def half_states(events, listener):
    """States that no event ever expected: parts of a file that was still being written."""
    allowed, problems = {}, []
    for event in events:
        expect = event["expect"]
        allowed.setdefault(str(event["order"]), []).append(wanted_state(expect) if expect["present"] else None)
    for order, states in listener.seen.items():
        for _, state in states:
            if order in allowed and state not in allowed[order] and state is not None:
                before = [s for s in states if s[1] == state]
                problems.append((order, before[0][1]))
    return problems


def export_rows(binary, data):
    run = subprocess.run([binary, "export", "orders", "--data", data, "--format", "csv"], capture_output=True, check=True)
    text = run.stdout.decode("utf-8", "surrogateescape")
    return list(csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if not line.startswith("#")))))


def final_differences(rows, truth):
    ours = {}
    for row in rows:
        currency = row["currency"]
        ours[row["order"]] = {"status": row["status"], "customer": row["customer"], "currency": currency, "lines": row["lines"],
                              "net": str(hundredths(row["net"], currency)), "tax": str(hundredths(row["tax"], currency)),
                              "freight": str(hundredths(row["freight"], currency)), "total": str(hundredths(row["total"], currency)),
                              "open": str(hundredths(row["open_amount"], currency)), "format": row["format"]}
    problems = [f"order {row['order']} is missing" for row in truth if row["order"] not in ours]
    theirs = {row["order"] for row in truth}
    problems += [f"order {order} should be gone" for order in ours if order not in theirs]
    for row in truth:
        for key, value in ours.get(row["order"], {}).items():
            if row[key] != value:
                problems.append(f"order {row['order']} {key}: {value!r} instead of {row[key]!r}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--mutator", required=True)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--p99-max-ms", type=float, default=1000)
    a = parser.parse_args()
    tree = a.tree.rstrip("/")
    with tempfile.TemporaryDirectory() as data:
        with Millrace(a.binary, data, [tree]) as millrace:
            millrace.wait_for(lambda: millrace.request("GET", "/readyz")[0] == 200, "ready", 600)
            print(f"serving {millrace.get('/api/v1/orders?limit=1')['total']} orders, RSS {millrace.rss_bytes() / 1e6:.1f} MB", flush=True)
            listener = Listener(millrace)
            listener.start()
            if not listener.subscribed.wait(30):
                raise SystemExit("the live subscription was not confirmed")
            subprocess.run([sys.executable, a.mutator, "--tree", tree, "--rate", str(a.rate), "--seconds", str(a.seconds),
                            "--seed", str(a.seed)], check=True)
            with open(tree + ".changes.jsonl", encoding="ascii") as log:
                events = [json.loads(line) for line in log]
            truth = read_csv(tree + ".orders.after.csv")
            settled = lambda: millrace.get("/api/v1/orders?limit=1")["total"] == len(truth) and all(
                source["pending"] == 0 for source in millrace.get("/api/v1/sources")["data"])
            millrace.wait_for(settled, "the last change", SETTLE)
            listener.join(2)
            listener.stop = True
            rss = millrace.rss_bytes()
        latencies, problems = judge(events, listener)
        partial = half_states(events, listener)
        problems += [f"order {order} showed a state that never was: {state}" for order, state in partial]
        moves = [c for _, c in listener.changes if c["kind"] == "status_changed"]
        problems += final_differences(export_rows(a.binary, data), truth)
    values = [ms for ms, _ in latencies]
    print(f"{len(events)} events, {len(values)} visible changes: p50 {percentile(values, .5):.1f} ms, p95 {percentile(values, .95):.1f} ms, "
          f"p99 {percentile(values, .99):.1f} ms, max {max(values):.1f} ms; {len(moves)} status changes; resyncs {listener.resyncs}; RSS {rss / 1e6:.1f} MB")
    for ms, event in sorted(latencies, key=lambda x: -x[0])[:3]:
        print(f"  slowest: {ms:.1f} ms {event['op']} of {event['order']} {event['path']}")
    removed_and_new = [c for _, c in listener.changes if c["kind"] == "order_removed"]
    deletes = sum(e["op"] == "delete" for e in events)
    if len(removed_and_new) != deletes:
        deleted = {str(e["order"]) for e in events if e["op"] == "delete"}
        wrongly = [c["order"] + ": " + c["text"] for c in removed_and_new if c["order"] not in deleted]
        problems.append(f"{len(removed_and_new)} orders were reported removed, {deletes} were deleted; not deleted: {wrongly[:5]}")
    for problem in problems[:20]:
        print("  " + problem)
    late = percentile(values, .99) > a.p99_max_ms
    print("exact: the final export equals the truth" if not problems else f"{len(problems)} problems")
    sys.exit(1 if problems or late else 0)


if __name__ == "__main__":
    main()
