"""What cannot be read is listed with file, place and reason, adds nothing, and is solved by a repair."""
from story import Story, order_csv, order_json


class RefusedFiles(Story):
    def test_a_half_file_is_refused_and_solved_when_it_is_whole(self):
        whole = order_json(7)
        self.write("Open/SO7.json", whole[:len(whole) // 2])
        millrace = self.serve()
        self.wait_rejections(millrace, ["reject Open/SO7.json"])
        row = millrace.get("/api/v1/rejections")["data"][0]
        self.assertIn("line", row["place"])
        self.assertTrue(row["reason"])
        self.write("Open/SO7.json", whole, age=0)
        self.wait_book(millrace, ["7 Open 100.00"])
        self.wait_rejections(millrace, [])

    def test_a_refused_file_can_be_replayed(self):
        self.write("Open/SO7.json", "{")
        millrace = self.serve()
        self.wait_rejections(millrace, ["reject Open/SO7.json"])
        refusal = millrace.get("/api/v1/rejections")["data"][0]["id"]
        self.assertEqual(millrace.post(f"/api/v1/rejections/{refusal}/replay")[0], 202)
        status, problem = millrace.post("/api/v1/rejections/1/replay")
        self.assertEqual(status, 404)
        self.assertIn("rejection", problem["detail"])

    def test_a_damaged_newer_copy_leaves_the_older_whole_one(self):
        self.write("Open/SO7.json", order_json(7))
        newer = order_json(7, opened="0", updated="2026-11-05 08:00:00")
        self.write("Shipped/SO7.json", newer[:len(newer) * 2 // 3])
        millrace = self.serve()
        self.wait_rejections(millrace, ["keep_previous Shipped/SO7.json"])
        self.assertEqual(self.book(millrace), ["7 Open 100.00"])

    def test_a_bad_row_refuses_its_order_and_no_other(self):
        self.write("Open/all.csv", order_csv(("SO7", 1, 1, "10.00", "10.00"), ("SO8", "many", 1, "10.00", "10.00"), ("SO9", 1, 1, "10.00", "10.00")))
        millrace = self.serve()
        self.wait_book(millrace, ["7 Open 10.00", "9 Open 10.00"])
        row = millrace.get("/api/v1/rejections")["data"][0]
        self.assertIn("row 3", row["place"])
        self.assertEqual(row["order"], "8")

    def test_losers_stay_visible_on_the_order(self):
        self.write("Open/SO7.json", order_json(7))
        self.write("Open/SO7 rev B.json", order_json(7, total="200.00", updated="2026-11-04 08:00:00"))
        millrace = self.serve()
        documents = millrace.get("/api/v1/orders/7")["order"]["documents"]
        self.assertEqual([(d["path"], d["counts"]) for d in documents],
                         [("Open/SO7 rev B.json", True), ("Open/SO7.json", False)])
        self.assertIn("total", documents[1]["differs"])
        self.assertEqual(self.rejections(millrace), [])

    def test_a_total_that_disagrees_counts_and_is_flagged(self):
        self.write("Open/SO7.json", order_json(7, DocTotal=110.0))
        millrace = self.serve()
        self.wait_rejections(millrace, ["ingest_and_flag Open/SO7.json"])
        self.assertEqual(self.book(millrace), ["7 Open 100.00"])
        self.assertTrue(millrace.get("/api/v1/orders/7")["order"]["flags"])
