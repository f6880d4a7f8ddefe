"""A record that was damaged is never an answer: it is noticed, said, and restored from a backup."""
import json
import os

from story import Story, order_json


class DamagedRecord(Story):
    def filled(self, count=5):
        """A running server with orders 1..count in its book."""
        for number in range(1, count + 1):
            self.write(f"Open/SO{number}.json", order_json(number))
        millrace = self.serve()
        self.wait_book(millrace, [f"{n} Open 100.00" for n in range(1, count + 1)])
        return millrace

    def doctor(self):
        run = self.run_command("doctor", "--record", "--json", "--data", self.data)
        return run.returncode, json.loads(run.stdout)

    def test_a_backup_of_a_running_server_starts_as_the_same_book(self):
        millrace = self.filled()
        backup = self.data / "monday.backup"
        taken = self.run_command("backup", backup, "--data", self.data, "--json")
        self.assertEqual(taken.returncode, 0, taken.stderr)
        proven = self.run_command("restore", backup, "--verify", "--json")
        self.assertEqual(proven.returncode, 0, proven.stderr)
        self.assertEqual(json.loads(proven.stdout)["digest"], json.loads(taken.stdout)["digest"])
        self.assertEqual(self.doctor()[1]["record"]["digest"], json.loads(taken.stdout)["digest"])
        before = self.run_command("export", "orders", "--data", self.data).stdout
        in_use = self.run_command("restore", backup, "--data", self.data, "--force")
        self.assertEqual(in_use.returncode, 75, in_use.stderr)
        self.assertEqual(millrace.stop(), 0)
        refused = self.run_command("restore", backup, "--data", self.data)
        self.assertEqual(refused.returncode, 5, refused.stderr)
        restored = self.run_command("restore", backup, "--data", self.data, "--force")
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertEqual(self.run_command("export", "orders", "--data", self.data).stdout, before)
        again = self.serve()
        self.assertEqual(self.book(again), [f"{n} Open 100.00" for n in range(1, 6)])

    def test_a_lost_log_is_noticed_and_nothing_further_is_taken(self):
        millrace = self.filled()
        millrace.kill()
        os.truncate(self.data / "record.sqlite-wal", 0)
        code, found = self.doctor()
        self.assertEqual((code, found["verdict"]), (1, "bad"))
        self.assertIn("acknowledged", found["checks"][0]["text"])
        damaged = self.serve(ready=False)
        ready, health = damaged.request("GET", "/readyz"), damaged.request("GET", "/health")
        self.assertEqual(ready[0], 503)
        self.assertIn(b"millrace restore", ready[2])
        self.assertEqual((health[0], json.loads(health[2])["status"]), (503, "unavailable"))
        self.assertIn(b"millrace_record_condition 3", damaged.request("GET", "/metrics")[2])

    def test_a_flipped_byte_is_refused_with_a_sentence(self):
        millrace = self.filled()
        self.assertEqual(millrace.stop(), 0)
        path = self.data / "record.sqlite"
        content = bytearray(path.read_bytes())
        content[content.rindex(b"Open/SO3.json")] ^= 1
        path.write_bytes(content)
        code, found = self.doctor()
        self.assertEqual((code, found["verdict"]), (1, "bad"))
        self.assertIn("not what was written", found["checks"][0]["text"])
        self.assertNotEqual(self.run_command("backup", self.data / "no.backup", "--data", self.data).returncode, 0)
        self.assertFalse((self.data / "no.backup").exists())
