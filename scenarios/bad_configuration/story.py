"""Whatever is wrong with a source is one sentence with its fix: in `doctor`, in `sync` with its exit code, and on the screen.

One table: what is wrong, the sentence, and what a sync answers to the shell (2: a person must act, 75: it may pass).
"""
import json
import pathlib
import shutil
import socket
import unittest

from erp_front import Certificates, ErpFront
from erp_simulator import Simulator, missing
from story import BINARY, Story

SIMULATOR = pathlib.Path(BINARY).resolve().parent / "src" / "millrace_erp_simulator"
SECRET = "Pa55word-that-nobody-may-see"
PERSON, LATER = 2, 75


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mix(first, **more):
    return dict(first, **more)


@unittest.skipIf(missing(SIMULATOR) or not shutil.which("openssl"), "needs millrace_erp_simulator (`ninja tests` builds it) and openssl")
class BadConfiguration(Story):
    def setUp(self):
        super().setUp()
        self.erp = self.front_of(Simulator(SIMULATOR, orders=30))
        certificates = Certificates(self.folder)
        self.authority = str(certificates.authority)
        self.right = self.front(certificate=certificates.good())
        self.expired = self.front(certificate=certificates.expired())
        self.other_host = self.front(certificate=certificates.of_another_host())
        self.self_signed = self.front(certificate=certificates.self_signed())
        self.plain = self.front()
        self.no_orders = self.front(forbidden={"Orders": (403, "-5002", "You are not permitted to perform this action")})
        self.no_items = self.front(forbidden={"Items": (400, "-5006", "The logged-on user does not have permission to use this object")})
        self.hides_orders = self.front(forbidden={"Orders": (404, "-2028", "No matching records found (ODBC -2028)")})
        self.stranger = self.front(refuse_all=True)

    def front_of(self, server):
        self.addCleanup(server.stop)
        return server

    def front(self, **options):
        return self.front_of(ErpFront(self.erp.port, password=SECRET, **options))

    def secret(self, name, text=SECRET, rights=0o600):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(rights)
        return str(path)

    def table(self):
        sap = {"kind": "sap-b1", "company": "NORDWERK", "user": "manager", "password_file": self.secret("password"), "url": self.right.url,
               "ca_file": self.authority, "streams": ["orders", "items"]}
        plain = {name: value for name, value in sap.items() if name != "ca_file"}
        root = self.right.url.removesuffix("/b1s/v2")
        here = self.right.url.removeprefix("https://").split("/")[0]
        return [
            # name, settings, the sentence (part of it), exit code of a sync
            ("wrong-host", mix(sap, url="https://no-such-host.invalid:50000/b1s/v2"), "The host name of no-such-host.invalid:50000 is not known: check the address of this source", LATER),
            ("wrong-port", mix(sap, url=f"https://127.0.0.1:{free_port()}/b1s/v2"), "(Connection refused): check the address and the port, and that the server runs.", LATER),
            ("wrong-password", mix(sap, password_file=self.secret("wrong", "not this one")), "The login of user 'manager' to company 'NORDWERK' was refused; correct user, password or company, and do not try often: SAP locks users", PERSON),
            ("unknown-company", mix(sap, company="NORDWERKE"), "The company 'NORDWERKE' is not known there; write the name of its database as the server has it", PERSON),
            ("expired", mix(sap, url=self.expired.url), ": renew it, or set pin for this source.", PERSON),
            ("other-host", mix(sap, url=self.other_host.url), " is for sap.example: use that name in the address of this source, or set pin to sha256//", PERSON),
            ("self-signed", mix(plain, url=self.self_signed.url), " is signed by nobody this machine trusts: set ca_file to its issuer's certificate, or set pin to sha256//", PERSON),
            ("other-authority", mix(sap, url=self.self_signed.url), " is not signed by a certificate in ca_file: set ca_file to its issuer's certificate", PERSON),
            ("no-orders", mix(plain, url=self.no_orders.url), "The user may not read Orders (HTTP 403, code -5002: You are not permitted to perform this action); give it the right to, or leave this stream out.", PERSON),
            ("no-items", mix(plain, url=self.no_items.url), "The user may not read Items (HTTP 400, code -5006: ", PERSON),
            ("hides-orders", mix(plain, url=self.hides_orders.url), "give it the right to read Orders, or leave this stream out.", PERSON),
            ("version-1", mix(sap, url=f"{root}/b1s/v1"), "write an address that ends in /b1s/v2, or kind = \"sap-b1-v1\".", PERSON),
            ("version-2", mix(sap, kind="sap-b1-v1"), "write kind = \"sap-b1\", or an address that ends in /b1s/v1.", PERSON),
            ("wrong-path", mix(sap, url=f"{root}/B1S/V2"), "; the address ends in /b1s/v1 or /b1s/v2, in small letters", PERSON),
            ("no-path", mix(sap, url=root), "; the address ends in /b1s/v1 or /b1s/v2, in small letters", PERSON),
            ("plain-to-tls", mix(plain, url=self.right.url.replace("https", "http")), "if that port speaks TLS, write https:// in the url of this source.", LATER),
            ("tls-to-plain", mix(plain, url=self.plain.url.replace("http", "https")), " does not speak TLS at this port: check the port, or write http:// if it is meant to be without.", PERSON),
            ("no-secret", mix(sap, password_file=str(self.folder / "none")), "cannot be read (No such file or directory); check the name and that Millrace's user may read it", PERSON),
            ("open-secret", mix(sap, password_file=self.secret("open", rights=0o644)), "holds a secret and everybody may read it; run chmod 600", PERSON),
            ("empty-secret", mix(sap, password_file=self.secret("empty", "\n")), "is empty; write it into the file", PERSON),
            ("no-authority", mix(sap, ca_file=str(self.folder / "none.pem")), "none.pem", PERSON),
            ("no-pin", mix(plain, pin="sha256//short"), "pin", PERSON),
            ("odata-token", {"kind": "odata", "url": self.stranger.url, "bearer_file": self.secret("token")}, " refuses the credentials of this source (HTTP 401); check them, and that the user is not locked.", PERSON),
            ("pinned-to-another", mix(plain, url=self.right.url, pin="sha256//" + "A" * 43 + "="), f"The key of {here} is not the one this source is pinned to: if it was changed on purpose, ", PERSON),
        ]

    def settings(self, rows, name="millrace.toml"):
        path = self.folder / name
        path.write_text("".join(f"[source.{row[0]}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in row[1].items()) for row in rows), encoding="utf-8")
        return path

    def seen_secret(self, where, text):
        self.assertNotIn(SECRET, text, f"the password stands in {where}")

    def test_what_is_wrong_is_said_by_doctor_sync_and_the_screen(self):
        rows = self.table()
        settings = self.settings(rows)
        done = self.run_command("doctor", "--config", settings, "--data", self.data, "--json")
        self.seen_secret("doctor", done.stdout.decode() + done.stderr.decode())
        self.assertEqual(done.returncode, 1)
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        millrace = self.serve("--config", str(settings))

        def all_failed():
            sources = {source["id"]: source for source in millrace.get("/api/v1/sources")["data"]}
            return all(sources[name]["state"] == "failed" for name, *_ in rows) and sources["no-items"]["orders"] == 30 and sources

        shown = millrace.wait_for(all_failed, "every source says what is wrong")
        self.seen_secret("the sources", json.dumps(shown))
        self.assertEqual(shown["no-items"]["orders"], 30, "a right that is missing for one stream stops that stream only")
        for name, _, sentence, code in rows:
            with self.subTest(wrong=name):
                check = checks["source " + name]
                self.assertEqual(check["verdict"], "bad")
                self.assertIn(sentence, check["text"])
                self.assertEqual(check["advice"], f"[source.{name}] in the settings")
                self.assertIn(sentence, shown[name]["message"])
                self.assertEqual(shown[name]["needs_person"], code == PERSON, shown[name]["message"])
                synced = self.run_command("sync", name, "--config", settings, "--data", self.folder / ("sync-" + name), "--listen", f"127.0.0.1:{free_port()}")
                said = synced.stderr.decode("utf-8")
                self.seen_secret("sync", said + synced.stdout.decode("utf-8"))
                self.assertEqual(synced.returncode, code, said)
                self.assertIn(sentence, said)

    def test_a_folder_that_is_missing_is_named(self):
        done = self.run_command("doctor", "--data", self.data, "--orders", self.folder / "away", "--json")
        self.assertEqual(done.returncode, 1)
        check = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "orders"][0]
        self.assertEqual((check["verdict"], check["advice"]), ("bad", "check the path, the mount and the rights"))
        self.assertIn(str(self.folder / "away"), check["text"])

    def test_a_source_that_is_right_is_good_and_syncs(self):
        row = ("right", self.table()[0][1] | {"url": self.right.url}, "", 0)
        settings = self.settings([row])
        done = self.run_command("doctor", "--config", settings, "--data", self.data, "--orders", self.orders, "--json")
        self.assertEqual(done.returncode, 0, done.stdout)
        synced = self.run_command("sync", "right", "--config", settings, "--data", self.data, "--listen", f"127.0.0.1:{free_port()}")
        self.assertEqual(synced.returncode, 0, synced.stderr)
        self.assertEqual(self.right.open_sessions, 0)

    def test_wrong_credentials_are_sent_seldom_however_often_a_person_asks(self):
        settings = self.settings([row for row in self.table() if row[0] == "wrong-password"])
        millrace = self.serve("--config", str(settings))
        millrace.wait_for(lambda: self.right.refused_logins == 1, "the password was tried")
        for _ in range(20):
            self.assertEqual(millrace.post("/api/v1/sources/wrong-password/refresh")[0], 202)
            self.run_command("status", "--listen", f"127.0.0.1:{millrace.port}")
        self.assertEqual(self.right.refused_logins, 1)

    def test_a_password_that_was_put_right_counts_without_a_restart(self):
        row = [row for row in self.table() if row[0] == "wrong-password"][0]
        millrace = self.serve("--config", str(self.settings([row])))
        def state():
            return [source for source in millrace.get("/api/v1/sources")["data"] if source["id"] == "wrong-password"][0]
        millrace.wait_for(lambda: state()["state"] == "failed", "the password is refused")
        self.secret("wrong", SECRET)
        millrace.wait_for(lambda: state()["state"] == "polling" and state()["orders"] == 30, "the orders came", 5)
        self.assertEqual(self.right.refused_logins, 1)
        # And a secret that could not be read at all; the source that runs has one session, as before.
        self.secret("wrong", SECRET, 0o644)
        self.assertEqual(state()["state"], "polling")
        self.assertEqual(self.right.open_sessions, 1)

    def test_a_secret_file_that_was_missing_starts_its_source_when_it_comes(self):
        row = [row for row in self.table() if row[0] == "no-secret"][0]
        millrace = self.serve("--config", str(self.settings([row])))
        def state():
            return [source for source in millrace.get("/api/v1/sources")["data"] if source["id"] == "no-secret"][0]
        self.assertEqual(state()["state"], "failed")
        self.secret("none", SECRET)
        millrace.wait_for(lambda: state()["orders"] == 30, "the orders came", 5)
        self.assertEqual(self.right.refused_logins, 0)

    def test_a_login_whose_answer_was_lost_is_sent_once_more_when_a_person_asks(self):
        row = ("lost", self.table()[0][1] | {"url": self.right.url}, "", 0)
        self.right.lose_logins = 1
        millrace = self.serve("--config", str(self.settings([row])))
        def state():
            return [source for source in millrace.get("/api/v1/sources")["data"] if source["id"] == "lost"][0]
        millrace.wait_for(lambda: self.right.logins == 1 and state()["message"], "the login was lost")
        self.assertEqual(self.right.logins, 1)
        # A person knows better.
        self.assertEqual(millrace.post("/api/v1/sources/lost/refresh")[0], 202)
        millrace.wait_for(lambda: state()["orders"] == 30, "the orders came")
        self.assertEqual(self.right.logins, 2)
