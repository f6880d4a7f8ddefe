"""After a restart the answers are the same, unchanged files are not opened, and what changed meanwhile is found."""
import os

from story import Story, order_json


class Restart(Story):
    def test_nothing_changed_nothing_is_opened(self):
        for number in range(1, 21):
            self.write(f"Open/SO{number}.json", order_json(number))
        first = self.serve()
        before = first.get("/api/v1/orders?limit=1000")["data"]
        self.assertEqual(first.stop(), 0)
        second = self.serve()
        self.assertEqual(second.get("/api/v1/orders?limit=1000")["data"], before)
        source = self.source(second)
        self.assertEqual((source["files_read"], source["files_unchanged"]), (0, 20))

    def test_changes_made_while_it_was_down_are_found(self):
        for number in range(1, 5):
            self.write(f"Open/SO{number}.json", order_json(number))
        self.serve().stop()
        (self.orders / "Open/SO1.json").unlink()
        self.write("Open/SO2.json", order_json(2, opened="2", updated="2026-11-09 08:00:00"))
        (self.orders / "Shipped").mkdir()
        os.rename(self.orders / "Open/SO3.json", self.orders / "Shipped/SO3.json")
        self.write("Open/SO5.json", order_json(5))
        second = self.serve()
        self.wait_book(second, ["2 Open 50.00", "3 Shipped 100.00", "4 Open 100.00", "5 Open 100.00"])

    def test_what_was_rewritten_and_moved_while_it_was_down_opens_no_gap(self):
        for number in range(1, 4):
            self.write(f"Open/SO{number}.json", order_json(number))
        self.serve().stop()
        for number in range(1, 4):
            (self.orders / f"Open/SO{number}.json").unlink()
            self.write(f"Shipped/SO{number}.json", order_json(number, opened="2", updated="2026-11-09 08:00:00"), age=0)
        self.write("Open/SO4.json", order_json(4))
        second = self.serve()
        self.wait_book(second, ["1 Shipped 50.00", "2 Shipped 50.00", "3 Shipped 50.00", "4 Open 100.00"])
        kinds = [change["kind"] for number in range(1, 4) for change in second.get(f"/api/v1/orders/{number}/history")["data"]]
        self.assertNotIn("order_removed", kinds)

    def test_a_kill_loses_nothing_that_was_shown(self):
        millrace = self.serve()
        for number in range(1, 6):
            self.write(f"Open/SO{number}.json", order_json(number), age=0)
        self.wait_book(millrace, [f"{n} Open 100.00" for n in range(1, 6)])
        shown = millrace.get("/api/v1/orders")["as_of"]
        millrace.kill()
        again = self.serve()
        self.assertGreaterEqual(again.get("/api/v1/orders")["as_of"], shown)
        self.assertEqual(self.book(again), [f"{n} Open 100.00" for n in range(1, 6)])

    def metric(self, millrace, name):
        for line in millrace.request("GET", "/metrics")[2].decode().splitlines():
            if line.startswith(name):
                return float(line.rsplit(" ", 1)[1])
        return 0

    def export(self, millrace):
        return millrace.request("GET", "/api/v1/orders.ndjson")[2]

    def test_after_a_kill_the_start_is_warm_and_finds_what_changed_meanwhile(self):
        for number in range(1, 31):
            self.write(f"Open/SO{number}.json", order_json(number))
        first = self.serve()
        first.wait_for(lambda: self.metric(first, "millrace_warm_start_writes_total") >= 1, "the warm-start file", 20)
        self.write("Open/SO31.json", order_json(31), age=0)  # in the record, not in the file
        first.wait_for(lambda: len(self.book(first)) == 31, "the new order")
        first.kill()
        self.write("Open/SO2.json", order_json(2, opened="2", updated="2026-11-09 08:00:00"))
        os.rename(self.orders / "Open/SO3.json", self.orders / "SO3.json")
        (self.orders / "Open/SO4.json").unlink()
        second = self.serve()
        self.assertTrue(any("warm start as of change" in line for line in second.lines), second.lines)
        wanted = [f"{n} {'Unfiled' if n == 3 else 'Open'} {'50.00' if n == 2 else '100.00'}" for n in range(1, 32) if n != 4]
        self.wait_book(second, wanted)
        self.assertLessEqual(self.source(second)["files_read"], 2)

    def test_a_damaged_warm_start_is_noticed_and_everything_is_rebuilt(self):
        for number in range(1, 31):
            self.write(f"Open/SO{number}.json", order_json(number))
        first = self.serve()
        before = self.export(first)
        self.assertEqual(first.stop(), 0)
        warm = self.data / "warm.bin"
        whole = warm.read_bytes()
        for damaged in (whole[:-1], b"", whole[:300] + bytes([whole[300] ^ 4]) + whole[301:], whole + b"x"):
            warm.write_bytes(damaged)
            server = self.serve()
            self.assertEqual(self.export(server), before)
            self.assertEqual(self.source(server)["files_read"], 0)
            self.assertEqual(self.metric(server, "millrace_warm_start_refused_total"), 1)
            self.assertTrue(any("warm_start_refused" in line for line in server.lines), server.lines)
            self.assertEqual(server.stop(), 0)
        again = self.serve()
        self.assertEqual(self.metric(again, "millrace_warm_start_refused_total"), 0)
        self.assertEqual(self.export(again), before)

    def test_a_second_server_on_the_same_data_is_refused(self):
        self.serve()
        second = self.run_command("serve", "--data", self.data, "--orders", self.orders, "--listen", "127.0.0.1:0")
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(b"another millrace", second.stderr)

    def test_the_book_can_be_read_as_of_any_past_moment(self):
        millrace = self.serve()
        self.write("Open/SO1.json", order_json(1), age=0)
        self.wait_book(millrace, ["1 Open 100.00"])
        then = millrace.get("/api/v1/orders")["as_of"]
        self.write("Open/SO1.json", order_json(1, opened="1", updated="2026-11-09 08:00:00"), age=0)
        self.wait_book(millrace, ["1 Open 25.00"])
        past = self.run_command("export", "orders", "--data", self.data, "--format", "csv", "--as-of", str(then))
        now = self.run_command("export", "orders", "--data", self.data, "--format", "csv")
        self.assertEqual(past.returncode, 0, past.stderr)
        self.assertIn(b"100.00", past.stdout)
        self.assertIn(b"25.00", now.stdout)
        history = millrace.get("/api/v1/orders/1/history")["data"]
        self.assertEqual([change["kind"] for change in history], ["order_changed", "order_new"])
