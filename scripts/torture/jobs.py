#!/usr/bin/env python3
"""Jobs whose workers and whose server are killed: every effect once, picked up again in time, poison set aside.

Usage: jobs.py [--cycles 500] [--seed S] [--binary millrace] [--pick-up-max 5] [--server-share 0.2]

Each cycle adds a few self tests (some leave a file) and then kills a worker that runs one, or, with --server-share, the server
itself and starts it again. Every fiftieth cycle also adds a job that kills its worker at every try. At the end everything that
was acknowledged must be done with its effect written exactly once - as the job says, as the rows of the record say and as
result files -, no try may have begun later than --pick-up-max seconds after the kill that ended the one before, and every
poison job must be a dead letter after three tries while the server never ended by itself. Then the disk refuses writes for a
while: no job that was refused may ever appear.
"""
import datetime
import errno
import json
import os
import pathlib
import signal
import sqlite3
import threading
import time

import world
from disk_image import build_shim, shim_environment
from world import Server, Violation

JSON = {"Content-Type": "application/json"}
ENDED = ("done", "failed", "dead", "cancelled")
REFUSED_CALLS = 60


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def workers_of(pid):
    """The worker processes of a server."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid and b"job-worker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except (OSError, IndexError):
            continue
    return found


class Plant:
    """One server that is killed again and again, and what it acknowledged."""

    def __init__(self, run):
        self.run = run
        self.orders, self.data = run.folder / "orders", run.folder / "data"
        self.orders.mkdir()
        self.server = Server(run, self.data, [self.orders])
        self.acknowledged, self.unsure, self.poison, self.kills = {}, 0, [], []

    def add(self, payload, **more):
        body = json.dumps({"kind": "self_test", "payload": payload, **more}).encode()
        try:
            status, _, text = self.server.request("POST", "/api/v1/jobs", body, JSON)
        except OSError:
            self.unsure += 1  # the server was killed under it: it may be there or not, but not half
            return None
        if status != 202:
            raise Violation(f"a job was answered {status}: {text[:200]!r}")
        return json.loads(text)["job"]["id"]

    def add_work(self):
        rng = self.run.rng
        for _ in range(rng.randint(2, 4)):
            payload = {"seconds": rng.choice((0, 0.05, 0.2, 0.5)), "steps": rng.randint(1, 20)}
            if rng.random() < 0.4:
                payload["bytes"] = rng.randint(1, 200_000)
            added = self.add(payload, tries_max=1000)
            if added:
                self.acknowledged[added] = payload

    def kill_worker(self):
        workers = workers_of(self.server.process.pid)
        if not workers:
            return
        try:
            os.kill(self.run.rng.choice(workers), self.run.rng.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)))
        except ProcessLookupError:
            return
        self.kills.append(time.time())
        self.run.count("workers killed")

    def kill_server(self):
        workers = workers_of(self.server.process.pid)
        poster = threading.Thread(target=self.add_work)  # wishes in flight
        poster.start()
        self.run.rng.random()
        threading.Event().wait(self.run.rng.uniform(0, 0.05))
        self.kills.append(time.time())
        self.server.kill()
        poster.join()
        began = time.monotonic()
        while any(pathlib.Path(f"/proc/{pid}").exists() and b"job-worker" in cmdline(pid) for pid in workers):
            if time.monotonic() - began > 5:
                raise Violation("workers live on without their server")
            threading.Event().wait(0.02)
        self.server = Server(self.run, self.data, [self.orders])
        self.run.count("servers killed")

    def jobs(self):
        found, cursor = {}, ""
        while True:
            page = self.server.get("/api/v1/jobs?limit=1000" + cursor)
            found.update({job["id"]: job for job in page["data"]})
            if not page["next_cursor"]:
                return found
            cursor = "&cursor=" + page["next_cursor"]

    def wait_all_over(self, patience=120):
        began = time.monotonic()
        while True:
            self.server.alive()
            jobs = self.jobs()
            if all(job["state"] in ENDED for job in jobs.values()):
                return jobs
            if time.monotonic() - began > patience:
                waiting = [f"{job['id']} {job['state']} try {job['tries']}: {job['error']}" for job in jobs.values() if job["state"] not in ENDED]
                raise Violation(f"{len(waiting)} jobs are not over after {patience} s, such as {waiting[:3]}")
            threading.Event().wait(0.1)


def cmdline(pid):
    try:
        return (pathlib.Path("/proc") / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def cycle(run):
    if not hasattr(run, "plant"):
        run.plant = Plant(run)
    plant = run.plant
    plant.server.alive()
    plant.add_work()
    if run.cycle % 50 == 1:
        plant.poison.append(plant.add({"die": run.rng.choice(("segv", "abort", "kill", "exit"))}))
    threading.Event().wait(run.rng.uniform(0, 0.3))
    if run.rng.random() < run.arguments.server_share:
        plant.kill_server()
    else:
        plant.kill_worker()


def check_pick_up(run, plant, jobs):
    """The next try after one that ended with a kill began in time."""
    for job in jobs.values():
        if job["id"] in plant.poison:
            continue
        tries = job["attempts"]
        for number, attempt in enumerate(tries):
            following = tries[number + 1]["began"] if number + 1 < len(tries) else job["started_at"]
            if not following or when(following) < when(attempt["ended"]):
                continue
            kill = max((kill for kill in plant.kills if kill <= when(attempt["ended"]) + 0.05), default=when(attempt["ended"]))
            took = when(following) - kill
            run.sample("pick up ms", took * 1000)
            if took > run.arguments.pick_up_max:
                raise Violation(f"job {job['id']} was picked up {took:.1f} s after the kill of try {attempt['number']}: {attempt['reason']}")


def check_effects(run, plant, jobs):
    lost = [job for job in plant.acknowledged if job not in jobs]
    if lost:
        raise Violation(f"{len(lost)} acknowledged jobs are gone, such as {lost[:3]}")
    for job in jobs.values():
        if job["id"] in plant.poison:
            if (job["state"], job["tries"]) != ("dead", 3):
                raise Violation(f"the poison job {job['id']} is {job['state']} after {job['tries']} tries: {job['error']}")
            run.count("poison jobs set aside")
            continue
        if job["state"] != "done" or job["result"]["effects"] != 1:
            raise Violation(f"job {job['id']} is {job['state']}, result {job['result']}, error {job['error']!r}")
        run.count("jobs done once")
    run.count("tries that were killed", sum(len(job["attempts"]) for job in jobs.values()))


def check_files(plant, jobs):
    """Each job's own result file, whole, and no other."""
    wanted = {job["id"]: job["file"]["bytes"] for job in jobs.values() if job["file"]}
    for job, payload in plant.acknowledged.items():
        if payload.get("bytes") != wanted.get(job):
            raise Violation(f"job {job} left {wanted.get(job)} bytes, it was asked for {payload.get('bytes')}")
    found = {path.name: path.stat().st_size for path in (plant.data / "results").iterdir()}
    if found != wanted:
        raise Violation(f"the folder of results differs from what the jobs say: {sorted(set(found.items()) ^ set(wanted.items()))[:4]}")


