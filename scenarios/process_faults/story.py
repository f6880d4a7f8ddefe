"""What the machine does to the process: no descriptors, little memory, signals, a second instance, another time."""
import os
import resource
import signal
import socket
import sqlite3
import threading
import time
import unittest

from story import BINARY, MEMORY_ROOM, ROOT, SANITIZER, Story, order_csv, order_json
from millrace_client import Millrace

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class ProcessFaults(Story):
    def setUp(self):
        super().setUp()
        for number in range(1, 6):
            self.write(f"Open/SO{number}.json", order_json(number))

    def change_arrives(self, millrace, number, patience=10):
        """A new order reaches the screens: the whole road is alive."""
        self.write(f"Open/SO{number}.json", order_json(number), age=0)
        millrace.wait_for(lambda: millrace.request("GET", f"/api/v1/orders/{number}")[0] == 200, f"order {number}", patience)

    @staticmethod
    def cpu_seconds(millrace):
        with open(f"/proc/{millrace.process.pid}/stat", encoding="ascii") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    @unittest.skipIf(SANITIZER, "the undefined-behaviour sanitizer looks at memory through a pipe of its own, for which no descriptor is left")
    def test_without_descriptors_it_waits_without_spinning_and_recovers(self):
        millrace = self.serve()
        used = len(os.listdir(f"/proc/{millrace.process.pid}/fd"))
        hard = resource.prlimit(millrace.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(millrace.process.pid, resource.RLIMIT_NOFILE, (used + 10, hard))
        waiting = [socket.create_connection(("127.0.0.1", millrace.port)) for _ in range(200)]
        before = self.cpu_seconds(millrace)
        threading.Event().wait(1.0)  # the measured second
        self.assertLess(self.cpu_seconds(millrace) - before, 0.5)
        for connection in waiting:
            connection.close()
        millrace.wait_for(lambda: millrace.request("GET", "/readyz")[0] == 200, "answers again", 5)
        resource.prlimit(millrace.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        self.change_arrives(millrace, 77)
        self.assertEqual(millrace.stop(), 0)

    def test_sigterm_under_load_says_goodbye_and_ends_well(self):
        millrace = self.serve()
        live = millrace.live("orders")
        self.assertEqual(live.receive()["op"], "hello")
        stop, failures = threading.Event(), []

        def ask():
            while not stop.is_set():
                try:
                    status = millrace.request("GET", "/api/v1/orders?limit=5")[0]
                    if status not in (200, 503):
                        failures.append(status)
                except OSError:
                    return  # it has stopped accepting
                except Exception as cut:  # an answer that was cut in the middle
                    failures.append(repr(cut))
                    return

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        threading.Event().wait(0.3)
        began = time.monotonic()
        millrace.process.send_signal(signal.SIGTERM)
        with self.assertRaises(ConnectionError) as goodbye:
            while True:
                live.receive(10)
        live.close()
        self.assertEqual(millrace.process.wait(15), 0)
        self.assertLess(time.monotonic() - began, 10)
        stop.set()
        for asker in askers:
            asker.join()
        self.assertEqual(failures, [])
        # The close frame carries 1001, "going away".
        self.assertIn(repr((1001).to_bytes(2, "big"))[2:-1], str(goodbye.exception))

    def test_signals_that_pause_or_disturb_it_do_no_harm(self):
        millrace = self.serve()
        live = millrace.live("orders")
        live.wait_for("subscribed")
        millrace.process.send_signal(signal.SIGPIPE)
        millrace.process.send_signal(signal.SIGSTOP)
        self.write("Open/SO90.json", order_json(90), age=0)
        threading.Event().wait(1.5)  # the pause that is looked at
        millrace.process.send_signal(signal.SIGCONT)
        millrace.wait_for(lambda: any("90" == row["order"] for row in (live.receive(5) or {}).get("rows", ())), "order 90 on the open connection", 10)
        refreshes = self.source(millrace)["refresh"]["count"]
        millrace.process.send_signal(signal.SIGHUP)
        millrace.wait_for(lambda: self.source(millrace)["refresh"]["count"] > refreshes, "SIGHUP looks at the folder again", 10)
        self.change_arrives(millrace, 91)
        live.close()
        self.assertEqual(millrace.stop(), 0)

    def test_a_second_instance_says_who_is_there_and_disturbs_nobody(self):
        millrace = self.serve()
        second = self.run_command("serve", "--data", self.data, "--orders", self.orders, "--listen", "127.0.0.1:0")
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(b"another millrace already uses", second.stderr)
        self.change_arrives(millrace, 92)

    def test_an_export_of_everything_keeps_its_memory_bounded(self):
        self.write("Open/many.csv", order_csv(*((number, 2, 2, "3.50", "7.00") for number in range(1000, 9000))))
        millrace = self.serve()
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] == 8005, "8005 orders", 60)
        before = millrace.rss_bytes()
        for path in ("/api/v1/orders.csv", "/api/v1/orders.ndjson", "/api/v1/orders.json"):
            status, _, body = millrace.request("GET", path)
            self.assertEqual(status, 200)
            self.assertGreater(len(body), 1 << 20)
        self.assertLess(millrace.rss_bytes() - before, (64 << 20) * MEMORY_ROOM)

    def test_a_record_of_the_first_format_is_brought_up_to_date(self):
        """An older record starts, keeps every Sequence, and a kill before it was ready changes nothing."""
        self.data.mkdir()
        connection = sqlite3.connect(self.data / "record.sqlite")
        connection.executescript((ROOT / "scripts/torture/format_1/record.sql").read_text(encoding="utf-8"))
        last = connection.execute("SELECT MAX(sequence) FROM change").fetchone()[0]
        connection.close()
        os.rename(self.orders, self.folder / "away")
        for _ in range(3):
            process = Millrace(BINARY, self.data, [self.orders], listening=True)
            process.kill()
        millrace = self.serve(ready=False)
        self.assertEqual(millrace.get("/api/v1/orders?limit=1")["as_of"], last)

    def test_a_clock_that_jumps_stops_nothing(self):
        if not os.path.exists(FAKETIME):
            self.skipTest("libfaketime is not installed")
        clock = self.folder / "clock"
        clock.write_text("+0\n")
        millrace = Millrace(BINARY, self.data, [self.orders], environment={
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"})
        self.addCleanup(millrace.stop)
        millrace.wait_for(lambda: self.source(millrace)["state"] == "live", "live")
        number = 100
        for jump in ("+365d", "-1h", "+3600", "+0"):
            clock.write_text(jump + "\n")
            refreshes = self.source(millrace)["refresh"]["count"]
            as_of = millrace.get("/api/v1/orders?limit=1")["as_of"]
            number += 1
            self.change_arrives(millrace, number)
            answer = millrace.get("/api/v1/orders?limit=1")
            self.assertEqual(answer["as_of"], as_of + 1, jump)
            self.assertEqual(answer["total"], 5 + number - 100, "nothing expires because the clock jumped")
            self.assertLessEqual(self.source(millrace)["refresh"]["count"], refreshes + 1, "no storm of refreshes")
        self.assertEqual(millrace.stop(), 0)
