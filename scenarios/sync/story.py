"""An ERP beside the folder: first sync, changes, pause, a held sync and its decision, restart; `millrace sync` and its exit codes."""
import json
import pathlib
import socket
import unittest

from erp_simulator import Simulator, missing
from story import BINARY, Story

SIMULATOR = pathlib.Path(BINARY).resolve().parent / "src" / "millrace_erp_simulator"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sync(Story):
    def configure(self, **replaced):
        secret = self.folder / "sap.password"
        secret.write_text("s3cret\n", encoding="utf-8")
        secret.chmod(0o600)
        values = {"kind": "sap-b1", "url": f"http://127.0.0.1:{free_port()}/b1s/v2", "company": "C", "user": "u", "password_file": str(secret)}
        values.update(replaced)
        settings = self.folder / "millrace.toml"
        settings.write_text("[source.sap]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()), encoding="utf-8")
        return settings

    def sync(self, settings, source="sap"):
        done = self.run_command("sync", source, "--config", settings, "--data", self.data, "--listen", f"127.0.0.1:{free_port()}")
        self.assertNotIn(b"s3cret", done.stdout + done.stderr)
        return done.returncode, done.stderr.decode("utf-8")

    def test_a_source_that_nobody_configured_is_named(self):
        code, text = self.sync(self.configure(), "sapp")
        self.assertEqual(code, 4, text)
        self.assertIn("there is: sap", text)

    def test_a_secret_that_is_not_there_or_open_to_all_is_wrong_configuration(self):
        code, text = self.sync(self.configure(password_file=str(self.folder / "none")))
        self.assertEqual(code, 2, text)
        self.assertIn("cannot be read", text)
        open_secret = self.folder / "open"
        open_secret.write_text("s3cret\n", encoding="utf-8")
        open_secret.chmod(0o644)
        code, text = self.sync(self.configure(password_file=str(open_secret)))
        self.assertEqual(code, 2, text)
        self.assertIn("chmod 600", text)

    def test_a_mistyped_key_is_refused_with_its_line(self):
        settings = self.configure(intervall="5m")
        code, text = self.sync(settings)
        self.assertEqual(code, 2, text)
        self.assertIn(f'{settings}:7: there is no setting of a source "intervall"; did you mean interval?', text)

    def test_an_erp_that_is_away_is_to_be_tried_again(self):
        code, text = self.sync(self.configure())
        self.assertEqual(code, 75, text)

    def test_doctor_names_the_source_that_is_not_reached(self):
        done = self.run_command("doctor", "--config", self.configure(), "--data", self.data, "--json")
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertEqual(checks["source sap"]["verdict"], "bad")
        self.assertIn("[source.sap]", checks["source sap"]["advice"])


@unittest.skipIf(missing(SIMULATOR), "needs millrace_erp_simulator (`ninja tests` builds it)")
class Followed(Story):
    """The simulated ERP as a process of its own, followed by the real program."""

    def setUp(self):
        super().setUp()
        self.erp = Simulator(SIMULATOR, orders=200)
        self.addCleanup(self.erp.stop)
        secret = self.folder / "sap.password"
        secret.write_text(self.erp.password, encoding="utf-8")
        secret.chmod(0o600)
        self.settings = self.folder / "millrace.toml"
        self.settings.write_text(f"""[source.sap]
kind = "sap-b1"
url = "{self.erp.url}"
company = "{self.erp.company}"
user = "{self.erp.user}"
password_file = "{secret}"
interval = "1h"
interval_max = "1h"
""", encoding="utf-8")

    def start(self):
        return self.serve("--config", str(self.settings))

    @staticmethod
    def sap(millrace):
        return [source for source in millrace.get("/api/v1/sources")["data"] if source["id"] == "sap"][0]

    def in_step(self, millrace, syncs):
        now = millrace.wait_for(lambda: (lambda now: now if now["refresh"]["count"] >= syncs and not now["refresh"]["running"] else None)(self.sap(millrace)),
                                f"{syncs} syncs")
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] == self.sap(millrace)["orders"], "what came is shown")
        return now

    def sync_now(self, millrace):
        count = self.sap(millrace)["refresh"]["count"]
        self.assertEqual(millrace.post("/api/v1/sources/sap/refresh")[0], 202)
        return self.in_step(millrace, count + 1)

    @staticmethod
    def order(millrace, number):
        return millrace.get(f"/api/v1/orders/{number}")["order"]

    @staticmethod
    def digest(millrace):
        return millrace.get("/api/v1/orders?limit=1000&fields=order,status,open_amount")["data"]

    def test_first_sync_change_close_pause_and_restart(self):
        millrace = self.start()
        first = self.in_step(millrace, 1)
        self.assertEqual((first["state"], first["orders"]), ("polling", 200))
        self.assertEqual(millrace.get("/api/v1/orders?limit=1")["total"], 200)

        sequence = millrace.get("/api/v1/orders?limit=1")["as_of"]
        self.sync_now(millrace)
        self.assertEqual(millrace.get("/api/v1/orders?limit=1")["as_of"], sequence, "a quiet sync changes nothing")

        changed = {one["order"] for one in self.erp.change(7)}
        self.sync_now(millrace)
        told = {change["order"] for change in millrace.get(f"/api/v1/changes?since={sequence}")["data"]}
        self.assertEqual(told, changed)

        closed = self.erp.deed("close")[0]
        self.assertEqual(self.order(millrace, closed)["status"], "Open")
        self.sync_now(millrace)
        self.assertEqual(self.order(millrace, closed)["status"], "Closed")

        self.assertEqual(millrace.post("/api/v1/sources/sap/pause")[0], 202)
        millrace.wait_for(lambda: self.sap(millrace)["state"] == "paused", "the source is paused")
        calls = self.erp.calls()
        self.erp.deed("close", 2)
        self.assertEqual(millrace.post("/api/v1/sources/sap/refresh")[0], 202)
        self.assertEqual(self.sap(millrace)["state"], "paused")
        self.assertEqual(self.erp.calls(), calls, "a paused source asks nothing")
        count = self.sap(millrace)["refresh"]["count"]
        self.assertEqual(millrace.post("/api/v1/sources/sap/resume")[0], 202)
        self.in_step(millrace, count + 1)

        before = self.digest(millrace)
        self.assertEqual(millrace.stop(), 0)
        stats = self.erp.stats()
        self.assertEqual(stats["logins"], stats["logouts"], "the session was given back")
        millrace = self.start()
        self.assertEqual(self.digest(millrace), before)
        self.in_step(millrace, 1)
        self.assertEqual(self.digest(millrace), before)

    def test_the_command_has_the_server_sync_and_tells_what_it_did(self):
        millrace = self.start()
        self.in_step(millrace, 1)
        changed = len(self.erp.change(5))
        done = self.run_command("sync", "sap", "--config", self.settings, "--data", self.data, "--listen", f"127.0.0.1:{millrace.port}", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["rows_written"], changed)
        self.assertEqual(self.sap(millrace)["refresh"]["count"], 2)

    def test_the_command_alone_reads_everything_and_ends_its_session(self):
        done = self.run_command("sync", "sap", "--config", self.settings, "--data", self.data, "--listen", f"127.0.0.1:{free_port()}")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode("utf-8")
        self.assertRegex(text, r"orders +good +200 ")
        stats = self.erp.stats()
        self.assertEqual((stats["logins"], stats["logouts"]), (1, 1))

    def test_a_sync_that_would_remove_much_waits_and_a_person_decides(self):
        millrace = self.start()
        self.in_step(millrace, 1)
        before = self.digest(millrace)
        gone = self.erp.deed("remove", 60)
        self.assertEqual(self.sync_now(millrace)["state"], "held")
        held = millrace.get("/api/v1/held")["data"][0]
        self.assertEqual((held["source"], held["stream"], held["rows_before"], held["rows_gone"]), ("sap", "orders", 200, len(gone)))
        self.assertEqual(self.digest(millrace), before, "the last good state is served")
        done = self.run_command("sync", "sap", "--config", self.settings, "--data", self.data, "--listen", f"127.0.0.1:{millrace.port}")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(held["why"], done.stderr.decode("utf-8"))

        self.assertEqual(millrace.post("/api/v1/sources/sap/reject-held")[0], 202)
        # What is rejected is looked at again, and there it still is; nothing left us.
        millrace.wait_for(lambda: any(one["since"] > held["since"] for one in millrace.get("/api/v1/held")["data"]), "it is held again")
        self.assertEqual(self.digest(millrace), before)

        self.assertEqual(millrace.post("/api/v1/sources/sap/accept-held")[0], 202)
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] == 200 - len(gone), "they are gone")
        millrace.wait_for(lambda: self.sap(millrace)["state"] == "polling", "the source is in step")
        left = {row["order"] for row in self.digest(millrace)}
        self.assertFalse(left & set(gone))
        self.assertEqual(millrace.get("/api/v1/held")["data"], [])
