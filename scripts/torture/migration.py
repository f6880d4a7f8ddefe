#!/usr/bin/env python3
"""Kills and power cuts while an older record is brought up to date (fault B11).

Usage: migration.py [--cycles 40] [--seed S] [--binary millrace]

format_1/record.sql is what version 0.1 wrote, answers.json what it answered. The start of today's program on it is recorded
call by call; each cycle cuts the power at the next of these moments (spread evenly over all of them), then starts again:
every order with its version and its Sequence must be there, and the start after that one answers the same.
"""
import json
import pathlib
import shutil
import sqlite3

import world
from disk_image import Disk, build_shim, read_log, shim_environment
from world import Server, Violation

FORMAT_1 = pathlib.Path(__file__).with_name("format_1")


def old_record(data):
    data.mkdir(parents=True)
    connection = sqlite3.connect(data / "record.sqlite")
    connection.executescript((FORMAT_1 / "record.sql").read_text(encoding="utf-8"))
    connection.close()


def expected():
    answers = json.loads((FORMAT_1 / "answers.json").read_text(encoding="utf-8"))
    return {order: ((state[0], state[1]), sequence) for order, (state, sequence) in answers["orders"].items()}, answers["as_of"]


class Upgrade:
    """The upgrade, recorded once."""

    def __init__(self, run):
        self.run = run
        self.base, self.away = run.folder / "base", run.folder / "share-that-is-away"
        old_record(self.base)
        data, log = run.folder / "recorded", run.folder / "log"
        shutil.copytree(self.base, data)
        self.inodes = {path.stat().st_ino: path.name for path in data.iterdir()}
        server = self.serve(data, shim_environment(build_shim(run.folder), data, log))
        self.check(server)
        world.stop_clean(server)
        self.events = read_log(log)
        run.count("calls in the upgrade", len(self.events))

    def serve(self, data, environment=None):
        # The source keeps its name, "orders", so that its rows are those of the record.
        return Server(self.run, data, [self.away / "orders"], environment=environment)

    @staticmethod
    def check(server):
        rows, as_of = world.listed(server)
        if (rows, as_of) != expected():
            wanted, wanted_as_of = expected()
            raise Violation(f"as of {as_of} instead of {wanted_as_of}; {len(rows)} of {len(wanted)} orders; different: "
                            f"{[order for order in wanted if rows.get(order) != wanted[order]][:5]}")

    def cut(self, at, data):
        disk = Disk(self.base)
        disk.by_inode = {inode: disk.names[name] for inode, name in self.inodes.items()}
        for event in self.events[:at]:
            disk.apply(event)
        return disk.write_after_cut(data, self.run.rng)


def main():
    given = world.parse(world.arguments(__doc__, cycles=40))
    made = []

    def cycle(run):
        if not made:
            made.append(Upgrade(run))
        upgrade = made[0]
        at = (run.cycle - 1) * len(upgrade.events) // max(1, given.cycles - 1)
        data = run.folder / f"cut{run.cycle}"
        how = upgrade.cut(at, data)
        try:
            for stop in (True, False):
                server = upgrade.serve(data)
                upgrade.check(server)
                world.stop_clean(server) if stop else server.kill()
        except (Violation, RuntimeError) as problem:
            raise Violation(f"power cut after call {at} of {len(upgrade.events)}, {how}: {problem}") from None
        shutil.rmtree(data)

    world.run_loop("migration", given, cycle)


if __name__ == "__main__":
    main()
