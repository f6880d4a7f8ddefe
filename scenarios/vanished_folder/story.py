"""A share is unmounted or emptied: nothing is taken for deleted until a person says so."""
import os
import shutil

from story import Story, order_json


class VanishedFolder(Story):
    def setUp(self):
        super().setUp()
        self.write("Open/SO7.json", order_json(7))
        self.write("Open/SO8.json", order_json(8))

    def wait_state(self, millrace, state):
        millrace.wait_for(lambda: self.source(millrace)["state"] == state, f"state {state}, is {self.source(millrace)}", 20)

    def test_a_folder_that_is_moved_away_is_held_and_comes_back(self):
        millrace = self.serve()
        os.rename(self.orders, self.folder / "elsewhere")
        self.wait_state(millrace, "held")
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"])
        os.rename(self.folder / "elsewhere", self.orders)
        self.wait_state(millrace, "live")
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"])

    def test_an_empty_mount_point_is_held_until_a_person_accepts_it(self):
        millrace = self.serve()
        os.rename(self.orders, self.folder / "elsewhere")
        self.orders.mkdir()
        self.wait_state(millrace, "held")
        status, _ = millrace.post("/api/v1/sources/orders/refresh")
        self.assertEqual(status, 202)
        self.wait_state(millrace, "held")
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"])
        status, _ = millrace.post("/api/v1/sources/orders/accept-vanished")
        self.assertEqual(status, 202)
        self.wait_book(millrace, [])

    def test_a_share_that_is_gone_at_start_keeps_what_the_record_knows(self):
        self.serve().stop()
        shutil.rmtree(self.orders)
        millrace = self.serve()
        self.wait_state(millrace, "held")
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 100.00"])

    def test_one_deleted_file_of_many_is_simply_deleted(self):
        millrace = self.serve()
        (self.orders / "Open/SO7.json").unlink()
        self.wait_book(millrace, ["8 Open 100.00"])
