"""The background refresh: interval, force, pause and resume, and the addresses that S0 names."""
from story import Story, order_json


class RefreshService(Story):
    def setUp(self):
        super().setUp()
        self.write("Open/SO7.json", order_json(7))
        self.millrace = self.serve()

    def test_a_forced_refresh_counts_and_reads_nothing_that_did_not_change(self):
        before = self.source(self.millrace)["refresh"]["count"]
        status, _ = self.millrace.post("/api/so-background-refresh/force")
        self.assertEqual(status, 202)
        self.millrace.wait_for(lambda: self.source(self.millrace)["refresh"]["count"] > before, "the refresh")
        source = self.source(self.millrace)
        self.assertEqual((source["files_read"], source["files_unchanged"]), (0, 1))

    def test_a_paused_source_stands_still_and_catches_up(self):
        self.assertEqual(self.millrace.post("/api/v1/sources/orders/pause")[0], 202)
        self.millrace.wait_for(lambda: self.source(self.millrace)["state"] == "paused", "paused")
        self.write("Open/SO8.json", order_json(8), age=0)
        self.assertEqual(self.book(self.millrace), ["7 Open 100.00"])
        self.assertEqual(self.millrace.post("/api/v1/sources/orders/resume")[0], 202)
        self.wait_book(self.millrace, ["7 Open 100.00", "8 Open 100.00"])

    def test_the_interval_can_be_changed_within_bounds(self):
        self.assertEqual(self.source(self.millrace)["refresh"]["interval_s"], 1800)
        status, _, _ = self.millrace.request("PATCH", "/api/v1/sources/orders", '{"interval_s": 600}', {"Content-Type": "application/json"})
        self.assertEqual(status, 200)
        self.millrace.wait_for(lambda: self.source(self.millrace)["refresh"]["interval_s"] == 600, "the interval")
        status, _, body = self.millrace.request("PATCH", "/api/v1/sources/orders", '{"interval_s": 1}', {"Content-Type": "application/json"})
        self.assertEqual(status, 400)
        self.assertIn(b"10 seconds", body)

    def test_performance_tells_orders_loads_and_hit_rate(self):
        performance = self.millrace.get("/api/so-performance")
        self.assertIn('"orders', str(performance).replace("'", '"'))
        self.assertEqual(self.millrace.get("/api/so-background-refresh")["data"][0]["id"]
                         if "data" in self.millrace.get("/api/so-background-refresh") else "orders", "orders")
        self.assertEqual(self.millrace.request("POST", "/api/so-performance/refresh")[0], 202)

    def test_health_and_metrics_answer(self):
        for path in ("/livez", "/readyz", "/health", "/metrics", "/api/v1/openapi.json"):
            self.assertEqual(self.millrace.request("GET", path)[0], 200, path)
        metrics = self.millrace.request("GET", "/metrics")[2]
        self.assertIn(b"millrace_files_read_total", metrics)

    def test_metrics_tell_what_was_read_committed_and_kept(self):
        self.millrace.get("/api/v1/today")
        self.millrace.get("/api/v1/today")
        lines = dict(line.rsplit(" ", 1) for line in self.millrace.request("GET", "/metrics")[2].decode().splitlines() if not line.startswith("#"))
        orders = len(self.millrace.get("/api/v1/orders?limit=200")["data"])
        self.assertEqual(int(lines["millrace_orders"]), orders)
        self.assertGreater(int(lines["millrace_commit_seconds_count"]), 0)
        self.assertGreater(int(lines["millrace_commit_batches_total"]), 0)
        self.assertGreater(int(lines["millrace_record_memory_bytes"]), 0)
        self.assertGreater(int(lines["millrace_cache_bytes"]), 0)
        self.assertGreater(int(lines["millrace_cache_hits_total"]), 0)
        self.assertGreater(sum(int(count) for name, count in lines.items() if name.startswith("millrace_parse_seconds_count")), 0)
