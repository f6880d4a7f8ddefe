#!/usr/bin/env python3
"""Mixed load and 50 changes a second for minutes: do memory, descriptors and threads stay where they are?

Usage: soak.py [--minutes 10] [--orders 2000] [--rate 50] [--seed S] [--binary millrace]

Every second the memory, descriptors and threads of the server and its parsers are sampled. Two stores fill to a bound of
their own for longer than the warm-up takes, and tell how far they are: the database library's pages and the kept answers.
They are held against their bounds; what must stay where it is is the memory beside them. After the warm-up (a quarter of
the time) a line is fitted through the means of equal blocks: their scatter is the noise. A slope counts when it is above
its bar and three times its own uncertainty. Exit code 1 when one does, or a bound is passed, or a request failed or the
final answer differs from the tree.
"""
import http.client
import math
import os
import pathlib
import random
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "torture"))
import world  # noqa: E402
from order_tree import OrderTree, Writer  # noqa: E402
from world import Run, Server, Violation  # noqa: E402

BLOCKS = 12
# What may grow, per minute: memory 0.2 MB (FAULTS R21), the others not at all beyond one thing in ten minutes.
BARS = {"memory MB": 0.2, "descriptors": 0.1, "threads": 0.1}

# What may fill up, in MB: 16 of pages and what statements need of the record, its readers' 2 each; 8 of kept answers.
BOUNDS = {"millrace_record_memory_bytes": 24, "millrace_cache_bytes": 8}


def stores_of(metrics):
    """How far the bounded stores are, in MB."""
    lines = metrics.decode().splitlines()
    return {name: next(int(line.split()[1]) for line in lines if line.startswith(name + " ")) / (1 << 20) for name in BOUNDS}


def tree_of(pid):
    """The process and everything below it."""
    found = [pid]
    for parent in found:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as children:
                    found += [int(child) for child in children.read().split()]
        except OSError:
            continue  # it ended meanwhile
    return found


def sample(pid, stores):
    memory = descriptors = threads = 0
    for process in tree_of(pid):
        try:
            with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as rollup:
                memory += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024
            descriptors += len(os.listdir(f"/proc/{process}/fd"))
            threads += len(os.listdir(f"/proc/{process}/task"))
        except OSError:
            continue  # it ended meanwhile: a worker that is replaced
    return {"memory MB": memory - sum(stores.values()), "descriptors": descriptors, "threads": threads, **stores}


def fit(values, seconds_each):
    """Slope per minute through block means, and its standard error."""
    size = len(values) // BLOCKS
    means = [sum(values[at * size:(at + 1) * size]) / size for at in range(BLOCKS)]
    minutes = [(at + 0.5) * size * seconds_each / 60 for at in range(BLOCKS)]
    centre, level = sum(minutes) / BLOCKS, sum(means) / BLOCKS
    spread = sum((x - centre) ** 2 for x in minutes)
    slope = sum((x - centre) * (y - level) for x, y in zip(minutes, means)) / spread
    residual = sum((y - level - slope * (x - centre)) ** 2 for x, y in zip(minutes, means))
    return slope, math.sqrt(residual / (BLOCKS - 2) / spread)


class Reader(threading.Thread):
    """One client with a connection it keeps, and a new one every hundred requests."""

    def __init__(self, server, tree, seed, stop):
        super().__init__(daemon=True)
        self.server, self.tree, self.stop = server, tree, stop
        self.rng = random.Random(seed)
        self.times, self.failures = [], []
        self.start()

    def path(self):
        dice, order = self.rng.random(), self.rng.choice(sorted(self.tree.history))
        if dice < 0.40:
            return f"/api/v1/orders?status={self.rng.choice(('Open', 'Production', 'Shipped'))}&sort=-due&limit=50"
        if dice < 0.65:
            return f"/api/v1/orders/{order}"
        if dice < 0.75:
            return "/api/v1/totals?group=" + self.rng.choice(("customer", "status", "item", "due_month"))
        if dice < 0.80:
            return f"/api/v1/orders/{order}/history"
        if dice < 0.86:
            return f"/api/v1/orders?q={order[-2:]}&limit=20"
        return self.rng.choice(("/api/v1/today", "/api/v1/sources", "/api/v1/performance", "/health", "/metrics", "/", "/api/v1/rejections",
                                "/api/v1/orders.csv?status=Open", "/api/v1/orders.xlsx?status=Shipped"))

    def run(self):
        connection, used = None, 0
        while not self.stop.is_set():
            path = self.path()
            try:
                if connection is None or used >= 100:
                    connection, used = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30), 0
                began = time.monotonic()
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                self.times.append(time.monotonic() - began)
                used += 1
                # An order whose document is away for a moment is rightly not found.
                if answer.status != 200 and not (answer.status == 404 and path.startswith("/api/v1/orders/")):
                    self.failures.append(f"{path}: {answer.status}")
            except (OSError, http.client.HTTPException) as problem:
                self.failures.append(f"{path}: {problem!r}")
                connection = None
            self.stop.wait(self.rng.expovariate(60))


