"""FAULTS.md A18 to A27: files that grow, are replaced, cut, back-dated, very many, or two for one order. Nothing half is
shown, nothing is shown twice, the last content wins, and which document counts can be looked up.

What a folder tells is less than what is in its files; the stories of A24 say where that border is.
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zlib

from millrace_client import Millrace
from story import BINARY, CSV_HEAD, MEMORY_ROOM, ROOT, Story, order_csv, order_json

sys.path.insert(0, str(ROOT / "scripts/torture"))
import many_files  # noqa: E402

QUIET_SECONDS = 10.0  # a writer that is silent for so long and never closes its file counts as done (src/ingest)


def version_csv(version, orders=80):
    """Many orders of one version; the reference of each carries the version and a checksum over the amounts of all."""
    prices = [100 + (version * 137 + number * 11) % 9000 for number in range(orders)]
    reference = f"v{version}-{zlib.crc32(repr(prices).encode()):08x}"
    rows = [f"{number + 1},C2,Beta AG,2026-10-01,2026-11-30,EUR,1,P-9,1,1,{price / 100:.2f},{price / 100:.2f},2026-11-01 08:00:00,{reference}"
            for number, price in enumerate(prices)]
    return "\r\n".join([CSV_HEAD + ",CustomerPO", *rows]) + "\r\n"


def version_shown(rows, orders=80):
    """The version that an answer shows; an assertion fails when it mixes two, or holds an order too few."""
    references = {row["customer_reference"] for row in rows}
    assert len(references) == 1, f"a mix of {sorted(references)}"
    prices = [row["open_amount"]["minor"] for row in sorted(rows, key=lambda row: int(row["order"]))]
    assert len(prices) == orders, f"{len(prices)} of {orders} orders"
    version, checksum = references.pop()[1:].split("-")
    assert f"{zlib.crc32(repr(prices).encode()):08x}" == checksum, f"the amounts are not those of version {version}"
    return int(version)


class FilesInMotion(Story):
    def rows(self, millrace):
        return millrace.get("/api/v1/orders?fields=order,customer_reference,open_amount&limit=1000")["data"]

    @staticmethod
    def history(millrace, order):
        return [change["kind"] for change in millrace.get(f"/api/v1/orders/{order}/history")["data"]]

    @staticmethod
    def files_read(millrace):
        return int(millrace.request("GET", "/metrics")[2].decode().split('millrace_files_read_total{source="orders"} ')[1].split()[0])

    def refresh(self, millrace, reread=False):
        before = self.source(millrace)["refresh"]["count"]
        self.assertEqual(millrace.post("/api/v1/sources/orders/refresh" + ("?reread=1" if reread else ""))[0], 202)
        millrace.wait_for(lambda: self.source(millrace)["refresh"]["count"] > before, "the refresh")

    def edit_in_place(self, path, text):
        """Other content under the same size, time and inode: what a listing shows stays the same."""
        stat = path.stat()
        self.assertEqual(len(text), stat.st_size)
        with open(path, "r+", encoding="utf-8") as file:
            file.write(text)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.assertEqual((path.stat().st_ino, path.stat().st_mtime_ns), (stat.st_ino, stat.st_mtime_ns))

    def grow(self, path, text, pause, meanwhile):
        """Writes a file in pieces, with pauses; answers the longest time between two of them."""
        longest, size = 0.0, len(text) // 6 + 1
        with open(path, "w", encoding="utf-8") as file:
            for start in range(0, len(text), size):
                file.write(text[start:start + size])
                file.flush()
                began = time.monotonic()
                threading.Event().wait(pause)  # the pause of the writer
                meanwhile()
                longest = max(longest, time.monotonic() - began)
        return longest

    # ---- A18

    def test_a18_a_file_that_grows_with_pauses_is_read_once_when_it_is_whole(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        read = self.files_read(millrace)

        def nothing_half():
            self.assertEqual(self.book(millrace), before)
            self.assertEqual(self.rejections(millrace), [])

        before = ["7 Open 100.00"]
        longest = self.grow(self.orders / "Open/SO8.json", order_json(8), .3, nothing_half)
        before = ["7 Open 100.00", "8 Open 100.00"]
        self.wait_book(millrace, before)
        longest = max(longest, self.grow(self.orders / "Open/SO7.json", order_json(7, opened="1", updated="2026-11-02 08:00:00"), .3, nothing_half))
        self.wait_book(millrace, ["7 Open 25.00", "8 Open 100.00"])
        self.assertEqual((self.history(millrace, 8), len(self.history(millrace, 7))), (["order_new"], 2))
        if longest < QUIET_SECONDS:  # else this machine made the writer look as if it had finished
            self.assertEqual(self.files_read(millrace) - read, 2, "each was read once")

    def test_a18_without_events_a_growing_file_is_left_alone_until_it_stands_still(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve("--watch", "poll")

        def listed_again():
            millrace.post("/api/v1/sources/orders/refresh")
            self.assertEqual((self.book(millrace), self.rejections(millrace)), (["7 Open 100.00"], []))

        self.grow(self.orders / "Open/SO8.json", order_json(8), .1, listed_again)
        self.refresh(millrace)
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00"])
        self.assertEqual(self.history(millrace, 8), ["order_new"])

    def test_a18_a_writer_that_falls_silent_leaves_the_old_state_and_a_reason_until_it_goes_on(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        text = order_json(7, opened="2", updated="2026-11-02 08:00:00")
        with open(self.orders / "Open/SO7.json", "w", encoding="utf-8") as file:
            file.write(text[:len(text) // 2])
            file.flush()
            self.wait_rejections(millrace, ["keep_previous Open/SO7.json"])
            self.assertEqual(self.book(millrace), ["7 Open 100.00"])
            file.write(text[len(text) // 2:])
        self.wait_book(millrace, ["7 Open 50.00"])
        self.wait_rejections(millrace, [])
        # That its document was damaged for a while is told too; the order was never away.
        self.assertEqual(self.history(millrace, 7), ["order_changed", "order_changed", "order_new"])

    def test_a18_a_table_whose_writer_pauses_between_two_rows_loses_no_order(self):
        text = order_csv(*((f"SO{number}", 1, 1, "10.00", "10.00") for number in range(1, 11)))
        self.write("Open/all.csv", text)
        millrace = self.serve()
        before = self.book(millrace)
        self.assertEqual(len(before), 10)
        half = text.index("SO6")
        with open(self.orders / "Open/all.csv", "w", encoding="utf-8") as file:
            file.write(text[:half])
            file.flush()
            threading.Event().wait(2)  # the pause of the writer
            self.assertEqual(self.book(millrace), before)
            file.write(text[half:].replace("10.00", "20.00"))
        self.wait_book(millrace, [f"{number} Open {'1' if number < 6 else '2'}0.00" for number in range(1, 11)])
        self.assertEqual(self.history(millrace, 9), ["order_changed", "order_new"])

    # ---- A19

    def test_a18_an_order_whose_file_is_moved_and_rewritten_at_once_never_leaves_the_list(self):
        self.write("Open/SO7.json", order_json(7))
        self.write("Open/SO8.json", order_json(8))
        (self.orders / "Shipped").mkdir()
        millrace = self.serve()
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00"])
        live = millrace.live("orders?fields=order,status,open_amount")
        live.wait_for("subscribed")
        text = order_json(7, "120.00", updated="2026-11-01 09:00:00").encode()
        os.kill(millrace.process.pid, signal.SIGSTOP)  # the server hears of the move when the writer is at work already
        os.rename(self.orders / "Open/SO7.json", self.orders / "Shipped/SO7.json")
        with open(self.orders / "Shipped/SO7.json", "wb", buffering=0) as file:
            file.write(text[:100])
            os.kill(millrace.process.pid, signal.SIGCONT)
            (self.orders / "Open/SO8.json").unlink()  # the writer holds up no other removal
            self.wait_book(millrace, ["7 Open 100.00"])
            file.write(text[100:])
        self.wait_book(millrace, ["7 Shipped 120.00"])
        gone = []
        while not (delta := live.wait_for("delta"))["rows"]:
            gone += delta["gone"]
        self.assertEqual((gone + delta["gone"], [row["status"] for row in delta["rows"]]), (["8"], ["Shipped"]))
        self.assertNotIn("removed", self.history(millrace, 7))

    def test_a19_replaced_a_thousand_times_a_second_every_answer_is_one_version_and_the_last_wins(self):
        texts = [version_csv(version) for version in range(20)]
        last = version_csv(99)
        self.write("Open/all.csv", texts[0], age=0)
        millrace = self.serve()
        enough = threading.Event()

        def replace():
            began, turn = time.monotonic(), 0
            while not enough.is_set():
                turn += 1
                self.write("Open/all.csv", texts[turn % len(texts)], age=0)
                threading.Event().wait(max(0, began + turn / 1000 - time.monotonic()))
            self.write("Open/all.csv", last, age=0)

        writer = threading.Thread(target=replace)
        writer.start()
        seen, began = set(), time.monotonic()
        try:
            while time.monotonic() < began + 2 or (len(seen) < 2 and time.monotonic() < began + 6):
                seen.add(version_shown(self.rows(millrace)))
        finally:
            enough.set()
            writer.join()
        self.assertLessEqual(seen, set(range(len(texts))))
        self.assertGreater(len(seen), 1, "versions are shown while the file is being replaced")
        millrace.wait_for(lambda: version_shown(self.rows(millrace)) == 99, "the last version", 15)
        self.assertEqual(self.rejections(millrace), [])

    # ---- A20

    def test_a20_a_file_that_is_cut_while_it_is_read_harms_nothing_and_recovers(self):
        seed = 20
        rng = random.Random(seed)
        versions = [version_csv(version) for version in range(4)]
        path = self.write("Open/all.csv", versions[0], age=0)
        millrace = self.serve()
        with open(path, "r+b") as file:
            end = time.monotonic() + 3
            turn = 0
            while time.monotonic() < end:
                turn += 1
                content = versions[turn % len(versions)].encode()
                file.seek(0)
                file.write(content)
                file.flush()
                os.truncate(path, rng.choice((0, 1, 4096, rng.randrange(len(content)))))
                version_shown(self.rows(millrace))  # the answer stands at a whole version
            file.seek(0)
            file.truncate()
            file.write(versions[3].encode())
        millrace.wait_for(lambda: version_shown(self.rows(millrace)) == 3, f"the last version (seed {seed})", 15)
        self.assertEqual(self.rejections(millrace), [])
        self.assertIn('millrace_parser_workers_replaced_total 0', millrace.request("GET", "/metrics")[2].decode())

    def test_a20_files_cut_and_mended_all_the_time_never_show_a_wrong_order(self):
        seed = 21
        rng = random.Random(seed)
        texts = [order_json(number) for number in range(1, 9)]
        for number, text in enumerate(texts, 1):
            self.write(f"Open/SO{number}.json", text)
        millrace = self.serve()
        wanted = [f"{number} Open 100.00" for number in range(1, 9)]
        end = time.monotonic() + 2
        while time.monotonic() < end:
            number = rng.randrange(1, 9)
            path = self.orders / f"Open/SO{number}.json"
            with open(path, "r+b") as file:  # closed while it is short: a whole file as far as anyone can tell
                file.truncate(rng.randrange(len(texts[number - 1])))
            self.assertEqual(self.book(millrace), wanted, f"seed {seed}")
            path.write_text(texts[number - 1], encoding="utf-8")
        self.wait_rejections(millrace, [])
        self.assertEqual(self.book(millrace), wanted)
        for number in range(1, 9):  # a document that stayed damaged for a while is told; the order was never away
            self.assertLessEqual(set(self.history(millrace, number)), {"order_new", "order_changed"})

    # ---- A24

    def test_a24_files_from_the_future_and_from_1970_are_read_and_their_changes_found(self):
        times = {7: 0, 8: 2**32 + 5, 9: -86_400 * 365, 10: 1}
        for number, stamp in times.items():
            os.utime(self.write(f"Open/SO{number}.json", order_json(number), age=0), (stamp, stamp))
        millrace = self.serve("--watch", "poll")
        self.wait_book(millrace, [f"{number} Open 100.00" for number in times])
        for number, stamp in times.items():
            os.utime(self.write(f"Open/SO{number}.json", order_json(number, opened="2", updated="2026-11-02 08:00:00"), age=0), (stamp, stamp))
        self.refresh(millrace)
        self.wait_book(millrace, [f"{number} Open 50.00" for number in times])
        self.refresh(millrace)
        self.assertEqual(self.source(millrace)["files_read"], 0, "an odd time is no reason to read a file again and again")

    def test_a24_an_edit_in_place_under_the_old_size_and_time_is_read_when_it_is_heard(self):
        path = self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        self.edit_in_place(path, order_json(7, opened="2"))
        self.wait_book(millrace, ["7 Open 50.00"])
        self.assertEqual(len(self.history(millrace, 7)), 2)

    def test_a24_what_a_listing_cannot_see_is_found_by_reading_everything_again(self):
        path = self.write("Open/SO7.json", order_json(7))
        self.write("Open/SO8.json", order_json(8))
        self.serve().stop()
        self.edit_in_place(path, order_json(7, opened="2"))
        millrace = self.serve()
        self.refresh(millrace)
        source = self.source(millrace)
        self.assertEqual((source["files_read"], source["files_unchanged"]), (0, 2))
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"], "a plain listing sees size, time and inode only")
        self.refresh(millrace, reread=True)
        self.wait_book(millrace, ["7 Open 50.00", "8 Open 100.00"])
        self.assertEqual(self.source(millrace)["files_read"], 2)
        self.assertEqual((len(self.history(millrace, 7)), len(self.history(millrace, 8))), (2, 1), "the content decides what is a change")

    def test_a24_another_file_of_the_same_size_and_time_is_seen_by_any_listing(self):
        path = self.write("Open/SO7.json", order_json(7))
        stat = path.stat()
        self.serve().stop()
        os.utime(self.write("Open/SO7.json", order_json(7, opened="2")), ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.assertEqual((path.stat().st_size, path.stat().st_mtime_ns), (stat.st_size, stat.st_mtime_ns))
        self.wait_book(self.serve(), ["7 Open 50.00"])

    # ---- A25

    def test_a25_a_folder_of_many_files_shows_progress_and_keeps_memory_bounded(self):
        folder = many_files.shared_memory_folder() or str(self.folder)
        told = many_files.load(BINARY, folder, files=3000, folders=300)
        self.assertEqual((told.orders, told.read), (3000, 3000))
        self.assertLess(told.peak_bytes, 160e6 * MEMORY_ROOM)
        self.assertEqual(told.progress, sorted(told.progress), "progress never goes back")

    # ---- A26

    def test_a26_without_watches_left_the_folder_is_polled_and_the_log_says_what_to_do(self):
        few = "echo 3 > /proc/sys/user/max_inotify_watches"
        if subprocess.run(["unshare", "-U", "-r", "sh", "-c", few], capture_output=True, check=False).returncode != 0:
            self.skipTest("this machine gives no user namespace, in which the limit can be low for one program only")
        program = self.folder / "millrace-few-watches"
        program.write_text(f"#!/bin/sh\nexec unshare -U -r sh -c '{few}; exec \"$0\" \"$@\"' '{BINARY}' \"$@\"\n", encoding="utf-8")
        program.chmod(0o755)
        for number in range(1, 9):
            self.write(f"Open/{number}/SO{number}.json", order_json(number))
        millrace = Millrace(program, self.data, [self.orders], environment={"MILLRACE_POLL_INTERVAL_MIN": "1s", "MILLRACE_POLL_INTERVAL_MAX": "1s"})
        self.addCleanup(millrace.stop)
        source = self.source(millrace)
        self.assertEqual((source["state"], source["watching"], source["poll_interval_ms"]), ("polling", False, 1000))
        self.assertIn("sysctl fs.inotify.max_user_watches", "\n".join(millrace.lines))
        self.write("Open/1/SO9.json", order_json(9), age=0)
        self.wait_book(millrace, [f"{number} Open 100.00" for number in range(1, 10)])

    # ---- A27

    def test_a27_a_hard_link_is_two_documents_of_one_order_and_the_path_decides(self):
        path = self.write("Open/SO7.json", order_json(7))
        (self.orders / "Shipped").mkdir()
        os.link(path, self.orders / "Shipped/SO7.json")
        millrace = self.serve()
        self.assertEqual(self.documents(millrace, 7), [("Open/SO7.json", True), ("Shipped/SO7.json", False)])
        self.assertEqual(self.book(millrace), ["7 Open 100.00"])
        path.unlink()
        self.wait_book(millrace, ["7 Shipped 100.00"])
        self.assertEqual(self.documents(millrace, 7), [("Shipped/SO7.json", True)])
        self.assertNotIn("order_removed", self.history(millrace, 7))
        os.link(self.orders / "Shipped/SO7.json", path)
        self.wait_book(millrace, ["7 Open 100.00"])
        os.unlink(path)
        self.wait_book(millrace, ["7 Shipped 100.00"])

    def test_a27_of_one_order_in_two_folders_the_newer_counts_and_both_are_shown(self):
        self.write("Shipped/SO7.json", order_json(7, opened="0", updated="2026-11-05 08:00:00"), age=7200)
        self.write("Open/SO7.json", order_json(7), age=0)
        millrace = self.serve()
        self.wait_book(millrace, ["7 Shipped 0.00"])
        self.assertEqual(self.documents(millrace, 7), [("Shipped/SO7.json", True), ("Open/SO7.json", False)])
        before = millrace.get("/api/v1/orders/7")["order"]["documents"]
        millrace.stop()
        self.assertEqual(self.serve().get("/api/v1/orders/7")["order"]["documents"], before)

    def test_a27_one_number_with_two_contents_is_a_conflict_that_can_be_seen(self):
        for name, total in (("Open/SO7 B.json", "300.00"), ("Open/SO7.json", "200.00")):
            os.utime(self.write(name, order_json(7, total=total), age=0), (1_700_000_000, 1_700_000_000))
        millrace = self.serve()
        self.assertEqual(self.book(millrace), ["7 Open 300.00"], "same stamp, time and format: the first path counts")
        order = millrace.get("/api/v1/orders/7")["order"]
        self.assertEqual(self.documents(millrace, 7), [("Open/SO7 B.json", True), ("Open/SO7.json", False)])
        self.assertIn("total", order["documents"][1]["differs"])
        self.assertTrue(any("Open/SO7.json" in flag for flag in order["flags"]), order["flags"])

    @staticmethod
    def documents(millrace, order):
        return [(document["path"], document["counts"]) for document in millrace.get(f"/api/v1/orders/{order}")["order"]["documents"]]
