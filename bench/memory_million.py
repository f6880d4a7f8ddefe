#!/usr/bin/env python3
"""How much memory does the server need for a million orders with five lines each, loaded through its own folder reader?

Usage: memory_million.py [--binary build/release/millrace] [--orders 1000000] [--keep DIR] [--bar-mb 256] [--restart] [--json]

Writes the orders as CSV files of 2,500 orders each (seeded; distributions as in a wholesaler's book: skewed items and
customers, prices by item, most orders closed), lets `millrace serve` load them into an empty data folder, and prints
memory of the server process when everything is loaded and after a minute of quiet reading, with the ratio to the bar and
what /api/v1/performance/memory explains of it. --keep keeps the tree in DIR and uses it again. --restart measures the
same after a stop and a second start.
"""
import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from millrace_client import Millrace  # noqa: E402

SEED, LINES, ORDERS_PER_FILE = 20261122, 5, 2500
ITEMS, CUSTOMERS, PEOPLE, DAYS = 5000, 800, 40, 1500
HEAD = ("OrderNo,CustomerCode,CustomerName,CustomerPO,OrderDate,DueDate,Currency,Salesperson,LineNo,ItemCode,Description,Manufacturer,"
        "Warehouse,Quantity,OpenQuantity,UnitPrice,DiscountPercent,LineStatus,Tax,Freight,Updated\r\n")


def iso(day):
    return time.strftime("%Y-%m-%d", time.gmtime(day * 86400))


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


class Book:
    def __init__(self, orders):
        self.rng = random.Random(SEED)
        self.orders = orders
        nouns = ("Bearing", "Housing", "Shaft", "Flange", "Gasket", "Sensor", "Valve", "Bracket", "Cable", "Pump")
        self.items = [(f"SKU-{i:05d}", f"{nouns[i % 10]} {i // 10 % 50 + 1} mm type {i}", f"Maker {i % 37:02d}", f"WH{self.rng.randrange(12):02d}",
                       199 + self.rng.randrange(90000)) for i in range(ITEMS)]
        names = ("Alpen Werk", "Nord Motoren", "Rhein Technik", "Boehm Cycles", "Soeren Supply", "Delta Stores", "Granit Traders")
        self.customers = [(f"C{i:05d}", f"{names[i % 7]} {i}") for i in range(CUSTOMERS)]

    def state(self, number):
        share, chance = number / self.orders, self.rng.random()
        if chance < 0.02:
            return "Cancelled"
        if share > 0.93:
            return "Open" if chance < 0.6 else "In Production"
        if share > 0.9:
            return "Shipped"
        return "Open" if chance < 0.03 else "Closed"

    def order(self, number, state):
        """The CSV rows of one order, and its open amount in cents."""
        rng = self.rng
        which = rng.random() ** 2
        code, name = self.customers[int(CUSTOMERS * which)]
        day = 19000 + number * DAYS // self.orders
        due = day + 5 + rng.randrange(60)
        currency = ("USD", "EUR", "GBP", "AUD", "CAD")[int(5 * rng.random() ** 3)]
        head = f"SO{1000000 + number},{code},{name},PO-{rng.randrange(10 ** 8):08d},{iso(day)},{iso(due)},{currency},Person {int(PEOPLE * which):02d}"
        net, opened, lines = 0, 0, []
        for line in range(1, LINES + 1):
            item, text, maker, store, price = self.items[int(ITEMS * rng.random() ** 2)]
            quantity = 1 + int(40 * rng.random() ** 3)
            left = 0
            if state in ("Open", "In Production"):
                left = quantity * (rng.randrange(4)) // 3 if rng.random() < 0.3 else quantity
            discount = 5 if rng.random() < 0.1 else 0
            total = (quantity * price * (100 - discount) + 50) // 100
            net += total
            opened += (2 * total * left + quantity) // (2 * quantity)
            word = "Open" if state in ("Open", "In Production") else "Closed"
            lines.append((f"{line},{item},{text},{maker},{store},{quantity},{left},{money(price)},{discount},{word}"))
        stamp = f"{iso(due)} {8 + rng.randrange(10):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
        tail = f"{money(net * 19 // 100)},{money(rng.randrange(20) * 100)},{stamp}\r\n"
        return [f"{head},{row},{tail}" for row in lines], opened


