"""Work for later: reports, syncs and backups run beside the answers, survive what happens, and do what they do once."""
import csv
import io
import json
import os
import pathlib
import signal

from story import Story, order_json

ENDED = ("done", "failed", "dead", "cancelled")


def children_of(pid):
    """The processes that `pid` started, with their command lines."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
    return found


def workers_of(millrace):
    return [pid for pid, words in children_of(millrace.process.pid).items() if b"job-worker" in words]


class Jobs(Story):
    def start_job(self, millrace, kind, payload=None, headers=None, **more):
        body = json.dumps({"kind": kind, "payload": payload or {}, **more}).encode()
        status, answered, text = millrace.request("POST", "/api/v1/jobs", body, {"Content-Type": "application/json", **(headers or {})})
        self.assertIn(status, (200, 202), text)
        self.assertEqual(answered["Location"], json.loads(text)["job"]["url"])
        return json.loads(text)["job"]

    def job(self, millrace, job):
        return millrace.get(job["url"])["job"]

    def ended(self, millrace, job, patience=60):
        return millrace.wait_for(lambda: (now := self.job(millrace, job))["state"] in ENDED and now, f"the end of {job['kind']}", patience)

    def running(self, millrace, job):
        return millrace.wait_for(lambda: (now := self.job(millrace, job))["state"] == "running" and now, f"{job['kind']} to run")

    def result(self, millrace, job):
        status, headers, body = millrace.request("GET", job["result_url"])
        self.assertEqual(status, 200, body)
        return headers, body

    def plant(self, count=12):
        for number in range(1, count + 1):
            self.write(f"Open/{number}.json", order_json(number))
        return self.serve()

    def test_a_report_is_the_list_that_the_screen_shows(self):
        millrace = self.plant()
        job = self.ended(millrace, self.start_job(millrace, "report", {"of": "orders", "format": "csv", "filters": {"status": "Open"}, "sort": "order"}))
        self.assertEqual((job["state"], job["tries"]), ("done", 1), job["error"])
        headers, body = self.result(millrace, job)
        shown = millrace.request("GET", "/api/v1/orders.csv?status=Open&sort=order")[2]
        self.assertEqual(body, shown)
        self.assertEqual(headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn("attachment; filename=\"orders_", headers["Content-Disposition"])
        self.assertEqual(job["file"]["bytes"], len(shown))

    def test_lines_totals_and_workbooks_are_reports_too(self):
        millrace = self.plant()
        lines = self.ended(millrace, self.start_job(millrace, "report", {"of": "lines", "format": "csv"}))
        self.assertEqual(len(list(csv.reader(io.StringIO(self.result(millrace, lines)[1].decode())))), 13)
        totals = self.ended(millrace, self.start_job(millrace, "report", {"of": "totals", "format": "csv", "group": "customer"}))
        rows = list(csv.DictReader(io.StringIO(self.result(millrace, totals)[1].decode())))
        wanted = millrace.get("/api/v1/totals?group=customer")["data"]
        self.assertEqual([row["key"] for row in rows], [row["key"] for row in wanted])
        self.assertEqual(rows[0]["orders"], "12")
        for of in ("orders", "lines", "totals"):
            book = self.ended(millrace, self.start_job(millrace, "report", {"of": of, "format": "xlsx"}))
            self.assertEqual(book["state"], "done", book["error"])
            self.assertTrue(self.result(millrace, book)[1].startswith(b"PK"))

    def test_a_report_of_what_there_is_not_fails_for_good_and_says_why(self):
        millrace = self.plant(1)
        job = self.ended(millrace, self.start_job(millrace, "report", {"filters": {"flavour": "red"}}))
        self.assertEqual((job["state"], job["tries"]), ("failed", 1))
        self.assertIn("flavour", job["error"])
        self.assertEqual(millrace.request("GET", job["url"] + "/result")[0], 409)

    def test_who_waits_is_answered_with_the_end_and_the_same_wish_is_the_same_job(self):
        millrace = self.serve()
        first = self.start_job(millrace, "self_test", {"seconds": 0.1}, {"Prefer": "wait=20", "Idempotency-Key": "k1"})
        self.assertEqual((first["state"], first["result"]), ("done", {"effects": 1, "try": 1}))
        again = self.start_job(millrace, "self_test", {"seconds": 0.1}, {"Idempotency-Key": "k1"})
        self.assertEqual(again["id"], first["id"])

    def test_a_worker_that_is_killed_costs_a_try_and_nothing_else(self):
        millrace = self.serve()
        job = self.running(millrace, self.start_job(millrace, "self_test", {"seconds": 2, "bytes": 100_000}))
        millrace.wait_for(lambda: self.job(millrace, job)["progress"]["done"] > 0, "some progress")
        for pid in workers_of(millrace):
            os.kill(pid, signal.SIGKILL)
        ended = self.ended(millrace, job)
        self.assertEqual((ended["state"], ended["tries"], ended["result"]["effects"]), ("done", 2, 1))
        self.assertEqual(ended["attempts"][0]["reason"], "its worker was killed by signal 9")
        self.assertEqual(len(self.result(millrace, ended)[1]), 100_000)
        self.assertEqual([path.name for path in (self.data / "results").iterdir()], [job["id"]])

    def test_a_job_that_kills_its_worker_every_time_is_a_dead_letter_and_a_person_may_try_again(self):
        millrace = self.serve()
        dead = self.ended(millrace, self.start_job(millrace, "self_test", {"die": "segv"}))
        self.assertEqual((dead["state"], dead["tries"]), ("dead", 3))
        self.assertIn("killed by signal 11", dead["error"])
        self.assertEqual(len(dead["attempts"]), 3)
        status, _ = millrace.post(dead["retry_url"])
        self.assertEqual(status, 202)
        self.assertEqual(self.ended(millrace, dead)["state"], "dead")
        self.assertIsNone(millrace.process.poll())

    def test_a_worker_that_hangs_is_noticed(self):
        millrace = self.serve()
        job = self.ended(millrace, self.start_job(millrace, "self_test", {"silent": True, "until_try": 1}))
        self.assertEqual((job["state"], job["tries"]), ("done", 2))
        self.assertIn("no sign of life", job["attempts"][0]["reason"])

    def test_cancelling_ends_a_waiting_and_a_running_job(self):
        millrace = self.serve()
        running = self.running(millrace, self.start_job(millrace, "self_test", {"seconds": 60}))
        self.assertEqual(millrace.post("/api/v1/jobs/pause?kind=self_test")[0], 200)
        waiting = self.start_job(millrace, "self_test", {"seconds": 60})
        self.assertEqual(waiting["state"], "paused")
        for job in (waiting, running):
            self.assertEqual(millrace.post(job["url"] + "/cancel")[0], 202)
        self.assertEqual(self.ended(millrace, waiting, 5)["state"], "cancelled")
        self.assertEqual(self.ended(millrace, running, 5)["state"], "cancelled")
        self.assertEqual(millrace.post(running["url"] + "/cancel")[0], 409)

    def test_a_stopped_server_hands_its_jobs_on_and_a_killed_one_costs_a_try(self):
        millrace = self.serve()
        job = self.running(millrace, self.start_job(millrace, "self_test", {"seconds": 3}))
        self.assertEqual(millrace.stop(), 0)
        self.assertEqual(workers_of(millrace), [])
        millrace = self.serve()
        self.assertEqual(self.running(millrace, job)["tries"], 1)
        workers = workers_of(millrace)
        millrace.kill()
        millrace.wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers), "the workers to end with their server", 5)
        millrace = self.serve()
        ended = self.ended(millrace, job)
        self.assertEqual((ended["state"], ended["tries"], ended["result"]["effects"]), ("done", 2, 1))
        self.assertEqual(ended["attempts"][0]["reason"], "the server ended while it ran")

    def test_a_sync_is_a_job_that_ends_with_the_sync_and_never_runs_twice_at_once(self):
        millrace = self.plant(2)
        source = self.source(millrace)
        self.write("Open/3.json", order_json(3))
        job = self.start_job(millrace, "sync", {"source": source["id"]})
        ended = self.ended(millrace, job)
        self.assertEqual((ended["state"], ended["result"]["orders"]), ("done", 3), ended["error"])
        missing = self.ended(millrace, self.start_job(millrace, "sync", {"source": "mail"}))
        self.assertEqual(missing["state"], "failed")
        self.assertIn("mail", missing["error"])

    def test_a_backup_is_made_tested_and_the_record_verified(self):
        millrace = self.plant()
        none = self.ended(millrace, self.start_job(millrace, "restore_test"))
        self.assertIn("no backup", none["error"])
        for _ in range(2):
            backup = self.ended(millrace, self.start_job(millrace, "backup", {"keep": 1}))
            self.assertEqual(backup["state"], "done", backup["error"])
        self.assertEqual([str(path) for path in (self.data / "backups").iterdir()], [backup["result"]["file"]])
        tested = self.ended(millrace, self.start_job(millrace, "restore_test"))
        self.assertEqual((tested["state"], tested["result"]["digest"]), ("done", backup["result"]["digest"]), tested["error"])
        verified = self.ended(millrace, self.start_job(millrace, "verify_record"))
        self.assertEqual(verified["result"]["changes"], 12)

    def test_a_schedule_makes_its_job_and_is_there_after_a_restart(self):
        millrace = self.serve()
        body = json.dumps({"kind": "self_test", "timing": "every 10s"}).encode()
        status, _, text = millrace.request("PUT", "/api/v1/jobs/schedules/beat", body, {"Content-Type": "application/json"})
        self.assertEqual(status, 200, text)
        millrace.stop()
        millrace = self.serve()
        beat = lambda: millrace.get("/api/v1/jobs/schedules")["data"][0]
        millrace.wait_for(lambda: beat()["turns"] >= 1, "the first turn", 30)
        job = millrace.get("/api/v1/jobs/" + beat()["last_job"])["job"]
        self.assertEqual((job["schedule"], job["kind"]), ("beat", "self_test"))
        self.assertEqual(millrace.request("DELETE", "/api/v1/jobs/schedules/beat")[0], 200)
        self.assertEqual(millrace.get("/api/v1/jobs/schedules")["data"], [])

    def test_a_worker_inherits_no_file_and_no_variable(self):
        millrace = self.serve()
        self.running(millrace, self.start_job(millrace, "self_test", {"seconds": 30}))
        pid = millrace.wait_for(lambda: workers_of(millrace), "a worker")[0]
        # A program that is just being loaded holds its libraries open for a moment; what is inherited stays.
        millrace.wait_for(lambda: sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd")) == [0, 1, 2, 3], "a worker with four descriptors", 10)
        self.assertEqual(pathlib.Path(f"/proc/{pid}/environ").read_bytes(), b"LC_ALL=C.UTF-8\0")

    def test_the_command_line_shows_and_steers(self):
        millrace = self.serve()
        listen = ["--listen", f"127.0.0.1:{millrace.port}"]
        payload = self.folder / "payload.json"
        payload.write_text('{"seconds":0.1}', encoding="utf-8")
        ran = self.run_command("jobs", "run", "self_test", "--payload", payload, *listen)
        self.assertEqual((ran.returncode, b"self_test" in ran.stdout), (0, True), ran.stderr)
        bad = self.run_command("jobs", "run", "self_test", "--json", *listen, "--payload", self.folder / "none.json")
        self.assertEqual(bad.returncode, 4)
        listed = json.loads(self.run_command("jobs", "list", "--json", *listen).stdout)
        self.assertEqual(listed["counts"]["completed"], 1)
        self.assertEqual(self.run_command("jobs", "show", "nobody", *listen).returncode, 4)
        self.assertEqual(self.run_command("jobs", "cancel", listed["data"][0]["id"], *listen).returncode, 5)
        self.assertIn(b"paused", self.run_command("jobs", "pause", *listen).stdout)
        self.assertTrue(millrace.get("/api/v1/jobs")["paused"])
        self.assertEqual(self.run_command("jobs", "resume", *listen).returncode, 0)
        self.assertEqual(self.run_command("jobs", "schedules", *listen).returncode, 0)
