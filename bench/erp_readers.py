#!/usr/bin/env python3
"""Whether readers are disturbed by a first sync: GET /api/v1/orders at rest and during a backfill, in one run.

Usage: erp_readers.py [--binary build/release/millrace] [--simulator build/release/src/millrace_erp_simulator]
                      [--orders 100000] [--there 20000] [--rate 200] [--phase 2] [--seed 1] [--json]

A server follows an ERP of `--there` orders and begins to read a second one of `--orders`. Phases of `--phase` seconds
follow each other until that is done: the backfill runs, then it is paused until the server has nothing to do, and so on, so that both see the same book and
the same machine. In both a page of orders is asked for `--rate` times a second (open loop: a request counts from the
moment it was due, so a server that stands still cannot hide it). A phase in which the backfill ended does not count.

The readers are let go before everything else when that is allowed: they stand for other machines.
Bar: p99 during the backfill at most 1.5 times p99 at rest. Generator, ERP and server share the machine.
"""
import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "bench"))
import erp_runs  # noqa: E402
import erp_simulator  # noqa: E402
from erp_runs import percentile  # noqa: E402
from http_latency import OpenLoop, cpu_seconds  # noqa: E402
from millrace_client import Millrace  # noqa: E402

RATIO_MAX = 1.5
PHASES_MIN = 3  # of each kind, else the ratio says nothing


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def settings_of(erp):
    # The guard's share is of what an ERP sends; a long interval keeps the other source's syncs out of the phases.
    return {"url": erp.url, "company": erp.company, "user": erp.user, "password": erp.password, "streams": ["orders"], "interval": "1h", "interval_max": "1h"}


@contextlib.contextmanager
def before_others():
    """The readers stand for other machines: what they wait for a processor of this one is not the server's delay."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        say("  no right to let the readers go first (root has it): the figures hold their own waiting too")
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Plant:
    def __init__(self, options, folder, there, new):
        self.options, self.folder, self.there, self.new = options, pathlib.Path(folder), there, new

    def serve(self, sources):
        config = erp_runs.settings_file(self.folder, sources)
        return Millrace(self.options.binary, self.folder / "data", arguments=["--config", str(config)])

    def prepare(self):
        """A record that holds the first ERP's orders."""
        with self.serve({"there": settings_of(self.there)}) as server:
            server.wait_for(lambda: self.source(server, "there")["refresh"]["count"] > 0, "the first ERP's orders", 300)

    @staticmethod
    def source(server, name):
        return next(source for source in server.get("/api/v1/sources")["data"] if source["id"] == name)

    def read(self, server):
        """Orders of the backfill that were taken over, and whether it has ended."""
        source = self.source(server, "new")
        return sum(stream["rows"] for stream in source["service"]["streams"]), source["refresh"]["count"] > 0

    def load(self, server):
        paths = ["/api/v1/orders"] * int(self.options.rate * self.options.phase)
        with before_others():
            return OpenLoop(server.port, paths, self.options.rate).run()

    def phases(self):
        """Latencies in milliseconds by kind of phase, and how fast the backfill was."""
        found, orders, seconds = {"rest": [], "backfill": []}, 0, 0.0
        with self.serve({"there": settings_of(self.there), "new": settings_of(self.new)}) as server:
            server.wait_for(lambda: self.read(server)[0] > 0, "the backfill to begin", 120)
            while True:
                (before, _), times, (after, ended) = self.read(server), self.load(server), self.read(server)
                if ended:
                    return found, orders / seconds if seconds else 0
                found["backfill"].append(times)
                orders, seconds = orders + after - before, seconds + self.options.phase
                server.post("/api/v1/sources/new/pause")
                server.wait_for(lambda: self.source(server, "new")["state"] == "paused", "the backfill to pause")
                self.wait_for_stillness(server)
                found["rest"].append(self.load(server))
                say(f"  {after} orders: p99 {percentile(found['backfill'][-1], .99):.2f} ms during the backfill, {percentile(found['rest'][-1], .99):.2f} ms at rest")
                server.post("/api/v1/sources/new/resume")
                server.wait_for(lambda: self.source(server, "new")["state"] != "paused", "the backfill to go on")

    @staticmethod
    def wait_for_stillness(server):
        """Until the server does nothing: what was committed is shown, the log is moved, the warm-start file written."""
        seen = []

        def still():
            seen.append(cpu_seconds(server.process.pid))
            time.sleep(0.1)
            return len(seen) > 10 and seen[-1] - seen[-11] <= 0.02
        server.wait_for(still, "the server to have nothing to do", 60)


def measure(options, folder):
    with erp_simulator.Simulator(options.simulator, options.there, options.seed) as there, \
         erp_simulator.Simulator(options.simulator, options.orders, options.seed + 1, first_number=1_000_000) as new:
        plant = Plant(options, folder, there, new)
        plant.prepare()
        found, speed = plant.phases()
    if min(len(phases) for phases in found.values()) < PHASES_MIN:
        raise RuntimeError(f"the backfill ended after {len(found['backfill'])} phases; give it more --orders or a shorter --phase")
    answer = {"orders": options.orders, "there": options.there, "rate": options.rate, "seed": options.seed, "backfill_orders_per_s": round(speed)}
    for kind, phases in found.items():
        times = [time for phase in phases for time in phase]
        answer[kind] = {"phases": len(phases), "requests": len(times), **{f"p{share * 100:g}_ms": round(percentile(times, share), 3) for share in (0.5, 0.99)}, "max_ms": round(max(times), 3)}
    return answer | {"p99_ratio": round(answer["backfill"]["p99_ms"] / answer["rest"]["p99_ms"], 3)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    options.add_argument("--simulator", default=str(erp_simulator.PROGRAM))
    options.add_argument("--orders", type=int, default=100_000)
    options.add_argument("--there", type=int, default=20_000)
    options.add_argument("--rate", type=float, default=200)
    options.add_argument("--phase", type=float, default=2)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", action="store_true")
    options = options.parse_args()
    if why := erp_simulator.missing(options.simulator):
        print(f"erp_readers.py: {why}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, folder)
    print(json.dumps(found) if options.json else "\n".join(f"{key:22} {value}" for key, value in found.items()))
    if found["p99_ratio"] > RATIO_MAX:
        print(f"erp_readers.py: p99 during the backfill is {found['p99_ratio']} times that at rest, the bar is {RATIO_MAX}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
