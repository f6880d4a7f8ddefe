#!/usr/bin/env python3
"""What an ERP sync costs at the sizes of the source document: calls, statements, rows, seconds and memory in one table.

Usage: erp_sizes.py [--binary build/release/millrace] [--sizes 100 1000 10000 100000] [--peer-up-to 100000] [--rounds 1]
                    [--simulator build/release/src/millrace_erp_simulator] [--data DIR] [--seed 1] [--json]

For each size three syncs by `millrace sync`, each a program of its own that signs in and out: the first into an empty
record, one when nothing changed, one after 1 % of the orders changed. The other side is the OData peer nobody here
wrote (scripts/odata_peer.py) up to --peer-up-to orders, beyond that or without it the simulator of the tests.

Checked every time: the calls we report are those the other side counted, a quiet sync writes no row, the rows written
afterwards are the orders that changed (for the peer: whose documents then say something else), and the record then
holds as many orders as the other side. With several rounds the median of each figure counts.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "bench"))
import erp_runs  # noqa: E402
import erp_simulator  # noqa: E402
import odata_peer  # noqa: E402

SIZES = (100, 1_000, 10_000, 100_000)
STAMPS = ("UpdateDate", "UpdateTime", "ModifiedAt", "DataVersion", "@odata.etag")
FIGURES = (("calls", "calls", "{:.0f}"), ("statements", "statements", "{:.0f}"), ("rows_written", "rows written", "{:.0f}"),
           ("seconds", "seconds", "{:.2f}"), ("memory_mb", "peak MB", "{:.0f}"))


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def said_of(order):
    """What an order says: stamps and versions do not count, nor what stands open on the lines of a closed one."""
    said = {name: value for name, value in order.items() if name not in STAMPS}
    closed = order["DocumentStatus"] != "bost_Open" or order["Cancelled"] == "tYES"
    for line in said["DocumentLines"]:
        if closed or line["LineStatus"] == "bost_Close":
            line.update(LineStatus="bost_Close", RemainingOpenQuantity=0, OpenAmount=0)
    return json.dumps(said, sort_keys=True)


class PeerErp:
    """The OData peer: its orders are read whole before and after, to know which differ."""

    def __init__(self, orders, seed):
        self.server, self.seed = odata_peer.Peer(orders, environment={"PEER_SEED": str(seed)}), seed
        self.name, self.url = "OData peer", self.server.url
        self.company, self.user, self.password = "PEER", odata_peer.USER, odata_peer.PASSWORD

    def stop(self):
        self.server.stop()

    def calls(self):
        return self.server.calls()

    def book(self):
        headers, key, rows = {"Cookie": self.server.cookie(), "B1S-PageSize": "1000"}, 0, {}
        while True:
            status, _, body = self.server.ask("GET", f"/b1s/v2/Orders?$top=1000&$orderby=DocEntry&$filter=DocEntry%20gt%20{key}", headers=headers)
            if status != 200:
                raise RuntimeError(f"the OData peer answered {status}: {body[:200]}")
            page = json.loads(body)["value"]
            if not page:
                return rows
            for row in page:
                rows[row["DocEntry"]] = said_of(row)
            key = page[-1]["DocEntry"]

    def change(self, count):
        """Answers how many orders differ afterwards, and how many there are then."""
        before = self.book()
        status, _, body = self.server.ask("POST", "/b1s/v2/Mutate", {"n": count, "seed": self.seed, "deletes": 0}, {"Cookie": self.server.cookie()})
        if status >= 300:
            raise RuntimeError(f"the OData peer refused to change orders: {status} {body[:200]}")
        after = self.book()
        return sum(before.get(key) != text for key, text in after.items()), len(after)


class SimulatedErp:
    def __init__(self, orders, seed, program):
        self.server, self.orders = erp_simulator.Simulator(program, orders, seed), orders
        self.name, self.url = "simulator", self.server.url
        self.company, self.user, self.password = erp_simulator.COMPANY, erp_simulator.USER, erp_simulator.PASSWORD

    def stop(self):
        self.server.stop()

    def calls(self):
        return self.server.calls()

    def change(self, count):
        return len({change["key"] for change in self.server.change(count)}), self.orders


def counted_sync(binary, erp, config, data):
    before = erp.calls()
    answer = erp_runs.sync(binary, "erp", config, data)
    theirs = erp.calls() - before
    if answer["calls"] != theirs:
        raise RuntimeError(f"we report {answer['calls']} calls, the {erp.name} counted {theirs}")
    return {"calls": theirs, "statements": answer["statements"], "rows_written": answer["rows_written"] + answer["rows_gone"],
            "seconds": answer["seconds"], "memory_mb": answer["memory_peak_bytes"] / (1 << 20)}


def orders_held(binary, data):
    exported = subprocess.run([binary, "export", "orders", "--format", "csv", "--data", data], capture_output=True, text=True, check=True).stdout
    return sum(not line.startswith("#") for line in exported.splitlines()) - 1


def measure(binary, erp, orders, folder):
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    config = erp_runs.settings_file(folder, {"erp": {"url": erp.url, "company": erp.company, "user": erp.user, "password": erp.password,
                                                     "streams": ["orders"]}})
    found = {"first": counted_sync(binary, erp, config, data), "quiet": counted_sync(binary, erp, config, data)}
    changed, there = erp.change(max(1, orders // 100))
    found["changed"] = counted_sync(binary, erp, config, data) | {"changed": changed}
    if found["first"]["rows_written"] != orders or found["quiet"]["rows_written"] != 0:
        raise RuntimeError(f"the first sync wrote {found['first']['rows_written']} of {orders} orders, the quiet one {found['quiet']['rows_written']}")
    if found["changed"]["rows_written"] != changed:
        raise RuntimeError(f"{changed} orders differ, the sync wrote {found['changed']['rows_written']} rows")
    if (held := orders_held(binary, data)) != there:
        raise RuntimeError(f"the record holds {held} orders, the {erp.name} {there}")
    return found


def median_of(rounds):
    return {run: {key: statistics.median(one[run][key] for one in rounds) for key in rounds[0][run]} for run in rounds[0]}


def table(found):
    heads = ["orders", "other side", "sync"] + [head for _, head, _ in FIGURES]
    rows = [[f"{size:,}", answer["erp"], run] + [form.format(answer[run][key]) for key, _, form in FIGURES]
            for size, answer in found.items() for run in ("first", "quiet", "changed")]
    for row in rows:
        row[2] = "1 % changed" if row[2] == "changed" else row[2]
    width = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    line = lambda cells: "| " + " | ".join(c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, width))) + " |"  # noqa: E731
    return "\n".join([line(heads), "|" + "|".join("-" * (w + 2) for w in width) + "|", *map(line, rows)])


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    options.add_argument("--simulator", default=str(erp_simulator.PROGRAM))
    options.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options.add_argument("--peer-up-to", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", help="folder for records and settings; a temporary one by default")
    options.add_argument("--json", action="store_true")
    options = options.parse_args()
    peer_missing, simulator_missing = odata_peer.missing(), erp_simulator.missing(options.simulator)
    if simulator_missing and (peer_missing or max(options.sizes) > options.peer_up_to):
        print(f"erp_sizes.py: {simulator_missing}", file=sys.stderr)
        return 2
    say(f"seed {options.seed}" + (f"; without the OData peer: {peer_missing}" if peer_missing else ""))
    binary, found = str(pathlib.Path(options.binary).resolve()), {}
    for size in options.sizes:
        rounds = []
        for turn in range(options.rounds):
            by_peer = size <= options.peer_up_to and not peer_missing
            erp = PeerErp(size, options.seed + turn) if by_peer else SimulatedErp(size, options.seed + turn, options.simulator)
            try:
                with tempfile.TemporaryDirectory(dir=options.data) as folder:
                    rounds.append(measure(binary, erp, size, pathlib.Path(folder)))
            finally:
                erp.stop()
            say(f"  {size} orders, round {turn + 1}, {erp.name}: " + "; ".join(f"{run} {one['seconds']:.2f} s {one['calls']} calls" for run, one in rounds[-1].items()))
        found[size] = {"erp": erp.name, **median_of(rounds)}
    print(json.dumps(found) if options.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
