#!/usr/bin/env python3
"""Reads a tree of very many small files: the memory stays bounded, progress is told, and the second start opens none (fault A25).

Usage: many_files.py [--cycles 1] [--files 200000] [--folders 20000] [--seed S] [--binary millrace] [--peak-max 160]

The tree lies in shared memory where there is some, so that the disk of the machine is not what is measured. Holds when every
order is there, the peak of resident memory stays below --peak-max MB plus --peak-per-order bytes, progress was told while it
read and never went back, and after a restart no file is opened.
"""
import dataclasses
import os
import pathlib
import shutil
import tempfile
import time

import world
from world import Violation
from millrace_client import Millrace

SHARED_MEMORY = "/dev/shm"


def shared_memory_folder():
    """A memory file system that can be written, or None."""
    return SHARED_MEMORY if os.path.isdir(SHARED_MEMORY) and os.access(SHARED_MEMORY, os.W_OK) else None


def document(number):
    return (f'{{"DocNum":{number},"DocDate":"2026-10-01","DocDueDate":"2026-11-30","CardCode":"C{number % 97}","CardName":"ACME",'
            f'"DocCurrency":"EUR","UpdateDate":"2026-11-01","UpdateTime":"08:00:00","DocumentLines":[{{"LineNum":0,"ItemCode":"P-1",'
            f'"Quantity":1,"UnitPrice":1.0,"LineTotal":1.0,"RemainingOpenQuantity":1,"LineStatus":"bost_Open"}}]}}')


def fill(root, files, folders):
    """Half of the files in one folder, the others in `folders` small ones."""
    one = pathlib.Path(root) / "Open"
    one.mkdir(parents=True)
    for at in range(folders):
        (pathlib.Path(root) / "Shipped" / f"{at:06d}").mkdir(parents=True)
    for number in range(1, files + 1):
        folder = one if number % 2 else pathlib.Path(root) / "Shipped" / f"{number // 2 % folders:06d}"
        with open(folder / f"SO{number}.json", "w", encoding="ascii") as file:
            file.write(document(number))


@dataclasses.dataclass
class Told:
    """What one load showed."""
    orders: int
    read: int
    read_again: int  # files opened by a second start
    peak_bytes: int
    progress: list   # files done, as asked again and again
    seconds: float


def peak_bytes(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def load(binary, place, files, folders, patience=600):
    """Fills a tree below `place`, serves it until every file is read, then starts once more."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-many-", dir=place))
    try:
        fill(folder / "orders", files, folders)
        progress, began = [], time.monotonic()

        def loaded(server):
            source = server.get("/api/v1/sources")["data"][0]
            progress.append(source["progress"]["done"])
            return source["refresh"]["count"] > 0 and source["pending"] == 0 and source

        with Millrace(binary, folder / "data", [folder / "orders"], listening=True) as server:
            first = server.wait_for(lambda: loaded(server), f"{files} files read", patience)
            seconds, peak = time.monotonic() - began, peak_bytes(server)
            # The last batches reach the answers a moment after they were read.
            server.wait_for(lambda: server.request("GET", "/readyz")[0] == 200, "ready", patience)
            orders = server.get("/api/v1/orders?limit=1")["total"]
            steps = list(progress)
        with Millrace(binary, folder / "data", [folder / "orders"], listening=True) as server:
            second = server.wait_for(lambda: loaded(server), "the second start", patience)
        return Told(orders, first["files_read"], second["files_read"], peak, steps, seconds)
    finally:
        shutil.rmtree(folder)


def cycle(run):
    given = run.arguments
    told = load(run.binary, given.folder or shared_memory_folder(), given.files, given.folders)
    run.sample("loaded ms", told.seconds * 1000)
    run.sample("peak MB", told.peak_bytes / 1e6)
    run.sample("times progress moved", len(set(told.progress)))
    run.count("files", told.read)
    if (told.orders, told.read) != (given.files, given.files):
        raise Violation(f"{told.orders} orders of {told.read} files read; there are {given.files}")
    if told.read_again:
        raise Violation(f"the second start opened {told.read_again} files")
    if told.peak_bytes > given.peak_max * 1e6 + given.peak_per_order * given.files:
        raise Violation(f"the peak of memory is {told.peak_bytes / 1e6:.0f} MB")
    if told.progress != sorted(told.progress):
        raise Violation(f"progress went back: {told.progress}")


def main(words=None):
    parser = world.arguments(__doc__, 1)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--folders", type=int, default=20_000)
    parser.add_argument("--peak-max", type=int, default=160, help="MB of resident memory beside the orders")
    parser.add_argument("--peak-per-order", type=int, default=600, help="bytes of resident memory for each order")
    world.run_loop("many_files", world.parse(parser, words), cycle)


if __name__ == "__main__":
    main()