class LiveClient(threading.Thread):
    def __init__(self, server, stop):
        super().__init__(daemon=True)
        self.server, self.stop, self.messages, self.failures = server, stop, 0, []
        self.start()

    def run(self):
        try:
            while not self.stop.is_set():
                socket = self.server.live("orders?status=Open", "changes", "totals", "sources")
                until = time.monotonic() + 20  # then another one, as screens come and go
                while time.monotonic() < until and not self.stop.is_set():
                    self.messages += socket.receive(0.5) is not None
                socket.close()
        except (OSError, ConnectionError, AssertionError) as problem:
            self.failures.append(repr(problem))


def verdict(samples):
    warm = samples[len(samples) // 4:]
    good = True
    print(f"{'':12} {'start':>9} {'warm':>9} {'end':>9} {'per minute':>11} {'+-':>8} {'bar':>6}")
    for name, bar in BARS.items():
        values = [one[name] for one in warm]
        slope, error = fit(values, 1.0)
        bad = slope > bar and slope > 3 * error
        good = good and not bad
        print(f"{name:12} {samples[0][name]:9.1f} {values[0]:9.1f} {values[-1]:9.1f} {slope:11.3f} {error:8.3f} {bar:6.1f}  {'GROWS' if bad else 'flat'}")
    for name, bound in BOUNDS.items():
        highest = max(one[name] for one in samples)
        good = good and highest <= bound
        print(f"{name}: highest {highest:.1f} MB, bound {bound} MB{'' if highest <= bound else '  TOO LARGE'}")
    return good


def main():
    parser = world.arguments(__doc__, cycles=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=50)
    given = world.parse(parser)
    run = Run(given)
    print(f"soak: seed {run.seed}, {given.minutes:g} minutes, {given.orders} orders, {given.rate:g} changes a second", flush=True)
    sheets = given.orders // 20
    tree = OrderTree(run.folder / "orders", run.rng, singles=given.orders - sheets * OrderTree.SHEET, sheets=sheets)
    server = Server(run, run.folder / "data", [tree.root])
    world.wait_settled(run, server, tree, 120)
    stop = threading.Event()
    readers = [Reader(server, tree, given.seed + at, stop) for at in range(6)]
    clients = [LiveClient(server, stop) for _ in range(4)]
    writer = Writer(tree, given.rate)
    samples, began = [], time.monotonic()
    while time.monotonic() - began < given.minutes * 60:
        stop.wait(max(0.0, began + len(samples) + 1 - time.monotonic()))
        server.alive()
        samples.append(sample(server.process.pid, stores_of(server.request("GET", "/metrics")[2])))
        if len(samples) % 30 == 0:
            done = sum(len(reader.times) for reader in readers)
            print(f"  {len(samples)} s: {done} requests, {writer.changes} changes, " + ", ".join(f"{k} {v:.1f}" for k, v in samples[-1].items()),
                  file=sys.stderr, flush=True)
    stop.set()
    changes = writer.finish()
    for thread in readers + clients:
        thread.join()
    times = sorted(t for reader in readers for t in reader.times)
    failures = [f for one in readers + clients for f in one.failures]
    good = verdict(samples)
    print(f"{len(times)} requests, p50 {times[len(times) // 2] * 1000:.1f} ms, p99 {times[len(times) * 99 // 100] * 1000:.1f} ms, {len(failures)} failed; "
          f"{changes} changes; {sum(c.messages for c in clients)} live messages")
    for failure in failures[:5]:
        print("  " + failure)
    exact = True
    try:
        world.wait_settled(run, server, tree)
        world.stop_clean(server)
    except Violation as violation:
        exact = False
        print(f"  {violation}")
    run.end_servers()
    shutil.rmtree(run.folder, ignore_errors=True)
    held = good and exact and not failures
    print(f"soak: {'held' if held else 'BROKEN'}, seed {run.seed}, {'the final answer equals the tree' if exact else 'the final answer differs'}")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
