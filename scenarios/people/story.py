"""Who may sign in: users and tokens from the command line, with and without a running server."""
import json
import os
import pty
import re
import sqlite3
import stat
import subprocess

from story import BINARY, Story, order_json


class People(Story):
    def user(self, *words, password=None, code=0):
        return self.command("user", *words, password=password, code=code)

    def command(self, *words, password=None, code=0):
        more = ["--password-file", "-"] if password is not None else []
        run = self.run_command(*words, "--data", self.data, *more, input_bytes=(password or "").encode() + b"\n")
        self.assertEqual(run.returncode, code, run.stderr.decode())
        return run.stdout.decode() if code == 0 else run.stderr.decode()

    def users(self):
        return [f"{user['name']} {user['role']} {'active' if user['active'] else 'inactive'}" for user in json.loads(self.user("list", "--json"))["data"]]

    def test_users_are_made_changed_and_listed(self):
        self.life_of_users()

    def test_a_running_server_is_asked_to_do_the_same(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        control = self.data / "control.sock"
        self.assertEqual(stat.S_IMODE(control.stat().st_mode), 0o600)
        self.life_of_users()
        link = self.user("setup-link").strip()
        self.assertTrue(link.startswith(f"http://127.0.0.1:{millrace.port}/setup#setup_"), link)
        millrace.stop()
        self.assertFalse(control.exists())
        self.assertEqual(self.users(), ["anna planner active", "boss admin active"])

    def test_a_socket_of_a_killed_server_stops_nobody(self):
        self.write("Open/SO7.json", order_json(7))
        self.serve().kill()
        self.assertTrue((self.data / "control.sock").exists())
        self.user("add", "boss", "--role", "admin", password="three small words")
        self.assertEqual(self.users(), ["boss admin active"])
        self.serve("--auth", "none")  # with a user everybody would have to sign in
        self.assertEqual(self.users(), ["boss admin active"])

    def life_of_users(self):
        said = self.user("add", "Boss", "--role", "admin", password="three small words")
        self.assertEqual(said, "user boss may sign in as admin\n")
        self.user("add", "anna", "--email", "anna@example.com", "--orders-of", "Meyer", "--no-password")
        self.assertEqual(self.users(), ["anna viewer active", "boss admin active"])
        self.assertIn("no password", self.user("list"))
        self.assertEqual(self.user("passwd", "anna", password="four other small words"), "user anna has a new password; open sessions have ended\n")
        self.assertEqual(self.user("role", "anna", "planner"), "user anna is planner now; open sessions have ended\n")
        self.user("deactivate", "anna")
        self.assertEqual(self.users(), ["anna planner inactive", "boss admin active"])
        self.assertIn("not active", self.command("token", "add", "export", "--user", "anna", code=5))
        self.user("activate", "anna")
        # Refused, with a sentence and the code that fits.
        self.assertIn("already", self.user("add", "ANNA", password="three small words", code=5))
        self.assertIn("last active administrator", self.user("deactivate", "boss", code=5))
        self.assertIn("too short", self.user("passwd", "anna", password="short", code=2))
        self.assertIn("there is no user \"nobody\"", self.user("role", "nobody", "admin", code=4))
        self.assertIn("is no role", self.user("role", "anna", "king", code=2))
        # Tokens are shown once.
        secret = self.command("token", "add", "nightly export", "--user", "anna", "--expires", "90d").strip()
        self.assertRegex(secret, r"^mr_[A-Za-z0-9_-]{43}$")
        listed = self.command("token", "list")
        self.assertIn("nightly export", listed)
        self.assertNotIn(secret, listed)
        number = json.loads(self.command("token", "list", "--json"))["data"][0]["id"]
        self.assertEqual(self.command("token", "revoke", number), f"token {number} opens nothing any more\n")
        self.assertEqual(self.command("token", "list"), "no tokens; `millrace token add NAME --user LOGIN` makes one\n")
        self.assertIn("no token number", self.command("token", "revoke", number, code=4))
        self.assertIn("--expires", self.command("token", "add", "x", "--user", "anna", "--expires", "soon", code=2))

    def test_a_password_is_asked_for_without_showing_it(self):
        master, slave = pty.openpty()
        child = subprocess.Popen([BINARY, "user", "add", "boss", "--role", "admin", "--data", str(self.data)], stdin=slave, stdout=slave, stderr=slave,
                                 close_fds=True, preexec_fn=lambda: (os.setsid(), __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0)))
        os.close(slave)
        seen = b""

        def until(pattern):
            nonlocal seen
            while not re.search(pattern, seen):
                piece = os.read(master, 1000)
                self.assertTrue(piece, seen)
                seen += piece
        until(rb"New password of boss: ")
        os.write(master, b"three small words\n")
        until(rb"The same again: ")
        os.write(master, b"three small words\n")
        until(rb"may sign in as admin")
        self.assertEqual(child.wait(20), 0)
        os.close(master)
        self.assertNotIn(b"small", seen)
        self.assertEqual(self.users(), ["boss admin active"])

    def test_the_audit_trail_tells_who_did_what_and_that_nobody_changed_it(self):
        self.user("add", "boss", "--role", "admin", password="three small words")
        self.user("add", "anna", "--no-password")
        self.user("role", "anna", "sales")
        rows = json.loads(self.command("audit", "list", "--json"))["data"]
        self.assertEqual([f"{row['number']} {row['verb']} {row['object']} by {row['who']}" for row in rows],
                         ["3 user.change user:2 by command line", "2 user.create user:2 by command line", "1 user.create user:1 by command line"])
        self.assertEqual((rows[0]["before"]["role"], rows[0]["after"]["role"]), ("viewer", "sales"))
        self.assertIn("user.change", self.command("audit", "list", "--object", "user:2", "--limit", "1"))
        self.assertIn("3 rows", self.command("audit", "verify"))

    def test_a_row_of_the_trail_that_somebody_changed_is_named(self):
        self.user("add", "boss", "--role", "admin", password="three small words")
        self.user("add", "anna", "--no-password")
        with sqlite3.connect(self.data / "record.sqlite") as record:
            record.execute("DELETE FROM kept_row WHERE space = 'people/audit/00000000' AND key = ?", (b"0000000000000001",))
            self.assertEqual(record.total_changes, 1)
        said = self.command("audit", "verify", code=1)
        # The record itself notices first: its sums do not fit any more.
        self.assertRegex(said, "audit row 1 is missing|damaged")

    def test_other_accounts_of_the_machine_cannot_read_the_record(self):
        self.user("add", "boss", "--role", "admin", password="three small words")
        files = [path for path in self.data.iterdir() if path.name.startswith("record")]
        self.assertTrue(files)
        self.write("Open/SO7.json", order_json(7))
        self.serve("--auth", "none")
        for path in files:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o007, 0, path)

    def test_without_a_record_nothing_is_made_by_asking(self):
        self.assertIn("there is no record", self.user("list", code=4))
        self.assertFalse(self.data.exists())

    def test_wrong_use_says_what_would_be_right(self):
        for words, sentence in ((["user"], "an argument is missing"), (["user", "ad"], "did you mean add?"), (["user", "add"], "needs a login"),
                                (["user", "role", "anna"], "needs a role"), (["user", "list", "x"], "nothing more"), (["token", "add", "x"], "--user"),
                                (["token", "make"], "it knows add, list and revoke"),
                                (["user", "add", "boss", "--role", "king"], "is no role"), (["user", "add", "boss", "--password", "x"], "there is no flag --password")):
            with self.subTest(words=words):
                self.assertIn(sentence, self.command(*words, code=2))

    def test_a_password_that_lies_open_nowhere(self):
        canary = "canary-with-feathers"
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        said = self.user("add", "boss", "--role", "admin", password=canary)
        secret = self.command("token", "add", "t", "--user", "boss").strip()
        millrace.stop()
        log = "\n".join(millrace.lines)
        for hidden in (canary, secret):
            self.assertNotIn(hidden, log)
            self.assertNotIn(hidden, said)
            for path in self.data.rglob("*"):
                if path.is_file():
                    self.assertNotIn(hidden.encode(), path.read_bytes(), path)
