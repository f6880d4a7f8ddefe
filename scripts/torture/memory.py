#!/usr/bin/env python3
"""Memory that runs out: allocations fail at random, or the address space is bounded (faults B6 and B7).

Usage: memory.py [--cycles 20] [--seed S] [--binary millrace]

Odd cycles: the large allocations of a running server fail with a small chance while it is read and the tree changes. Even cycles: its
address space is bounded to little more than it has. A request may fail and the process may end; it never crashes otherwise,
never answers wrongly, and what it acknowledged is there after the next start.
"""
import pathlib
import resource
import signal
import subprocess
import threading

import world
from order_tree import OrderTree, Writer
from world import Ledger, Listener, Server, Violation

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
/* Allocations of TORTURE_MEMORY_FROM bytes and more fail once in TORTURE_MEMORY_ONE_IN, while the file TORTURE_MEMORY_WHILE exists. */
static size_t from; static unsigned one_in; static const char* flag; static _Atomic unsigned state;
__attribute__((constructor)) static void begin(void) {
  unsetenv("LD_PRELOAD");
  const char* text = getenv("TORTURE_MEMORY_ONE_IN");
  if (!text) return;
  from = (size_t)atol(getenv("TORTURE_MEMORY_FROM")); flag = getenv("TORTURE_MEMORY_WHILE"); state = (unsigned)atol(getenv("TORTURE_MEMORY_SEED"));
  one_in = (unsigned)atol(text);
}
static int fails(size_t bytes) {
  if (one_in == 0 || bytes < from) return 0;
  unsigned x = atomic_fetch_add(&state, 2654435761u); x ^= x >> 16; x *= 2246822519u; x ^= x >> 13;
  if (x % one_in != 0 || access(flag, F_OK) != 0) return 0;
  errno = ENOMEM; return 1;
}
extern void* __libc_malloc(size_t); extern void* __libc_realloc(void*, size_t); extern void* __libc_calloc(size_t, size_t);
void* malloc(size_t bytes) { return fails(bytes) ? NULL : __libc_malloc(bytes); }
void* realloc(void* old, size_t bytes) { return fails(bytes) ? NULL : __libc_realloc(old, bytes); }
void* calloc(size_t count, size_t bytes) { return fails(count * bytes) ? NULL : __libc_calloc(count, bytes); }
"""
# Without the workbook: Debian's libxlsxwriter does not look whether it got its memory and ends the process (docs/guarantees.md).
PATHS = ("/api/v1/orders.ndjson", "/api/v1/orders.csv", "/api/v1/orders?limit=1000", "/api/v1/totals?group=customer",
         "/api/v1/orders/1001", "/api/v1/today", "/api/v1/changes?since=0", "/metrics")


def build_shim(folder):
    library = pathlib.Path(folder) / "memory_shim.so"
    if not library.exists():
        subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-O2", "-o", str(library), "-", "-ldl"], input=SHIM.encode(), check=True)
    return library


class Readers(threading.Thread):
    def __init__(self, run, server):
        super().__init__(daemon=True)
        self.run_of, self.server, self.done, self.good, self.bad = run, server, threading.Event(), 0, 0
        self.start()

    def run(self):
        while not self.done.is_set():
            for path in PATHS:
                try:
                    status, _, _ = self.server.request("GET", path)
                    self.good, self.bad = self.good + (status in (200, 404)), self.bad + (status not in (200, 404))
                except Exception:  # http.client: a request that ended with its connection
                    self.bad += 1
                    if self.server.process.poll() is not None:
                        return


def limit_memory(server, size):
    if server.process.poll() is None:
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_AS)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (size, hard))


def cycle(run):
    folder = run.folder / f"plant{run.cycle}"
    folder.mkdir()
    tree = OrderTree(folder / "orders", run.rng, singles=150, sheets=10)
    ledger, flag, environment = Ledger(tree), folder / "out-of-memory", None
    failing = run.cycle % 2 == 1
    if failing:
        environment = {"LD_PRELOAD": str(build_shim(run.folder)), "TORTURE_MEMORY_ONE_IN": str(run.rng.choice((20, 200, 1000))),
                       "TORTURE_MEMORY_FROM": str(run.rng.choice((0, 200, 4096))), "TORTURE_MEMORY_SEED": str(run.rng.randrange(1 << 31)),
                       "TORTURE_MEMORY_WHILE": str(flag)}
    server = Server(run, folder / "data", [tree.root], environment=environment)
    world.wait_settled(run, server, tree)
    listener = Listener(server, ledger)
    if failing:
        flag.touch()
    else:
        with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as statm:
            size = int(statm.read().split()[0]) * resource.getpagesize() + (run.rng.choice((1, 4, 16)) << 20)
        limit_memory(server, size)
    readers, writer = [Readers(run, server) for _ in range(3)], Writer(tree, rate=80)
    threading.Event().wait(1.0)
    writer.finish()
    for reader in readers:
        reader.done.set()
        reader.join()
    flag.unlink(missing_ok=True)
    if not failing:
        limit_memory(server, resource.RLIM_INFINITY)
    run.count("requests answered", sum(reader.good for reader in readers))
    run.count("requests failed", sum(reader.bad for reader in readers))
    ended(run, server, ledger, tree)
    listener.finish()
    again = Server(run, folder / "data", [tree.root])
    ledger.check(again)
    world.wait_settled(run, again, tree)
    world.stop_clean(again)


def ended(run, server, ledger, tree):
    code = server.process.poll()
    if code is None:
        try:
            world.wait_settled(run, server, tree, patience=10)
            run.count("lived and healed")
        except Violation:
            if server.process.poll() is None and not world.notices_of_damage(server):
                raise
            run.count("lived, says that it needs a restart")
        if server.process.poll() is None:
            ledger.check(server)
        server.stop()
    elif code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL):
        raise Violation(f"crashed with signal {-code} when memory ran out: " + " | ".join(server.lines[-3:]))
    else:
        run.count(f"ended with {code}")


def main():
    world.run_loop("memory", world.parse(world.arguments(__doc__, cycles=20)), cycle)


if __name__ == "__main__":
    main()
