"""Millrace as a service of systemd: it says when it is ready, that it is alive, and that it is stopping."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import unittest

from millrace_client import Millrace
from story import BINARY, ROOT, SANITIZER, Story, order_json

UNIT = ROOT / "packaging/millrace.service"
EXPOSURE_MAX = 20  # tenths


class AsAService(Story):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.folder / "notify"))
        self.manager.settimeout(20)
        os.environ.update(NOTIFY_SOCKET=str(self.folder / "notify"))
        self.addCleanup(os.environ.pop, "NOTIFY_SOCKET", None)

    def heard(self, word):
        """Everything that is said up to `word`."""
        lines = []
        while word not in lines:
            lines += self.manager.recv(4096).decode().splitlines()
        return lines

    def test_it_says_when_it_is_ready_that_it_is_alive_and_that_it_stops(self):
        os.environ["WATCHDOG_USEC"] = "1500000"
        self.addCleanup(os.environ.pop, "WATCHDOG_USEC", None)
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        self.assertIn(f"STATUS=listening on 127.0.0.1:{millrace.port}", self.heard("READY=1") + self.heard("WATCHDOG=1"))
        self.heard("WATCHDOG=1")
        millrace.process.send_signal(signal.SIGSTOP)  # who hangs does not say that he lives
        self.manager.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            while True:
                self.manager.recv(4096)
        self.manager.settimeout(2)
        with self.assertRaises(TimeoutError):
            self.manager.recv(4096)
        self.manager.settimeout(20)
        millrace.process.send_signal(signal.SIGCONT)
        self.heard("WATCHDOG=1")
        millrace.process.terminate()
        self.heard("STOPPING=1")
        self.assertEqual(millrace.process.wait(15), 0)

    def test_nobody_watches_and_nobody_is_told(self):
        millrace = self.serve()
        self.heard("READY=1")
        millrace.process.terminate()
        self.assertNotIn("WATCHDOG=1", self.heard("STOPPING=1"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    @unittest.skipIf(SANITIZER, "a program that watches itself needs more than a service")
    def test_behind_the_walls_of_the_unit_every_kind_of_document_is_read_and_a_report_is_made(self):
        behind = self.folder / "millrace"
        behind.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/scripts/unit_walls.py" "{UNIT}" "{pathlib.Path(BINARY).resolve()}" "$@"\n',
                          encoding="utf-8")
        behind.chmod(0o755)
        millrace = Millrace(behind, self.data, command="demo", arguments=["--orders", "120", "--pause", "0", "--no-open"])
        self.addCleanup(millrace.stop)
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] >= 120, "all orders of the demo company")
        kinds = {path.suffix for path in (self.data / "orders").rglob("*") if path.is_file()}
        self.assertLessEqual({".json", ".csv", ".xlsx", ".pdf"}, kinds)
        # The demo's own broken documents, and no other.
        self.assertEqual([row["outcome"] for row in millrace.get("/api/v1/rejections")["data"]], ["reject"] * 5)
        wish = json.dumps({"kind": "report", "payload": {"of": "orders", "format": "xlsx"}})
        status, _, body = millrace.request("POST", "/api/v1/jobs", wish, {"Content-Type": "application/json"})
        self.assertEqual(status, 202, body)
        url = json.loads(body)["job"]["url"]
        millrace.wait_for(lambda: millrace.get(url)["job"]["state"] == "done", "the report")
        self.assertEqual(millrace.stop(), 0)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_the_unit_allows_little_and_makes_sense(self):
        judged = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(UNIT)],
                                capture_output=True, text=True, check=False)
        self.assertEqual(judged.returncode, 0, judged.stdout[-300:] + judged.stderr)
        # The analyser looks for the program where it will be installed: here it gets one.
        unit = pathlib.Path(self.folder / "millrace.service")
        unit.write_text(UNIT.read_text(encoding="utf-8").replace("/usr/bin/millrace", "/bin/true"), encoding="utf-8")
        verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
        self.assertEqual((verified.returncode, verified.stderr), (0, ""))
