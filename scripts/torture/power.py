#!/usr/bin/env python3
"""Power cuts: records every write, sync and name change of the data folder, rebuilds the folder as of random moments with
what was not synced dropped or torn, and starts from it.

Usage: power.py [--cycles 50] [--seed S] [--binary millrace]

A cycle is one cut. Ten cuts share one recorded run: a server (on a fresh data folder, or on what the run before left) under
change, ended by SIGTERM or by kill -9. After each cut: with the share away the server answers from the rebuilt folder alone and
everything acknowledged before the cut is there; with the share back it settles to what the tree says. The log is proven
whole: replayed to its end it must equal the real folder byte for byte.
"""
import os
import shutil
import threading

import world
from disk_image import RESIZE, SYNC, SYNC_FOLDER, WRITE, Disk, build_shim, read_log, self_test, shim_environment
from order_tree import OrderTree, Writer
from world import Ledger, Listener, Server, Violation

CUTS_PER_RECORDING = 10


class Recording:
    """One run of the server with its log, its ledger and the tree at its end."""

    def __init__(self, run, number, earlier):
        self.run = run
        self.folder = run.folder / f"recording{number}"
        self.orders, self.away, self.data = self.folder / "orders", self.folder / "away", self.folder / "data"
        self.base, log = self.folder / "base", self.folder / "log"
        self.killed = 0
        self.folder.mkdir()
        if earlier is not None and run.rng.random() < 0.6:  # go on from what the last one left: a start with a past
            os.rename(earlier.orders, self.orders)
            shutil.copytree(earlier.data, self.data)
            self.tree, self.ledger = earlier.tree, earlier.ledger
            self.tree.root = self.orders
        else:
            self.data.mkdir()
            self.tree = OrderTree(self.orders, run.rng)
            self.ledger = Ledger(self.tree)
        shutil.copytree(self.data, self.base)
        # Copies have inodes of their own: those of the real files are what the log speaks of.
        disk = Disk(self.data)
        self._record(shim_environment(build_shim(run.folder), self.data, log, delay_us=run.rng.choice((0, 500, 3000))))
        self.events = [event for event in read_log(log) if not (run.arguments.forget_syncs and event.kind == SYNC)]
        self.inodes = {name: inode for inode, file in disk.by_inode.items() for name in disk.names if disk.names[name] is file}
        for event in self.events:
            disk.apply(event)
        different = disk.differences(self.data)
        if len(different) > self.killed:  # a kill may fall between the last call and its note
            raise RuntimeError(f"the log is not whole: {different}")
        run.count("events recorded", len(self.events))

    def _record(self, environment):
        run = self.run
        server = Server(run, self.data, [self.orders], environment=environment)
        listener = Listener(server, self.ledger)
        self.ledger.acknowledge_list(server)
        writer = Writer(self.tree, rate=run.rng.choice((40, 150, 400)))
        threading.Event().wait(0.8 + 1.5 * run.rng.random())  # long enough for checkpoints, and for a log that begins again
        if run.rng.random() < 0.5:
            run.count("changes written", writer.finish())
            world.stop_clean(server)
        else:
            server.kill()
            self.killed = 1
            run.count("changes written", writer.finish())
        listener.finish()

    def disk_at(self, count):
        """The disk after the first `count` events, from a base whose files carry the inodes of the log."""
        disk = Disk(self.base)
        disk.by_inode = {inode: disk.names[name] for name, inode in self.inodes.items()}
        for event in self.events[:count]:
            disk.apply(event)
        return disk

    def choose_cut(self):
        """How many events happened before the cut. Half of the cuts come right before or after something is made durable."""
        rng = self.run.rng
        borders = [at for at, event in enumerate(self.events) if event.kind in (SYNC, SYNC_FOLDER)]
        if borders and rng.random() < 0.5:
            return min(len(self.events), rng.choice(borders) + rng.randint(0, 1))
        inside = [at for at, event in enumerate(self.events) if event.kind in (WRITE, RESIZE)]
        return rng.choice(inside) if inside and rng.random() < 0.5 else rng.randint(0, len(self.events))

    def check_cut(self, number):
        run, count = self.run, self.choose_cut()
        data = self.folder / f"cut{number}"
        how = self.disk_at(count).write_after_cut(data, run.rng)
        # Whoever heard of a change before the next event began, heard of it before the power went.
        moment = self.events[count].begun if count < len(self.events) else 1 << 63
        ledger = self.ledger.at(moment)
        run.count("acknowledged before a cut", ledger.count)
        where = f"cut after event {count} of {len(self.events)}, {how}"
        try:
            self._check_from(data, ledger)
        except Violation as violation:
            raise Violation(f"{where}: {violation}") from None
        except RuntimeError as problem:  # it did not start
            raise Violation(f"{where}: {problem}") from None
        shutil.rmtree(data)

    def _check_from(self, data, ledger):
        os.rename(self.orders, self.away)
        try:
            server = Server(self.run, data, [self.orders])
            ledger.check(server)
            orders = sorted(ledger.sequence)
            ledger.check_history(server, self.run.rng.sample(orders, min(4, len(orders))))
            server.kill()
        finally:
            os.rename(self.away, self.orders)
        server = Server(self.run, data, [self.orders])
        world.wait_settled(self.run, server, self.tree)
        ledger.check(server)
        world.stop_clean(server)


def main():
    self_test()
    parser = world.arguments(__doc__, cycles=50)
    parser.add_argument("--forget-syncs", action="store_true", help="a disk that lies: shows that the loop sees a loss; must end BROKEN")
    given = world.parse(parser)
    recordings = []

    def cycle(run):
        if not recordings or (run.cycle - 1) % CUTS_PER_RECORDING == 0:
            earlier = recordings.pop() if recordings else None
            recordings.append(Recording(run, run.cycle, earlier))
        recordings[-1].check_cut(run.cycle)

    world.run_loop("power", given, cycle)


if __name__ == "__main__":
    main()