def check_rows(plant, jobs):
    """The record itself, read by another program."""
    record = plant.data / "record.sqlite"
    if not record.exists():
        raise Violation("there is no record")
    with sqlite3.connect(f"file:{record}?mode=ro", uri=True) as database:
        rows = {bytes(key).decode() if isinstance(key, bytes) else key: bytes(content) if isinstance(content, bytes) else content.encode()
                for key, content in database.execute("SELECT key, content FROM kept_row WHERE space = 'jobs/self_test'")}
    done = {job["id"] for job in jobs.values() if job["state"] == "done"}
    if set(rows) != done or set(rows.values()) - {b"1"}:
        raise Violation(f"{len(rows)} effects for {len(done)} jobs that are done; values {set(rows.values())}")


def check_refused(run):
    """While the disk refuses writes no job is taken, and none that was refused is ever seen."""
    data, orders, broken = run.folder / "refusing", run.folder / "refusing-orders", run.folder / "broken"
    orders.mkdir()
    data.mkdir()
    environment = shim_environment(build_shim(run.folder), data, None, f"write:1:1:{errno.ENOSPC}", broken)
    server = Server(run, data, [orders], environment=environment)
    refused, taken = set(), set()
    for number in range(REFUSED_CALLS):
        if run.rng.random() < 0.15:  # for a while good, for a while not: a disk that was mended is tried a second later
            broken.unlink() if broken.exists() else broken.touch()
        body = json.dumps({"kind": "self_test", "unique_key": f"wish-{number}"}).encode()
        status = server.request("POST", "/api/v1/jobs", body, JSON)[0]
        (taken if status == 202 else refused).add(f"wish-{number}")
        threading.Event().wait(0.1)
    broken.unlink(missing_ok=True)
    server.wait_for(lambda: server.get("/api/v1/jobs")["counts"]["pending"] + server.get("/api/v1/jobs")["counts"]["running"] == 0, "the taken jobs", 60)
    for restart in (False, True):
        if restart:
            server.kill()
            server = Server(run, data, [orders])
        seen = {job["unique_key"]: job for job in server.get("/api/v1/jobs?limit=1000")["data"]}
        if set(seen) != taken or any(job["state"] != "done" for job in seen.values()):
            raise Violation(f"refused jobs were seen {sorted(set(seen) & refused)[:3]}, taken ones not {sorted(taken - set(seen))[:3]}")
    run.count("jobs refused and never seen", len(refused))
    run.count("jobs taken beside them", len(taken))
    world.stop_clean(server)


def finish(run):
    plant = run.plant
    jobs = plant.wait_all_over()
    check_pick_up(run, plant, jobs)
    check_effects(run, plant, jobs)
    check_files(plant, jobs)
    world.stop_clean(plant.server)
    check_rows(plant, jobs)
    run.count("wishes cut off by a kill", plant.unsure)
    check_refused(run)


def main():
    parser = world.arguments(__doc__, 500)
    parser.add_argument("--pick-up-max", type=float, default=5)
    parser.add_argument("--server-share", type=float, default=0.2)
    world.run_loop("jobs", world.parse(parser), cycle, finish)


if __name__ == "__main__":
    main()