def write_tree(root, orders):
    """Writes the files and answers what must be true of the book."""
    book, waiting, files, opened = Book(orders), {}, 0, 0
    def flush(state):
        nonlocal files
        folder = root / state / f"{files // 40:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"orders-{files:04d}.csv").write_text(HEAD + "".join(waiting.pop(state)), encoding="ascii", newline="")
        files += 1
    counts = {}
    for number in range(orders):
        state = book.state(number)
        rows, amount = book.order(number, state)
        opened += amount
        counts[state] = counts.get(state, 0) + 1
        waiting.setdefault(state, []).extend(rows)
        if len(waiting[state]) >= ORDERS_PER_FILE * LINES:
            flush(state)
    for state in list(waiting):
        flush(state)
    return {"orders": orders, "lines": orders * LINES, "open_cents": opened, "files": files, "states": counts}


def memory(pid):
    """RSS, anonymous and proportional memory of a process in bytes."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            words = line.split()
            if words[0] in ("Rss:", "Pss:", "Anonymous:"):
                found[words[0][:-1].lower()] = int(words[1]) * 1024
    return found


def loaded(millrace, truth):
    totals = millrace.get("/api/v1/totals?group=currency")["data"]
    sums = [entry for row in totals for entry in row["sums"]]
    return sum(entry["orders"] for entry in sums) == truth["orders"] and sum(entry["open_amount"]["minor"] for entry in sums) == truth["open_cents"]


def measure(binary, data, tree, truth, title, bar):
    begun = time.monotonic()
    with Millrace(binary, data, [tree]) as millrace:
        peak = 0
        def ready():
            nonlocal peak
            peak = max(peak, millrace.rss_bytes())
            time.sleep(0.2)
            return loaded(millrace, truth)
        millrace.wait_for(ready, f"{truth['orders']} orders with the open amount they were written with", patience=1800)
        seconds = time.monotonic() - begun
        at_once = memory(millrace.process.pid)
        for page in range(50):
            millrace.get(f"/api/v1/orders?limit=100&sort=-due&status={'Open' if page % 2 else 'Closed'}")
        quiet_until = time.monotonic() + 60
        settled = memory(millrace.process.pid)
        while time.monotonic() < quiet_until and settled["rss"] > bar:
            time.sleep(5)
            settled = memory(millrace.process.pid)
        status, _, body = millrace.request("GET", "/api/v1/performance/memory")
        report = json.loads(body) if status == 200 else None
    mb = 1e6
    print(f"{title}: {truth['orders']} orders, {truth['lines']} lines, {truth['files']} files in {seconds:.1f} s; RSS {at_once['rss'] / mb:.1f} MB when loaded, "
          f"{settled['rss'] / mb:.1f} MB settled (anonymous {settled['anonymous'] / mb:.1f}, PSS {settled['pss'] / mb:.1f}, highest seen {peak / mb:.1f}), "
          f"{settled['rss'] / truth['orders']:.1f} bytes per order; bar {bar / mb:.0f} MB: ratio {settled['rss'] / bar:.2f} "
          f"{'pass' if settled['rss'] <= bar else 'short'}")
    if report:
        for table in report["tables"]:
            print(f"    {table['name']:16} {table['rows']:>9} rows {table['bytes'] / mb:8.1f} MB {table['bytes'] / truth['orders']:7.1f} B per order, "
                  f"plain {table['bytes_plain'] / mb:8.1f} MB")
        print(f"    not explained    {report['process']['unexplained_bytes'] / mb:8.1f} MB of RSS {report['process']['rss_bytes'] / mb:.1f} MB")
    return settled["rss"] / mb


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--bar-mb", type=float, help="default: 256 per million orders")
    parser.add_argument("--restart", action="store_true")
    parser.add_argument("--json", action="store_true", help="one more line for other programs")
    options = parser.parse_args()
    bar = (options.bar_mb or 256 * options.orders / 1e6) * 1e6
    with tempfile.TemporaryDirectory(prefix="millrace-million-") as scratch:
        home = options.keep or pathlib.Path(scratch)
        tree, truth_file = home / "tree", home / f"truth-{options.orders}.json"
        if not truth_file.exists():
            home.mkdir(parents=True, exist_ok=True)
            truth_file.write_text(json.dumps(write_tree(tree, options.orders)), encoding="ascii")
        truth = json.loads(truth_file.read_text(encoding="ascii"))
        data = pathlib.Path(scratch) / "data"
        found = [measure(options.binary, data, tree, truth, "fresh load", bar)]
        if options.restart:
            found.append(measure(options.binary, data, tree, truth, "restart", bar))
    if options.json:
        print(json.dumps({"orders": options.orders, "rss_mb": found[0], "rss_mb_restart": found[-1] if options.restart else None}))
    return 0 if max(found) * 1e6 <= bar else 1


if __name__ == "__main__":
    sys.exit(main())
