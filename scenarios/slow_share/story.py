"""A share that is slow, hangs, fails or is unmounted: nothing is lost, nothing is deleted, everything else goes on."""
import os
import select
import shutil
import time
import unittest

from slow_share import SlowShare, why_not
from story import BINARY, SANITIZER, Story, order_json

SETTINGS = ("share_patience", "poll_interval_min", "poll_interval_max")
missing = why_not(BINARY)


@unittest.skipIf(missing, missing)
class AShareWithBadManners(Story):
    def setUp(self):
        super().setUp()
        self.source_folder = self.orders
        self.orders = self.folder / "share"  # what the server is given
        self.orders.mkdir()
        self.put(7)
        self.put(8)

    def put(self, number, total="100.00"):
        path = self.source_folder / f"Open/SO{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(order_json(number, total))
        os.utime(path, (time.time() - 3600 + number, time.time() - 3600 + len(total) + float(total) % 50))

    def share(self, delay_us=0):
        share = SlowShare(BINARY, self.source_folder, self.orders, delay_us)
        self.addCleanup(share.unmount)
        return share

    def serve(self, *arguments, ready=True):
        for name, value in zip(SETTINGS, ("2s", "1s", "1s")):
            os.environ["MILLRACE_" + name.upper()] = value
            self.addCleanup(os.environ.pop, "MILLRACE_" + name.upper(), None)
        return super().serve(*arguments, ready=ready)

    def wait_state(self, millrace, state, patience=20):
        millrace.wait_for(lambda: self.source(millrace)["state"] == state, f"state {state}, is {self.source(millrace)}", patience)

    def test_changes_made_by_other_machines_are_found_by_listing_and_the_delay_is_said(self):
        self.share(1000)
        millrace = self.serve()
        source = self.source(millrace)
        self.assertEqual((source["state"], source["file_system"], source["watching"]), ("polling", "FUSE", False))
        self.assertEqual(source["poll_interval_ms"], 1000)
        self.assertTrue(1000 < source["delay_max_ms"] < 3000, source)
        self.assertIn("on FUSE file events would only tell what this machine changes", source["delay_why"])
        self.put(9)
        self.put(7, "120.00")
        (self.source_folder / "Open/SO8.json").unlink()
        self.wait_book(millrace, ["7 Open 120.00", "9 Open 100.00"])
        os.rename(self.source_folder / "Open", self.source_folder / "Shipped")
        self.wait_book(millrace, ["7 Shipped 120.00", "9 Shipped 100.00"])

    def test_a_second_look_opens_no_file_even_when_the_share_was_mounted_anew(self):
        share = self.share()
        self.serve().stop()
        share.unmount()
        self.put(120)  # what came meanwhile is read
        share = self.share()
        millrace = self.serve()
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00", "120 Open 100.00"])
        self.assertLessEqual(self.source(millrace)["files_read"], 1)

    def test_a_share_that_hangs_is_said_to_hang_while_everything_else_goes_on_and_it_recovers_by_itself(self):
        share = self.share()
        other = self.folder / "local"
        other.mkdir()
        millrace = self.serve("--orders", str(other))
        share.hang()
        self.wait_state(millrace, "held", 15)
        source = self.source(millrace)
        self.assertIsNotNone(source["hangs_since"])
        self.assertIn("does not answer since", source["message"])
        counted = 'millrace_source_hangs_total{source="share"} 1'
        millrace.wait_for(lambda: counted in millrace.request("GET", "/metrics")[2].decode(), "the hang to be counted")
        (other / "Open").mkdir()
        (other / "Open/SO50.json").write_text(order_json(50))
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00", "50 Open 100.00"])
        self.assertEqual(millrace.request("GET", "/readyz")[0], 200)
        self.put(9)
        share.answer()
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00", "9 Open 100.00", "50 Open 100.00"])
        self.assertIsNone(self.source(millrace)["hangs_since"])

    def test_the_server_stops_in_time_while_a_share_hangs(self):
        if "address" in SANITIZER:
            self.skipTest("the search for leaks waits for the thread that hangs")
        share = self.share()
        millrace = self.serve()
        share.freeze()
        self.wait_state(millrace, "held", 15)
        began = time.monotonic()
        self.assertEqual(millrace.stop(patience=15), 0)
        self.assertLess(time.monotonic() - began, 10)

    def test_an_unmounted_share_is_held_and_comes_back(self):
        share = self.share()
        millrace = self.serve()
        share.unmount()
        self.wait_state(millrace, "held")
        self.assertIn("nothing was deleted", self.source(millrace)["message"])
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"])
        self.put(8, "80.00")
        share.mount()
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 80.00"])
        self.wait_state(millrace, "polling")

    def test_a_share_that_fails_every_call_loses_no_order(self):
        share = self.share()
        millrace = self.serve()
        share.fail()
        self.wait_state(millrace, "held")
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"])
        self.put(9)
        share.succeed()
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00", "9 Open 100.00"])
        self.assertEqual(self.rejections(millrace), [])
