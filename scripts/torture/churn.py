#!/usr/bin/env python3
"""Creates, rewrites, renames and deletes order files as fast as it can, so that the kernel loses events too.

Usage: churn.py [--events 100000] [--seed S] [--binary millrace] [--calm 0.2]

Holds when afterwards the answers equal the tree: no order lost, none too many, none at an old value. At least one
overflow of the kernel's event queue is forced: the server is stopped (SIGSTOP) while a burst larger than the queue is
made. The longest time from the last event to the right answer is shown.
"""
import json
import os
import pathlib
import select
import signal
import time

import world
from world import Server, Violation

STATES = ("Open", "In Production", "Shipped", "Closed")


def document(number, version):
    return (f'{{"DocNum":{number},"DocDate":"2026-10-01","DocDueDate":"2026-11-30","CardCode":"C1","CardName":"ACME","DocCurrency":"EUR",'
            f'"UpdateDate":"2026-11-01","UpdateTime":"08:00:00","DocumentLines":[{{"LineNum":0,"ItemCode":"P-1","Quantity":{version},'
            f'"UnitPrice":1.0,"LineTotal":{version}.0,"RemainingOpenQuantity":{version},"LineStatus":"bost_Open"}}]}}')


class Folder:
    """What the tree should hold: order -> (path, version)."""

    def __init__(self, root, rng):
        self.root, self.rng, self.orders, self.next, self.events = pathlib.Path(root), rng, {}, 1, 0
        for state in STATES:
            for part in range(8):
                (self.root / state / f"{part:02d}").mkdir(parents=True)

    def place(self, number):
        return self.root / self.rng.choice(STATES) / f"{self.rng.randrange(8):02d}" / f"SO{number}.json"

    def write(self, path, number, version):
        if self.rng.random() < .5:
            temporary = path.with_name(f".{path.name}.tmp")
            temporary.write_text(document(number, version))
            os.rename(temporary, path)
        else:
            path.write_text(document(number, version))

    def some_order(self):
        """An order that is there; the numbers of deleted ones are drawn again."""
        if len(self.orders) < 64:
            return self.rng.choice(list(self.orders))
        while (number := self.rng.randrange(1, self.next)) not in self.orders:
            pass
        return number

    def step(self):
        """One file is created, rewritten, renamed or deleted."""
        self.events += 1
        choice = self.rng.random()
        if not self.orders or choice < .35:
            number, self.next = self.next, self.next + 1
            path = self.place(number)
            self.write(path, number, 1)
            self.orders[number] = (path, 1)
            return
        number = self.some_order()
        path, version = self.orders[number]
        if choice < .6:
            self.write(path, number, version + 1)
            self.orders[number] = (path, version + 1)
        elif choice < .8:
            to = self.place(number)
            os.rename(path, to)
            self.orders[number] = (to, version)
        else:
            path.unlink()
            del self.orders[number]

    def wanted(self):
        return {str(number): (path.parent.parent.name, version * 100) for number, (path, version) in self.orders.items()}


def shown(server):
    status, _, body = server.request("GET", "/api/v1/orders.ndjson?fields=order,status,open_amount")
    if status != 200:
        raise Violation(f"the export answered {status}")
    rows = [json.loads(line) for line in body.decode().splitlines()]
    return {row["order"]: (row["status"], row["open_amount"]["minor"]) for row in rows}


def overflow(server, folder):
    """A burst larger than the kernel's queue while nobody reads it."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        queue = int(file.read())
    before = server.source()["event_overflows"]
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        for _ in range(queue // 2 + 100):  # each step makes at least two events
            folder.step()
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    server.wait_for(lambda: server.source()["event_overflows"] > before, "the overflow to be counted", 60)
    return server.source()["event_overflows"] - before


def cycle(run):
    given = run.arguments
    orders = run.folder / f"orders{run.cycle}"
    folder = Folder(orders, run.rng)
    server = Server(run, run.folder / f"data{run.cycle}", [orders])
    try:
        while folder.events < given.events:
            folder.step()
            if run.rng.random() < 1 / 2000:
                select.select([], [], [], given.calm)
        run.count("overflows", overflow(server, folder) if given.overflow else 0)
        began, wanted = time.monotonic(), folder.wanted()
        while True:
            answer = shown(server)
            if answer == wanted and server.source()["pending"] == 0:
                break
            if time.monotonic() - began > 120:
                lost = sorted(set(wanted) - set(answer))
                phantom = sorted(set(answer) - set(wanted))
                old = [o for o in wanted if o in answer and answer[o] != wanted[o]]
                raise Violation(f"{len(lost)} lost {lost[:5]}, {len(phantom)} phantom {phantom[:5]}, {len(old)} old {old[:5]}: {server.source()}")
            select.select([], [], [], .05)
        run.sample("settled ms", (time.monotonic() - began) * 1000)
        run.count("events", folder.events)
        run.count("orders left", len(wanted))
        run.count("lost", 0)
        run.count("phantom", 0)
        if rejected := server.get("/api/v1/rejections")["data"]:
            raise Violation(f"files were refused: {rejected[:3]}")
        world.stop_clean(server)
    finally:
        server.stop()


def main(words=None):
    parser = world.arguments(__doc__, 1)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--calm", type=float, default=.2, help="seconds of rest, once in about 2,000 events")
    parser.add_argument("--no-overflow", dest="overflow", action="store_false")
    world.run_loop("churn", world.parse(parser, words), cycle)


if __name__ == "__main__":
    main()
