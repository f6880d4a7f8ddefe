#!/usr/bin/env python3
"""Bit rot: damages every file of the data folder in turn and starts from it: never a wrong answer, always noticed.

Usage: bit_rot.py [--cycles 200] [--seed S] [--binary millrace] [--all]

Mutations: flipped bits and bytes, a file cut short, emptied or removed, a zeroed range, two blocks swapped, a block of another
place, random bytes, and an older copy of one file. The share is away, so that only the damaged files can answer. Holds when the
server refuses to start and says why; or answers exactly what it answered before (orders, lines, history); or answers
less and says that it is damaged, and then shows no order in a state that never was.
"""
import os
import pathlib
import shutil
import threading

import world
from order_tree import OrderTree, Writer
from world import Ledger, Listener, Server, Violation

CYCLES_PER_PLANT = 25
BLOCK = 4096


def flip_bit(content, rng):
    at = rng.randrange(len(content))
    content[at] ^= 1 << rng.randrange(8)
    return f"bit flipped at {at}"


def flip_bytes(content, rng):
    places = [rng.randrange(len(content)) for _ in range(rng.randint(1, 8))]
    for at in places:
        content[at] ^= rng.randint(1, 255)
    return f"bytes changed at {places}"


def cut_short(content, rng):
    size = rng.randrange(len(content))
    if rng.random() < 0.5:
        size = size // BLOCK * BLOCK
    del content[size:]
    return f"cut to {size}"


def empty(content, _):
    del content[:]
    return "emptied"


def zero_range(content, rng):
    begin = rng.randrange(len(content)) // 512 * 512
    end = min(len(content), begin + rng.choice((512, BLOCK, 4 * BLOCK)))
    content[begin:end] = bytes(end - begin)
    return f"zeroed {begin}..{end}"


def random_range(content, rng):
    begin = rng.randrange(len(content))
    end = min(len(content), begin + rng.choice((16, 512, BLOCK)))
    content[begin:end] = rng.randbytes(end - begin)
    return f"random bytes in {begin}..{end}"


def two_blocks(content, rng):
    count = len(content) // BLOCK
    if count < 2:
        return flip_bytes(content, rng)
    first, second = rng.sample(range(count), 2)
    a, b = slice(first * BLOCK, (first + 1) * BLOCK), slice(second * BLOCK, (second + 1) * BLOCK)
    if rng.random() < 0.5:
        content[a], content[b] = content[b], content[a]
        return f"blocks {first} and {second} swapped"
    content[b] = content[a]
    return f"block {first} written over {second}"


MUTATIONS = (flip_bit, flip_bytes, cut_short, empty, zero_range, random_range, two_blocks)


def data_files(folder):
    return [path for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and path.stat().st_size > 0 and not path.name.endswith(("-shm", ".lock"))]


class Plant:
    """A data folder with a past, an older copy of it, and what it answers with the share away."""

    def __init__(self, run):
        self.run = run
        self.folder = run.folder / f"plant{run.cycle}"
        self.orders, self.away = self.folder / "orders", self.folder / "away"
        self.base, self.old, self.data = self.folder / "base", self.folder / "old", self.folder / "data"
        self.tree = OrderTree(self.orders, run.rng)
        self.began = run.cycle
        self.stopped_clean = run.rng.random() < 0.5
        self._live(clean=True)
        shutil.copytree(self.base, self.old)
        self._live(clean=self.stopped_clean)
        os.rename(self.orders, self.away)
        server = self.serve_copy()
        self.digest, self.history = world.export_digest(server), world.history_digest(server)
        server.kill()

    def _live(self, clean):
        ledger = Ledger(self.tree)
        server = Server(self.run, self.base, [self.orders])
        listener, writer = Listener(server, ledger), Writer(self.tree, rate=100)
        threading.Event().wait(0.7)
        writer.finish()
        world.wait_settled(self.run, server, self.tree)
        world.stop_clean(server) if clean else server.kill()
        listener.finish()

    def serve_copy(self, mutate=None):
        if self.data.exists():
            shutil.rmtree(self.data)
        shutil.copytree(self.base, self.data)
        if mutate:
            mutate(self.data)
        return Server(self.run, self.data, [self.orders], ready=False)

    def check_states(self, server, where):
        """Whatever is shown of an order is a state that it had."""
        rows, _ = world.listed(server)
        for order, (state, _) in rows.items():
            if state not in self.tree.history_of(order):
                raise Violation(f"{where}: order {order} is shown as {state}, which it never was")


def mutate_one(plant, data, told):
    """Damages one file; tells which and how."""
    rng, files = plant.run.rng, data_files(data)
    path = rng.choice(files)
    name = str(path.relative_to(data))
    dice = rng.random()
    old = plant.old / name
    if dice < 0.05:
        path.unlink()
        told.append(f"{name}: removed")
    elif dice < 0.12 and old.exists():
        shutil.copyfile(old, path)
        told.append(f"{name}: an older copy")
    else:
        content = bytearray(path.read_bytes())
        told.append(f"{name} ({len(content)} bytes): " + rng.choice(MUTATIONS)(content, rng))
        path.write_bytes(content)
    plant.run.count(f"of {name}")


def judge(plant, told):
    run = plant.run
    try:
        server = plant.serve_copy(lambda data: mutate_one(plant, data, told))
    except RuntimeError as refusal:  # it did not start
        text = str(refusal)
        if not world.speaks_of_damage(text):
            raise Violation(f"{told[0]}: refused to start without a word about damage: {text[-300:]}") from None
        run.count("refused")
        return
    where = told[0]
    try:
        same = world.export_digest(server) == plant.digest
        same_history = world.history_digest(server) == plant.history
        problem = "other answers than before" if not same else "another history than before"
    except AssertionError as problem_answer:  # an error answer is no answer, and must be explained like one that differs
        same = same_history = False
        problem = str(problem_answer)
    server.alive()
    notices = world.notices_of_damage(server)
    if same and same_history:
        run.count("noticed, same answers" if notices else "same answers")
    elif not notices:
        raise Violation(f"{where}: {problem}, and nobody says why")
    else:
        plant.check_states(server, where)
        run.count("noticed, answers held back")
    code = server.stop()
    if code != 0:
        raise Violation(f"{where}: SIGTERM ended with {code}")


def main():
    given = world.parse(world.arguments(__doc__, cycles=200))
    plants = []

    def cycle(run):
        if not plants or run.cycle - plants[-1].began >= CYCLES_PER_PLANT:
            plants.append(Plant(run))
        judge(plants[-1], [])

    world.run_loop("bit_rot", given, cycle)


if __name__ == "__main__":
    main()
