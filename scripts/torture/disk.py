#!/usr/bin/env python3
"""A disk that fails: the Nth sync, write or creation of a file fails (EIO, ENOSPC, EROFS, EDQUOT), once, for a while or until it is
mended; and a disk of 24 MB that is really full.

Usage: disk.py [--cycles 50] [--seed S] [--binary millrace] [--heal-max 5]

Cycle N lets the Nth call fail (then every Nth again with other faults), so that 50 cycles reach calls 1..50. Holds when nothing
acknowledged is lost - also not in a power cut right after the fault, with all that rested on a failed sync gone -, when every
read is answered while the disk fails, when the server says what is wrong, and when it heals by itself within --heal-max seconds
after the disk is well again. Cycle 0 of every run is the really full disk; it needs root for a tmpfs and says so otherwise.
"""
import errno
import os
import pathlib
import shutil
import subprocess
import threading
import time

import world
from disk_image import SYNC_FAILED, Disk, build_shim, read_log, shim_environment
from order_tree import OrderTree, Writer
from world import Ledger, Listener, Server, Skip, Violation

FAULTS = [("sync", errno.EIO), ("write", errno.EIO), ("write", errno.ENOSPC), ("sync", errno.ENOSPC), ("write", errno.EROFS), ("sync", errno.EDQUOT)]


