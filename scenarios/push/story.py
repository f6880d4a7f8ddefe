"""Orders are pushed to us: they arrive once, bad rows are named, a snapshot removes only what it may."""
import json

from millrace_client import Millrace
from story import BINARY, Story, order_json


def line(number, **more):
    return json.dumps(json.loads(order_json(number, **more)))


class Push(Story):
    def setUp(self):
        super().setUp()
        self.settings = self.folder / "millrace.toml"
        self.settings.write_text('[source.shop]\nkind = "push"\n', encoding="utf-8")

    def start(self, **options):
        millrace = Millrace(BINARY, self.data, [self.orders], arguments=["--config", str(self.settings)], **options)
        self.addCleanup(millrace.stop)
        return millrace

    def push(self, millrace, body, key="", kind="application/x-ndjson", query="", token=""):
        headers = {"Content-Type": kind}
        if key:
            headers["Idempotency-Key"] = key
        if token:
            headers["Authorization"] = "Bearer " + token
        status, answered, text = millrace.request("POST", "/api/v1/ingest/shop/orders" + query, body.encode("utf-8"), headers)
        return status, {name.lower(): value for name, value in answered.items()}, json.loads(text)

    def taken(self, millrace, body, **options):
        status, headers, answer = self.push(millrace, body, **options)
        self.assertEqual(status, 202, answer)
        return self.decided(millrace, headers["location"])

    def decided(self, millrace, location):
        def ended():
            batch = millrace.get(location)["batch"]
            return batch if batch["state"] in ("done", "failed", "held") else None
        return millrace.wait_for(ended, "the batch is decided", 20)

    def test_a_batch_adds_orders_once_and_names_its_bad_rows(self):
        millrace = self.start()
        bad = json.dumps(dict(json.loads(order_json(9)), DocDate="soon"))
        batch = self.taken(millrace, line(7) + "\n" + bad + "\n" + line(8, Status="In Production") + "\n")
        self.assertEqual((batch["state"], batch["accepted"], batch["rejected"]), ("done", 2, 1))
        row = batch["rejected_rows"][0]
        self.assertEqual((row["row"], row["field"], row["value"], row["order"]), (2, "DocDate", "soon", "9"))
        self.wait_book(millrace, ["7 Open 100.00", "8 In Production 100.00"])
        again = self.taken(millrace, line(7) + "\n" + line(8, Status="In Production") + "\n")
        self.assertEqual((again["accepted"], again["unchanged"]), (0, 2))
        moved = self.taken(millrace, line(7, Status="Shipped"), kind="application/json")
        self.assertEqual(moved["accepted"], 1)
        self.wait_book(millrace, ["7 Shipped 100.00", "8 In Production 100.00"])

    def test_a_bad_row_stands_in_the_list_of_rejections_until_it_comes_right(self):
        millrace = self.start()
        bad = json.dumps(dict(json.loads(order_json(9)), DocDate="soon"))
        self.taken(millrace, line(7) + "\n" + bad + "\n")

        def listed():
            return [(row["source"], row["path"], row["place"], row["value"], row["order"]) for row in millrace.get("/api/v1/rejections")["data"]]
        millrace.wait_for(lambda: listed() == [("shop", "/orders/9", "row 2 field DocDate", "soon", "9")], "the row is listed")
        shop = [source for source in millrace.get("/api/v1/sources")["data"] if source["id"] == "shop"][0]
        self.assertEqual(shop["rejections"], 1)
        metrics = millrace.request("GET", "/metrics")[2].decode("utf-8")
        self.assertIn('millrace_push_rows_total{outcome="rejected",source="shop"} 1', metrics.splitlines())
        self.taken(millrace, line(9) + "\n")
        millrace.wait_for(lambda: listed() == [], "the row came right")
        self.wait_book(millrace, ["7 Open 100.00", "9 Open 100.00"])

    def test_a_snapshot_removes_what_is_absent_when_it_is_as_long_as_it_says(self):
        millrace = self.start()
        self.taken(millrace, line(7) + "\n" + line(8) + "\n")
        status, _, _ = self.push(millrace, line(7), query="?mode=snapshot")
        self.assertEqual(status, 400)
        cut = self.taken(millrace, line(7), query="?mode=snapshot&rows=2")
        self.assertEqual(cut["state"], "failed")
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00"])
        whole = self.taken(millrace, line(7), query="?mode=snapshot&rows=1")
        self.assertEqual((whole["state"], whole["removed"]), ("done", 1))
        self.wait_book(millrace, ["7 Open 100.00"])

    def test_a_snapshot_that_would_remove_much_waits_for_a_person(self):
        millrace = self.start()
        self.taken(millrace, "".join(line(number) + "\n" for number in range(1, 41)))
        held = self.taken(millrace, line(1), query="?mode=snapshot&rows=1")
        self.assertEqual(held["state"], "held")
        shown = millrace.get("/api/v1/held")["data"][0]
        self.assertEqual((shown["source"], shown["rows_before"], shown["rows_gone"]), ("shop", 40, 39))
        self.assertEqual(millrace.post("/api/v1/sources/shop/reject-held")[0], 202)
        self.assertEqual(self.decided_again(millrace, held)["state"], "failed")
        self.assertEqual(len(self.book(millrace)), 40)
        held = self.taken(millrace, line(1), query="?mode=snapshot&rows=1")
        self.assertEqual(millrace.post("/api/v1/sources/shop/accept-held")[0], 202)
        self.assertEqual(self.decided_again(millrace, held)["removed"], 39)
        self.wait_book(millrace, ["1 Open 100.00"])

    def decided_again(self, millrace, batch):
        location = f"/api/v1/ingest/shop/orders/{batch['id']}"
        return millrace.wait_for(lambda: (lambda now: now if now["state"] != "held" else None)(millrace.get(location)["batch"]), "a decision", 20)

    def test_what_was_acknowledged_survives_a_kill_and_is_done_once(self):
        millrace = self.start()
        body = "".join(line(number) + "\n" for number in range(1, 301))
        status, headers, first = self.push(millrace, body, key="monday")
        self.assertEqual(status, 202)
        millrace.kill()
        millrace = self.start()
        batch = self.decided(millrace, headers["location"])
        self.assertEqual((batch["state"], batch["accepted"]), ("done", 300))
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] == 300, "every order is told")
        sequence = millrace.get("/api/v1/orders?limit=1")["as_of"]
        status, headers, again = self.push(millrace, body, key="monday")
        self.assertEqual(status, 202)
        self.assertEqual(headers["idempotency-replayed"], "true")
        self.assertEqual((again["batch"]["id"], again["batch"]["state"], again["batch"]["accepted"]), (first["batch"]["id"], "done", 300))
        self.assertEqual(self.push(millrace, line(1), key="monday")[0], 409)
        self.assertEqual(millrace.get("/api/v1/orders?limit=1")["as_of"], sequence)

    def test_a_source_with_a_token_takes_batches_with_it_only(self):
        secret = self.folder / "shop.token"
        secret.write_text("s3cret\n", encoding="utf-8")
        secret.chmod(0o600)
        self.settings.write_text(f'[source.shop]\nkind = "push"\npush_token_file = "{secret}"\n', encoding="utf-8")
        millrace = self.start()
        self.assertEqual(self.push(millrace, line(7))[0], 401)
        self.assertEqual(self.push(millrace, line(7), token="s3cret")[0], 202)

    def test_a_token_that_everybody_can_read_stops_only_its_source(self):
        secret = self.folder / "shop.token"
        secret.write_text("s3cret\n", encoding="utf-8")
        secret.chmod(0o644)
        self.settings.write_text(f'[source.shop]\nkind = "push"\npush_token_file = "{secret}"\n', encoding="utf-8")
        self.write("Open/SO5.json", order_json(5))
        millrace = self.start()
        self.wait_book(millrace, ["5 Open 100.00"])
        shop = [source for source in millrace.get("/api/v1/sources")["data"] if source["id"] == "shop"][0]
        self.assertEqual(shop["state"], "failed")
        self.assertIn("chmod 600", shop["message"])
        self.assertNotIn("s3cret", json.dumps(shop))
        self.assertEqual(self.push(millrace, line(7), token="s3cret")[0], 503)
        # Put right, it counts without a restart.
        secret.chmod(0o600)
        millrace.wait_for(lambda: self.push(millrace, line(7), token="s3cret")[0] == 202, "the token is read", 5)
        self.wait_book(millrace, ["5 Open 100.00", "7 Open 100.00"])
        secret.write_text("an0ther\n", encoding="utf-8")
        millrace.wait_for(lambda: self.push(millrace, line(8), token="an0ther")[0] == 202, "the new token is read", 5)
        self.assertEqual(self.push(millrace, line(8), token="s3cret")[0], 401)
