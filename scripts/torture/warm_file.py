#!/usr/bin/env python3
"""Damages the warm-start file in every way a disk, a person or an older program could: each start must notice and rebuild.

Usage: warm_file.py [--cycles 1000] [--seed S] [--binary millrace] [--orders 60]

Each cycle puts one mutation in place of the whole file (flip, cut, zeroed run, swapped or doubled runs, another record's
file, another version, an empty or a foreign file), starts `millrace scan --data` and every 50th time the server. Holds
when the file is refused, counted and said every time, the answer equals the one before to the byte, no order file is
opened, and the next start is warm again.
"""
import json
import re
import shutil
import subprocess

import world
from order_tree import OrderTree
from world import Server, Violation, export_digest

KINDS = ("flip", "cut", "zero", "swap", "double", "append", "foreign", "version", "empty", "text", "header", "table")


class Plant:
    def __init__(self, run, name, orders):
        self.run, self.folder = run, run.folder / name
        self.orders, self.data = self.folder / "orders", self.folder / "data"
        tree = OrderTree(self.orders, run.rng)
        for _ in range(orders):
            tree.step()
        self.scan()
        self.whole = self.warm.read_bytes()
        self.answer, _, _ = self.scan()
        self.digest = self.serve_digest()

    @property
    def warm(self):
        return self.data / "warm.bin"

    def scan(self):
        """The lists of a scan from the data folder, the files it opened, and what it said on stderr."""
        csv = self.folder / "orders.csv"
        done = subprocess.run([self.run.binary, "scan", str(self.orders), "--data", str(self.data), "--orders-csv", str(csv), "--json"],
                              check=False, capture_output=True, timeout=120)
        if done.returncode not in (0, 6):
            raise Violation(f"scan ended with {done.returncode}: {done.stderr[-500:]!r}")
        said = json.loads(done.stdout)
        read = said.pop("files_read")
        said = {name: said[name] for name in ("orders", "lines", "net", "open", "files", "as_of", "totals", "statuses", "rejected")}
        return (said, csv.read_bytes()), read, done.stderr.decode("utf-8", "replace")

    def serve_digest(self):
        server = Server(self.run, self.data, [self.orders])
        digest = export_digest(server)
        self.metrics = server.request("GET", "/metrics")[2].decode()
        server.stop()
        return digest


def mutated(run, whole, other):
    rng, kind = run.rng, run.rng.choice(KINDS)
    data = bytearray(whole)
    at = rng.randrange(len(data))
    size = rng.randrange(1, min(4096, len(data)))
    end = min(len(data), at + size)
    if kind == "flip":
        for _ in range(rng.choice((1, 1, 2, 50))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "zero":
        data[at:end] = bytes(end - at)
    elif kind == "swap":
        to = rng.randrange(len(data) - (end - at) + 1)
        data[at:end], data[to:to + end - at] = data[to:to + end - at], data[at:end]
    elif kind == "double":
        data[at:at] = data[at:end]
    elif kind == "append":
        data += rng.randbytes(size)
    elif kind == "foreign":
        data = bytearray(other)
    elif kind == "version":
        data[12] ^= 1 + rng.randrange(255)
    elif kind == "empty":
        data = bytearray()
    elif kind == "text":
        data = bytearray(b"this was once a warm start\n" * rng.randrange(1, 99))
    elif kind == "header":
        data[rng.randrange(96)] ^= 1 + rng.randrange(255)
    elif kind == "table":
        data[len(data) - 1 - rng.randrange(min(400, len(data)))] ^= 1 + rng.randrange(255)
    return kind, bytes(data)


class Loop:
    def __init__(self, orders):
        self.orders, self.plant, self.other = orders, None, None

    def cycle(self, run):
        if self.plant is None:
            self.plant = Plant(run, "ours", self.orders)
            self.other = Plant(run, "theirs", self.orders).whole
        plant = self.plant
        kind, data = mutated(run, plant.whole, self.other)
        if data == plant.whole:
            return
        run.count(kind)
        plant.warm.write_bytes(data)
        if run.cycle % 50 == 0:
            if plant.serve_digest() != plant.digest:
                raise Violation(f"the export differs after {kind}")
            counted = re.search(r'millrace_warm_start_refused_total\{reason="\w+"\} (\d+)', plant.metrics)
            if not counted or counted.group(1) != "1":
                raise Violation(f"{kind} was not counted: {counted}")
            run.count("served")
        else:
            answer, read, said = plant.scan()
            if answer != plant.answer:
                raise Violation(f"the answer differs after {kind}")
            if "warm_start_refused" not in said:
                raise Violation(f"{kind} was not noticed: {said[-300:]}")
            if read != 0:
                raise Violation(f"{read} order files were opened after {kind}")
        plant.whole = plant.warm.read_bytes()
        if run.cycle % 10 == 0:
            answer, _, said = plant.scan()
            if answer != plant.answer or "warm_start_refused" in said:
                raise Violation(f"the start after the rebuilt one is not warm: {said[-300:]}")
            run.count("warm again")
        run.count("noticed")


def main():
    parser = world.arguments(__doc__, cycles=1000)
    parser.add_argument("--orders", type=int, default=60)
    given = world.parse(parser)
    loop = Loop(given.orders)
    world.run_loop("warm_file", given, loop.cycle)


if __name__ == "__main__":
    main()
