#!/usr/bin/env python3
"""What happens at twice the load that can be carried, with a thousand people at once, and what ten thousand idle ones cost.

Usage: overload.py [overload] [people] [idle] [--binary build/release/millrace] [--load build/release/bench/http_load] [--seconds 6]

overload  finds the capacity for a page of orders (nothing is kept, so each is worked out), asks at 80 % of it and at
          twice it, probes /livez meanwhile, and asks at 80 % again: ratio of the admitted p99 (bar 2), health under
          100 ms, normal again within 2 s. The first second, in which a load is noticed, is not measured.
people    20 users sign in 50 times each; 1,000 open WebSockets and 2,000 mixed requests a second in those 1,000 sessions:
          p95 (bar 20 ms), no errors.
idle      10,000 idle WebSockets: bytes each of the server's memory (bar 9 KB).

The asking program works on the same machine, so the capacity is that of both together.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from millrace_client import Millrace  # noqa: E402
from raw_client import Raw  # noqa: E402

PAGES = ["/api/v1/orders?limit=100&sort=-due,order", "/api/v1/orders?status=Open&limit=100&sort=-open_amount", "/api/v1/orders?limit=100&sort=customer_name,-due"]
MIXED = ["/api/v1/orders?limit=50", "/api/v1/today", "/api/v1/totals?group=customer&limit=20", "/api/v1/sources", "/livez", "/api/v1/changes?limit=20", "/api/v1/orders?status=Open&limit=25"]


class Bench:
    def __init__(self, options):
        self.options = options
        self.failed = []

    def serve(self, folder, **settings):
        values = {"connections_max": 20000, "connections_per_address": 20000, "demo_pause": 0, "demo_orders": 3000, **settings}
        config = pathlib.Path(folder) / "millrace.toml"
        config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()), encoding="utf-8")
        millrace = Millrace(self.options.binary, pathlib.Path(folder) / "data", command="demo", arguments=["--no-open", "--config", str(config)])
        millrace.wait_for(lambda: millrace.request("GET", "/readyz")[0] == 200, "ready")
        return millrace

    def load(self, millrace, *words):
        done = subprocess.run([self.options.load, str(millrace.port), *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return json.loads(done.stdout)

    def bar(self, what, value, most, unit):
        holds = value <= most
        print(f"{'pass ' if holds else 'SHORT'} {what}: {value:.3g} {unit} (bar {most:g})", flush=True)
        if not holds:
            self.failed.append(what)

    def overload(self):
        seconds = self.options.seconds
        with tempfile.TemporaryDirectory(prefix="millrace-overload-") as folder, self.serve(folder, cache_memory="0B") as millrace:
            self.load(millrace, "--rate", 500, "--seconds", 2, "--connections", 50, *PAGES)  # warm
            capacity = self.capacity(millrace)
            print(f"capacity: {capacity} requests a second", flush=True)
            quiet = self.load(millrace, "--rate", int(0.8 * capacity), "--seconds", seconds, "--skip", 1, "--connections", 200, *PAGES)
            probe = Probe(millrace.port)
            with probe:
                twice = self.load(millrace, "--rate", 2 * capacity, "--seconds", seconds, "--skip", 1, "--connections", 200, *PAGES)
            ended = time.monotonic()
            normal = self.normal_again(millrace, capacity, ended)
            print(f"at 80 %: {quiet}\nat 200 %: {twice}\nhealth meanwhile: {len(probe.times)} probes, worst {max(probe.times):.1f} ms", flush=True)
            self.bar("admitted p99 at twice the capacity, against 80 %", twice["ok_p99"] / max(quiet["ok_p99"], 1e-3), 2, "x")
            self.bar("answers that are neither 200 nor 503", twice["errors"] + twice["unanswered"], 0, "")
            self.bar("refusals without Retry-After", twice["refused"] - twice["retry_after"], 0, "")
            self.bar("worst answer of /livez at twice the capacity", max(probe.times), 100, "ms")
            self.bar("normal again after", normal, 2, "s")

    def capacity(self, millrace):
        """The most that is answered with 200 when far more is asked."""
        best = 0
        for rate in (2000, 4000, 8000, 16000, 32000, 64000):
            got = self.load(millrace, "--rate", rate, "--seconds", 2, "--connections", 200, *PAGES)
            answered = got["ok"] / got["seconds"]
            best = max(best, answered)
            if answered < 0.9 * rate:
                break
        return int(best)

    def normal_again(self, millrace, capacity, ended):
        """Seconds after which nothing is refused at 80 % of the capacity."""
        for _ in range(20):
            began = time.monotonic()
            got = self.load(millrace, "--rate", int(0.8 * capacity), "--seconds", 0.5, "--connections", 200, *PAGES)
            if got["refused"] <= 0.01 * got["ok"] and got["errors"] + got["unanswered"] == 0:
                return began - ended
        return float("inf")

    def people(self):
        # A proxy, so that a thousand sign-ins come from as many addresses: one address may try 60 a minute.
        with tempfile.TemporaryDirectory(prefix="millrace-people-") as folder, self.serve(folder, auth="sign-in", trusted_proxies="127.0.0.1") as millrace:
            cookies = sessions(millrace, users=20, each=50)
            fields = pathlib.Path(folder) / "fields"
            fields.write_text("".join(f"Cookie: millrace={cookie}\n" for cookie in cookies), encoding="utf-8")
            got = self.load(millrace, "--rate", 2000, "--seconds", self.options.seconds, "--connections", 1000, "--sockets", 1000, "--fields", fields, *MIXED)
            print(f"{len(set(cookies))} sessions: {got}", flush=True)
            self.bar("p95 of 2,000 signed-in requests a second beside 1,000 signed-in WebSockets", got["ok_p95"], 20, "ms")
            self.bar("errors, refusals and ended WebSockets", got["errors"] + got["refused"] + got["limited"] + got["unanswered"] + got["socket_ends"], 0, "")

    def idle(self, count=10_000):
        with tempfile.TemporaryDirectory(prefix="millrace-idle-") as folder, self.serve(folder) as millrace:
            self.load(millrace, "--rate", 1000, "--seconds", 2, "--connections", 100, *MIXED)
            before = millrace.rss_bytes()
            holder = subprocess.Popen([self.options.load, str(millrace.port), "--connections", "0", "--sockets", str(count), "--idle", "40"],
                                      stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            try:
                line = holder.stderr.readline()
                if f"held {count} " not in line:
                    raise SystemExit(line)
                time.sleep(2)  # the greetings are out
                each = (millrace.rss_bytes() - before) / count
                millrace.request("GET", "/livez")
            finally:
                holder.kill()
                holder.wait()
            print(f"{count} idle WebSockets: {each / 1000:.2f} KB each", flush=True)
            self.bar("memory of an idle WebSocket", each / 1000, 9, "KB")


def sessions(millrace, users, each):
    """Cookies of `each` sessions of each of `users` planners, made by the administrator of the first link."""
    turn = iter(range(1 << 20))

    def ask(path, body, cookie="", csrf=""):
        number = next(turn)
        head = {"Content-Type": "application/json", "X-Forwarded-For": f"10.1.{number // 250}.{number % 250 + 1}"}
        if cookie:
            head.update({"Cookie": f"millrace={cookie}", "X-CSRF-Token": csrf})
        status, answered, answer = millrace.request("POST", path, json.dumps(body), head)
        if status not in (200, 201):
            raise SystemExit(f"POST {path} answered {status}: {answer[:300]!r}")
        found = re.search(r"millrace=([^;]*)", answered.get("Set-Cookie", ""))
        return found[1] if found else "", json.loads(answer)

    password = "a sentence of the bench 4711"
    link = millrace.wait_for(lambda: re.search(r"/setup#(setup_\S+)", "\n".join(millrace.lines)), "the link of the first start")[1]
    cookie, boss = ask("/api/v1/setup", {"link": link, "name": "boss", "password": password})
    cookies = []
    for user in range(users):
        name = f"planner{user}"
        ask("/api/v1/users", {"name": name, "role": "planner", "password": password, "display_name": name}, cookie, boss["data"]["csrf"])
        cookies += [ask("/api/v1/sign-in", {"name": name, "password": password})[0] for _ in range(each)]
    return cookies


class Probe:
    """Asks /livez again and again on connections of its own; `times` in milliseconds."""

    def __init__(self, port):
        self.port, self.times, self._ended = port, [], threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._ended.wait(0.02):
            began = time.monotonic()
            with Raw(self.port) as raw:
                raw.send(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                if raw.answer().status != 200:
                    raise AssertionError("health was refused")
            self.times.append((time.monotonic() - began) * 1000)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", nargs="*", choices=[[], "overload", "people", "idle"], metavar="WHAT")
    parser.add_argument("--binary", default=ROOT / "build/release/millrace")
    parser.add_argument("--load", default=ROOT / "build/release/bench/http_load")
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    bench = Bench(options)
    for what in options.what or ("overload", "people", "idle"):
        getattr(bench, what)()
    sys.exit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