class Reads(threading.Thread):
    """Asks all the time; every question must be answered."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.done, self.failures, self.count = server, threading.Event(), [], 0
        self.start()

    def run(self):
        while not self.done.is_set():
            try:
                status, _, body = self.server.request("GET", "/api/v1/orders?limit=20")
                self.count += 1
                if status != 200:
                    self.failures.append(f"{status} {body[:120]!r}")
            except OSError as problem:
                self.failures.append(repr(problem))
            self.done.wait(0.02)

    def finish(self):
        self.done.set()
        self.join()
        if self.failures:
            raise Violation(f"{len(self.failures)} of {self.count} reads failed while the disk failed, first {self.failures[0]}")
        return self.count


class Plant:
    def __init__(self, run, name, data=None):
        self.run = run
        self.folder = run.folder / name
        self.orders, self.away, self.data = self.folder / "orders", self.folder / "away", data or self.folder / "data"
        self.folder.mkdir()
        self.data.mkdir(exist_ok=True)
        self.tree = OrderTree(self.orders, run.rng, singles=20, sheets=2)
        self.ledger = Ledger(self.tree)

    def check_record_alone(self, data, ledger):
        os.rename(self.orders, self.away)
        try:
            server = Server(self.run, data, [self.orders])
            ledger.check(server)
            server.kill()
        finally:
            os.rename(self.away, self.orders)


def check_patience(server, lines, cpu, seconds):
    """A failing disk is asked again now and then: no hot loop, and the log does not fill what is left of the disk."""
    if len(server.lines) - lines > 60 * seconds:
        raise Violation(f"{len(server.lines) - lines} log lines in {seconds} s while the disk failed, such as {server.lines[-1][:160]}")
    if server.cpu_seconds() - cpu > 0.6 * seconds:
        raise Violation(f"{server.cpu_seconds() - cpu:.1f} s of CPU in {seconds} s while the disk failed")


def settle_after(plant, server, limit, what):
    """Healed: what changed meanwhile is shown. A failed sync may instead end in a record that says it takes nothing more."""
    began = time.monotonic()
    try:
        world.wait_settled(plant.run, server, plant.tree, patience=limit)
        plant.run.sample("healed ms", (time.monotonic() - began) * 1000)
        return True
    except Violation as violation:
        notices = world.notices_of_damage(server)
        if what == "sync" and any("readyz" in notice for notice in notices):
            plant.run.count("not ready until restarted, and says so")
            return False
        raise Violation(f"not healed {limit} s after the disk was well: {violation}; it says {notices[:2]}") from None


def one_fault(run):
    number = (run.cycle - 1) % 50 + 1
    what, code = FAULTS[(run.cycle - 1) % len(FAULTS)]
    plant = Plant(run, f"plant{run.cycle}")
    broken = plant.folder / "broken"
    lasting = run.rng.random() < 0.5
    if lasting:
        broken.touch()
    log = plant.folder / "log"
    base = Disk(plant.data)
    count = run.rng.choice((1, 1, 3))
    told = f"{what} {number}: {errno.errorcode[code]}, {'until mended' if lasting else f'{count} times'}"
    environment = shim_environment(build_shim(run.folder), plant.data, log, f"{what}:{number}:{count}:{code}", broken if lasting else None)
    try:
        under_fault(plant, environment, broken, what)
        check_cuts(plant, base, log)
    except Violation as violation:
        raise Violation(f"{told}: {violation}") from None
    shutil.rmtree(plant.folder)


def under_fault(plant, environment, broken, what):
    run = plant.run
    try:
        server = Server(run, plant.data, [plant.orders], environment=environment, ready=False)
    except RuntimeError as refusal:  # the disk failed while it started: it says so, and the next start is a good one
        if not any(word in str(refusal) for word in ("I/O", "disk", "full", "written", "read-only", "readonly", "cannot")):
            raise Violation(f"did not start and does not say why: {str(refusal)[-300:]}") from None
        run.count("refused to start on a failing disk")
        return
    listener, reads, writer = Listener(server, plant.ledger), Reads(server), Writer(plant.tree, rate=60)
    lines, cpu = len(server.lines), server.cpu_seconds()
    threading.Event().wait(0.8)
    check_patience(server, lines, cpu, 0.8)
    run.count("changes written", writer.finish())
    broken.unlink(missing_ok=True)
    healed = settle_after(plant, server, run.arguments.heal_max, what)
    run.count("reads answered", reads.finish())
    if healed and run.rng.random() < 0.5:
        world.stop_clean(server)
    else:
        server.kill()
    listener.finish()
    run.count("acknowledged", plant.ledger.count)


def check_cuts(plant, base, log):
    """kill -9 kept the page cache; here the power goes, right after the fault and at the end."""
    run, events = plant.run, read_log(log)
    plant.check_record_alone(plant.data, plant.ledger)
    failed = [at for at, event in enumerate(events) if event.kind == SYNC_FAILED]
    places = {len(events)}
    if failed:
        run.count("syncs failed", len(failed))
        places.add(min(len(events), failed[-1] + run.rng.randint(1, 12)))
    for at in sorted(places):
        disk = Disk(plant.folder / "nothing")
        disk.names, disk.by_inode, disk.names_disk = dict(base.names), dict(base.by_inode), dict(base.names_disk)
        for event in events[:at]:
            disk.apply(event)
        data = plant.folder / f"cut{at}"
        how = disk.write_after_cut(data, run.rng)
        moment = events[at].begun if at < len(events) else 1 << 63
        try:
            plant.check_record_alone(data, plant.ledger.at(moment))
            run.count("power cuts")
        except (Violation, RuntimeError) as problem:
            raise Violation(f"power cut after event {at} of {len(events)} ({len(failed)} failed syncs before the end), {how}: {problem}") from None
    server = Server(run, plant.data, [plant.orders])
    world.wait_settled(run, server, plant.tree)
    world.stop_clean(server)


def really_full(run):
    """A tmpfs of 24 MB holds the data folder; a ballast file fills it under change."""
    place = run.folder / "small"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], capture_output=True, check=False).returncode:
        run.count("full disk SKIPPED (needs root to mount a tmpfs)")
        return
    try:
        plant = Plant(run, "full", place / "data")
        server = Server(run, plant.data, [plant.orders])
        listener, reads = Listener(server, plant.ledger), Reads(server)
        world.wait_settled(run, server, plant.tree)
        for _ in range(2):
            fill(place / "ballast")
            writer = Writer(plant.tree, rate=60)
            lines, cpu = len(server.lines), server.cpu_seconds()
            threading.Event().wait(2.0)
            check_patience(server, lines, cpu, 2.0)
            writer.finish()
            said = world.notices_of_damage(server) or [line for line in server.lines if "full" in line]
            if not said:
                raise Violation("the disk is full and nobody says so: no health check, no log line")
            (place / "ballast").unlink()
            settle_after(plant, server, run.arguments.heal_max, "write")
            run.count("full disk healed")
        fill(place / "ballast")
        plant.tree.step()
        server.kill()
        listener.finish()
        (place / "ballast").unlink()
        plant.check_record_alone(plant.data, plant.ledger)
        server = Server(run, plant.data, [plant.orders])
        world.wait_settled(run, server, plant.tree)
        reads.done.set()
        world.stop_clean(server)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(path):
    with open(path, "wb", buffering=0) as ballast:
        block = bytes(1 << 16)
        while block:
            try:
                ballast.write(block)
            except OSError as problem:
                if problem.errno != errno.ENOSPC:
                    raise
                block = block[:len(block) // 2]


def main():
    parser = world.arguments(__doc__, cycles=50)
    parser.add_argument("--heal-max", type=float, default=5.0, help="seconds")
    given = world.parse(parser)

    def cycle(run):
        if run.cycle == 1:
            really_full(run)
        one_fault(run)

    world.run_loop("disk", given, cycle)


if __name__ == "__main__":
    main()
