#!/usr/bin/env python3
"""How long a filtered and sorted page of orders takes at a fixed rate, and how much memory the server needs meanwhile.

Usage: http_latency.py [--binary build/release/millrace] [--orders-folder DIR] [--orders 31465] [--rate 500] [--seconds 20]

Open loop: request i is due at i / rate and its time counts from then, however late it could be sent, so a server that
stands still cannot hide it. Without --orders-folder the demo company of that many orders is served. Prints one line:
latency against the bar of 2 ms at p99, memory against the bar of 96 MB, CPU per request.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import select
import socket
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from millrace_client import Millrace  # noqa: E402

P99_BAR_MS, MEMORY_BAR_MB = 2.0, 96.0
CONNECTIONS = 32


def questions(millrace, count, rng):
    """Pages as the screens ask for them: a filter, a sort, 25 to 100 rows; drawn at random from what is there."""
    sample = millrace.get("/api/v1/orders?limit=1000&fields=order,status,customer,due")["data"]
    sorts = ("-due,order", "order", "-open_amount", "customer_name,-due", "-updated", "due", "-total")
    for _ in range(count):
        row = rng.choice(sample)
        name = rng.choice(("status", "status", "customer", "due", "open_amount"))
        value = {"status": row["status"].replace(" ", "%20"), "customer": row["customer"], "due": f"lt.{row['due'] or '2026-01-01'}",
                 "open_amount": f"gte.{rng.randint(100, 500000)}"}[name]
        yield f"/api/v1/orders?{name}={value}&sort={rng.choice(sorts)}&limit={rng.choice((25, 50, 100))}"


class OpenLoop:
    def __init__(self, port, paths, rate):
        self.port, self.rate = port, rate
        self.requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() for path in paths]
        self.idle = [self._connect() for _ in range(CONNECTIONS)]
        self.busy = {}
        self.latencies = []

    def _connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def run(self):
        start, sent, waiting = time.perf_counter() + 0.05, 0, collections.deque()
        while sent < len(self.requests) or waiting or self.busy:
            now = time.perf_counter()
            while sent < len(self.requests) and start + sent / self.rate <= now:
                waiting.append((start + sent / self.rate, self.requests[sent]))
                sent += 1
            while waiting and self.idle:
                due, request = waiting.popleft()
                connection = self.idle.pop()
                connection.sendall(request)
                self.busy[connection] = [due, b"", None]
            gap = start + sent / self.rate - time.perf_counter() if sent < len(self.requests) else 0.2
            readable, _, _ = select.select(list(self.busy), [], [], max(0, gap))
            for connection in readable:
                self._receive(connection)
        return sorted(self.latencies)

    def _receive(self, connection):
        state = self.busy[connection]
        state[1] += connection.recv(1 << 18)
        if state[2] is None and b"\r\n\r\n" in state[1]:
            head = state[1].partition(b"\r\n\r\n")[0]
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise SystemExit("unexpected answer: " + head.decode("latin-1"))
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")))
            state[2] = len(head) + 4 + length
        if state[2] is not None and len(state[1]) >= state[2]:
            self.latencies.append((time.perf_counter() - state[0]) * 1000)
            self.idle.append(connection)
            del self.busy[connection]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    parser.add_argument("--orders-folder")
    parser.add_argument("--orders", type=int, default=31465)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=7)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        folder = [a.orders_folder] if a.orders_folder else []
        extra = [] if folder else ["--orders", str(a.orders), "--no-open"]
        with Millrace(a.binary, data, folder, "serve" if folder else "demo", extra) as millrace:
            book = millrace.get("/api/v1/orders?limit=1")
            lines = sum(s["lines"] for s in book["sums"])
            before_mb = millrace.rss_bytes() / 1e6
            paths = list(questions(millrace, int(a.rate * a.seconds), random.Random(a.seed)))
            cpu = cpu_seconds(millrace.process.pid)
            times = OpenLoop(millrace.port, paths, a.rate).run()
            cpu = cpu_seconds(millrace.process.pid) - cpu
            after_mb = millrace.rss_bytes() / 1e6
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    p99 = at(.99)
    print(json.dumps({"orders": book["total"], "lines": lines, "rate": a.rate, "requests": len(times), "seed": a.seed,
                      "p50_ms": round(at(.5), 3), "p95_ms": round(at(.95), 3), "p99_ms": round(p99, 3), "max_ms": round(times[-1], 3),
                      "p99_over_bar": round(p99 / P99_BAR_MS, 2), "cpu_us_per_request": round(cpu / len(times) * 1e6),
                      "rss_mb": [round(before_mb, 1), round(after_mb, 1)], "memory_over_bar": round(after_mb / MEMORY_BAR_MB, 2)}))


if __name__ == "__main__":
    main()
