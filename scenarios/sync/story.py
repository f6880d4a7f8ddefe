"""`millrace sync` and `millrace doctor`: what is wrong with a source is one sentence and an exit code."""
import json
import socket

from story import Story


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sync(Story):
    def configure(self, **replaced):
        secret = self.folder / "sap.password"
        secret.write_text("s3cret\n", encoding="utf-8")
        secret.chmod(0o600)
        values = {"kind": "sap-b1", "url": f"http://127.0.0.1:{free_port()}/b1s/v2", "company": "C", "user": "u", "password_file": str(secret)}
        values.update(replaced)
        settings = self.folder / "millrace.toml"
        settings.write_text("[source.sap]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()), encoding="utf-8")
        return settings

    def sync(self, settings, source="sap"):
        done = self.run_command("sync", source, "--config", settings, "--data", self.data, "--listen", f"127.0.0.1:{free_port()}")
        self.assertNotIn(b"s3cret", done.stdout + done.stderr)
        return done.returncode, done.stderr.decode("utf-8")

    def test_a_source_that_nobody_configured_is_named(self):
        code, text = self.sync(self.configure(), "sapp")
        self.assertEqual(code, 4, text)
        self.assertIn("there is: sap", text)

    def test_a_secret_that_is_not_there_or_open_to_all_is_wrong_configuration(self):
        code, text = self.sync(self.configure(password_file=str(self.folder / "none")))
        self.assertEqual(code, 2, text)
        self.assertIn("cannot be read", text)
        open_secret = self.folder / "open"
        open_secret.write_text("s3cret\n", encoding="utf-8")
        open_secret.chmod(0o644)
        code, text = self.sync(self.configure(password_file=str(open_secret)))
        self.assertEqual(code, 2, text)
        self.assertIn("chmod 600", text)

    def test_a_mistyped_key_is_refused_with_its_line(self):
        settings = self.configure(intervall="5m")
        code, text = self.sync(settings)
        self.assertEqual(code, 2, text)
        self.assertIn(f'{settings}:7: there is no setting of a source "intervall"; did you mean interval?', text)

    def test_an_erp_that_is_away_is_to_be_tried_again(self):
        code, text = self.sync(self.configure())
        self.assertEqual(code, 75, text)

    def test_doctor_names_the_source_that_is_not_reached(self):
        done = self.run_command("doctor", "--config", self.configure(), "--data", self.data, "--json")
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertEqual(checks["source sap"]["verdict"], "bad")
        self.assertIn("[source.sap]", checks["source sap"]["advice"])
