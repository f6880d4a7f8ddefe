#!/usr/bin/env python3
"""kill -9 at random moments while the tree changes: under change, during start, during stop, in a burst.

Usage: kill.py [--cycles 100] [--seed S] [--binary millrace] [--ready-max 1.0]

Holds when after every kill: the server is ready again, everything it ever showed as applied is there or superseded by a
later version on disk (half of the restarts happen with the share away, so that only the record can answer), no Sequence
goes back, no row mixes two versions, and the final answer equals the tree. Every 40 cycles it begins with an empty data
folder, so that kills hit the first load and the migration too.
"""
import csv
import os
import subprocess
import threading

import world
from order_tree import OrderTree, Writer, row_of
from world import Ledger, Listener, Server, Violation

WORLD_CYCLES = 40


class Plant:
    """A tree, a data folder and the ledger of both; lives for WORLD_CYCLES cycles."""

    def __init__(self, run):
        self.run = run
        self.folder = run.folder / f"plant{run.cycle}"
        self.orders, self.away, self.data = self.folder / "orders", self.folder / "away", self.folder / "data"
        self.tree = OrderTree(self.orders, run.rng)
        self.counted = 0  # of the ledger's acknowledgements
        self.ledger = Ledger(self.tree)
        self.began = run.cycle

    def serve(self, ready=True):
        return Server(self.run, self.data, [self.orders], ready=ready)

    def compare_with_scan(self):
        """A fresh scan by a process that knows nothing gives the same orders."""
        table = self.folder / "scan.csv"
        subprocess.run([self.run.binary, "scan", str(self.orders), "--orders-csv", str(table)], check=False, capture_output=True, timeout=120)
        with open(table, encoding="utf-8") as file:
            scanned = {row["order"]: (row["status"], row["lines"], row["net"]) for row in csv.DictReader(file)}
        wanted = {}
        for order, state in self.tree.current().items():
            row = row_of(int(order), state)
            wanted[order] = (row["status"], str(row["lines"]), f"{row['net'] / 100:.2f}")
        if scanned != wanted:
            different = [o for o in sorted(set(scanned) | set(wanted)) if scanned.get(o) != wanted.get(o)]
            raise Violation(f"a fresh scan differs from the tree at {different[:5]}")
        self.run.count("fresh scans equal")


def wait(run, least, most):
    threading.Event().wait(least + run.rng.random() * (most - least))


def kill_under_change(plant, server):
    run = plant.run
    listener = Listener(server, plant.ledger)
    writer = Writer(plant.tree, rate=120)
    wait(run, 0.05, 0.6)
    server.kill()
    run.count("changes written", writer.finish())
    listener.finish()


def kill_in_burst(plant, server):
    """All files at once, then the kill somewhere in their reading and committing."""
    listener = Listener(server, plant.ledger)
    for _ in range(40):
        plant.tree.step()
    wait(plant.run, 0.0, 0.25)
    server.kill()
    plant.run.count("changes written", 40)
    listener.finish()


def kill_during_stop(plant, server):
    listener = Listener(server, plant.ledger)
    writer = Writer(plant.tree, rate=120)
    wait(plant.run, 0.05, 0.3)
    server.process.terminate()
    wait(plant.run, 0.0, 0.08)
    server.kill()
    plant.run.count("changes written", writer.finish())
    listener.finish()


def kill_during_start(plant, server):
    """The running server dies, and so do one to three that are just starting."""
    server.kill()
    for _ in range(plant.run.rng.randint(1, 3)):
        process = subprocess.Popen([plant.run.binary, "serve", "--data", str(plant.data), "--orders", str(plant.orders),
                                    "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        plant.tree.step()
        wait(plant.run, 0.0, 0.2)
        process.kill()
        process.wait()
        plant.run.count("kills")


def check_record_alone(plant):
    """With the share away only the record can answer: a lost commit is not mended by reading the files again."""
    os.rename(plant.orders, plant.away)
    try:
        server = plant.serve()
        check_ready(plant, server)
        _, as_of = plant.ledger.check(server)
        orders = sorted(plant.ledger.sequence)
        plant.ledger.check_history(server, plant.run.rng.sample(orders, min(4, len(orders))))
        server.kill()
        plant.run.count("kills")
        plant.run.count("checked without the share")
        plant.ledger.as_of = max(plant.ledger.as_of, as_of)
    finally:
        os.rename(plant.away, plant.orders)


def check_ready(plant, server):
    limit = plant.run.arguments.ready_max
    # On a machine that others use too the wall clock counts their work; CPU time is ours alone.
    if server.ready_seconds > limit:
        plant.run.count(f"starts over {limit:g} s")
        if server.cpu_seconds() > limit:
            raise Violation(f"ready after {server.ready_seconds:.2f} s, {server.cpu_seconds():.2f} s of CPU")


KILLS = [(kill_under_change, 60), (kill_in_burst, 15), (kill_during_stop, 10), (kill_during_start, 15)]


def main():
    parser = world.arguments(__doc__, cycles=100)
    parser.add_argument("--ready-max", type=float, default=1.0, help="seconds from exec to ready")
    given = world.parse(parser)
    plants = []

    def cycle(run):
        if not plants or run.cycle - plants[-1].began >= WORLD_CYCLES:
            if plants:
                settle(plants[-1])
            plants.append(Plant(run))
        try:
            one_kill(run, plants[-1])
        except Violation:
            plants.clear()  # with --all the next cycle begins with a new one
            raise

    def one_kill(run, plant):
        if run.rng.random() < 0.5 and plant.ledger.count:
            check_record_alone(plant)
        server = plant.serve()
        check_ready(plant, server)
        plant.ledger.check(server)
        plant.ledger.acknowledge_list(server)
        if run.cycle % 5 == 0:
            world.wait_settled(run, server, plant.tree)
            plant.ledger.acknowledge_list(server)
        kill = run.rng.choices([k for k, _ in KILLS], [weight for _, weight in KILLS])[0]
        kill(plant, server)
        run.count("kills")
        run.count("acknowledged", plant.ledger.count - plant.counted)
        plant.counted = plant.ledger.count

    def settle(plant):
        server = plant.serve()
        plant.ledger.check(server)
        world.wait_settled(plant.run, server, plant.tree)
        digest = world.export_digest(server)
        world.stop_clean(server)
        plant.compare_with_scan()
        again = plant.serve()
        if world.export_digest(again) != digest:
            raise Violation("the export after a clean restart differs from the one before")
        world.stop_clean(again)

    world.run_loop("kill", given, cycle, lambda run: settle(plants[-1]) if plants else None)


if __name__ == "__main__":
    main()
