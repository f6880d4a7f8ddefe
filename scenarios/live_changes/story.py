"""A file is saved, moved, rewritten and deleted; the screens hear of each change once."""
import os
import threading

from story import Story, order_csv, order_json


class LiveChanges(Story):
    def deltas(self, live, until):
        """Worded changes in the order they arrive, up to the first that `until` accepts."""
        told = []
        while True:
            message = live.receive(15)
            self.assertIsNotNone(message, f"nothing more arrived after {told}")
            for change in message.get("changes", ()) if message["op"] == "delta" else ():
                told.append((change["kind"], change["order"]))
                if until(change):
                    return told

    def test_a_saved_file_is_on_the_screen_and_a_deleted_one_is_gone(self):
        millrace = self.serve()
        live = millrace.live("changes")
        self.write("Open/SO7.json", order_json(7), age=0)
        self.assertEqual(self.deltas(live, lambda c: c["order"] == "7"), [("order_new", "7")])
        self.wait_book(millrace, ["7 Open 100.00"])
        self.write("Open/SO7.json", order_json(7, opened="1", updated="2026-11-02 08:00:00"), age=0)
        self.assertEqual(self.deltas(live, lambda c: c["order"] == "7"), [("order_changed", "7")])
        self.wait_book(millrace, ["7 Open 25.00"])
        (self.orders / "Open/SO7.json").unlink()
        self.assertEqual(self.deltas(live, lambda c: c["order"] == "7"), [("order_removed", "7")])
        self.wait_book(millrace, [])

    def test_a_move_between_status_folders_is_one_change_of_status(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        live = millrace.live("changes")
        (self.orders / "In Production").mkdir()
        os.rename(self.orders / "Open/SO7.json", self.orders / "In Production/SO7.json")
        self.write("Open/SO8.json", order_json(8), age=0)
        # The folder is new: its file may be heard of after the one that was saved later.
        told = self.deltas(live, lambda c: c["order"] == "8")
        if ("status_changed", "7") not in told:
            told += self.deltas(live, lambda c: c["order"] == "7")
        self.assertEqual(sorted(told), [("order_new", "8"), ("status_changed", "7")])
        self.wait_book(millrace, ["7 In Production 100.00", "8 Open 100.00"])

    def test_a_move_made_of_a_copy_and_a_deletion_never_loses_the_order(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        live = millrace.live("changes")
        self.write("Shipped/SO7.json", order_json(7, opened="0", updated="2026-11-03 08:00:00"), age=0)
        (self.orders / "Open/SO7.json").unlink()
        self.write("Open/SO8.json", order_json(8), age=0)
        told = self.deltas(live, lambda c: c["order"] == "8")
        self.assertNotIn(("order_removed", "7"), told)
        self.wait_book(millrace, ["7 Shipped 0.00", "8 Open 100.00"])

    def test_a_folder_that_is_renamed_takes_its_orders_along(self):
        for number in range(1, 6):
            self.write(f"Open/2026/SO{number}.json", order_json(number))
        millrace = self.serve()
        read_before = self.source(millrace)["files_read"]
        os.rename(self.orders / "Open", self.orders / "Shipped")
        self.wait_book(millrace, [f"{n} Shipped 100.00" for n in range(1, 6)])
        self.assertEqual(self.source(millrace)["files_read"], read_before, "a renamed file is not read again")

    def test_a_file_written_in_pieces_shows_no_half_order(self):
        self.write("Open/all.csv", order_csv(("SO7", 1, 1, "10.00", "10.00")))
        millrace = self.serve()
        live = millrace.live("orders")
        text = order_csv(*((f"SO{n}", 1, 1, "10.00", "10.00") for n in range(7, 207)))
        with open(self.orders / "Open/all.csv", "w", encoding="utf-8", newline="") as file:
            for start in range(0, len(text), 1000):
                file.write(text[start:start + 1000])
                file.flush()
        seen = set()
        while len(seen) < 199:
            message = live.receive(15)
            self.assertIsNotNone(message, f"only {len(seen)} orders arrived")
            if message["op"] == "delta":
                self.assertNotIn("7", message["gone"], "order 7 was never away")
                seen |= {row["order"] for row in message["rows"] if row["order"] != "7"}
        self.assertEqual(millrace.get("/api/v1/orders?limit=1")["total"], 200)

    def test_a_file_replaced_again_and_again_is_always_one_version(self):
        versions = [order_csv(*((f"SO{n}", 1, 1, price, price) for n in range(1, 60))) for price in ("10.00", "20.00")]
        self.write("Open/all.csv", versions[0])
        millrace = self.serve()
        live = millrace.live("orders")
        stop = threading.Event()

        def replace():
            turn = 0
            while not stop.wait(0.001):
                turn += 1
                self.write("Open/all.csv", versions[turn % 2], age=0)
            self.write("Open/all.csv", versions[1], age=0)

        writer = threading.Thread(target=replace)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(stop.set)
        deltas = 0
        while deltas < 40:
            message = live.receive(15)
            self.assertIsNotNone(message)
            if message["op"] == "delta" and message["rows"]:
                deltas += 1
                self.assertEqual(message["gone"], [])
                self.assertEqual(len({row["total"]["minor"] for row in message["rows"]}), 1, "a mix of two versions")
        stop.set()
        writer.join()
        self.wait_book(millrace, [f"{n} Open 20.00" for n in range(1, 60)])

    def test_polling_finds_the_same_changes_where_folders_send_no_events(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve("--watch", "poll")
        self.assertEqual(self.source(millrace)["state"], "polling")
        self.write("Open/SO8.json", order_json(8), age=0)
        os.rename(self.orders / "Open/SO7.json", self.orders / "SO7.json")
        millrace.post("/api/v1/sources/orders/refresh")
        self.wait_book(millrace, ["7 Unfiled 100.00", "8 Open 100.00"])
