"""Secrets stay where they are: passwords, tokens, keys and session cookies are in no log, process list, export, backup or answer.

The secrets are unmistakable, everything is run that uses them - syncs, failures, pushes, webhooks, exports, backup, doctor -
with the log at debug, and then everything that was written or said is searched for them, also in base64.
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import unittest

from erp_front import Certificates, ErpFront
from erp_simulator import Simulator, missing
from story import BINARY, Story, order_json

SIMULATOR = pathlib.Path(BINARY).resolve().parent / "src" / "millrace_erp_simulator"
NAMES = ("password", "wrong", "push", "webhook", "bearer", "client")
SECRETS = {name: f"Unmistakable-{name}-7f3a91" for name in NAMES}


def children_of(process):
    """The process and all that descend from it."""
    found, parents = [process], {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue  # it has just ended
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


@unittest.skipIf(missing(SIMULATOR) or not shutil.which("openssl"), "needs millrace_erp_simulator (`ninja tests` builds it) and openssl")
class Secrets(Story):
    def setUp(self):
        super().setUp()
        erp = Simulator(SIMULATOR, orders=40)
        self.addCleanup(erp.stop)
        certificates = Certificates(self.folder)
        self.front = ErpFront(erp.port, certificate=certificates.good(), password=SECRETS["password"])
        self.addCleanup(self.front.stop)
        self.stranger = ErpFront(erp.port, refuse_all=True)
        self.addCleanup(self.stranger.stop)
        self.said = {}  # by where: what was written or answered
        self.settings = self.folder / "millrace.toml"
        sap = {"kind": "sap-b1", "url": self.front.url, "company": "NORDWERK", "user": "manager", "ca_file": str(certificates.authority)}
        tables = {"sap": dict(sap, password_file=self.secret("password"), webhook_secret_file=self.secret("webhook"), interval="10s"),
                  "locked": dict(sap, password_file=self.secret("wrong")),
                  "token": {"kind": "odata", "url": self.stranger.url, "bearer_file": self.secret("bearer")},
                  "client": {"kind": "odata", "url": self.stranger.url, "oauth_token_url": self.stranger.url + "/token", "oauth_client": "id",
                             "oauth_secret_file": self.secret("client")},
                  "basic": {"kind": "odata", "url": self.stranger.url, "user": "manager", "password_file": self.secret("password")},
                  "shop": {"kind": "push", "push_token_file": self.secret("push")}}
        self.settings.write_text("".join(f"[source.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
                                         for name, table in tables.items()), encoding="utf-8")

    def secret(self, name):
        folder = self.folder / "secrets"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / name
        path.write_text(SECRETS[name] + "\n", encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def command(self, *words):
        environment = {"MILLRACE_LOG_LEVEL": "debug", "MILLRACE_DATA": str(self.data)}
        done = self.run_command(*words, "--config", self.settings, environment=environment)
        self.said["millrace " + " ".join(map(str, words))] = done.stdout + done.stderr
        return done

    def ask(self, millrace, method, path, body=None, headers=None):
        status, answered, text = millrace.request(method, path, body, headers)
        self.said[f"{method} {path}"] = text + repr(answered).encode()
        return status

    def push(self, millrace, body, token):
        headers = {"Content-Type": "application/x-ndjson", "Authorization": "Bearer " + token}
        return self.ask(millrace, "POST", "/api/v1/ingest/shop/orders", body.encode(), headers)

    def webhook(self, millrace, key):
        body = json.dumps([{"id": "e1", "type": "sap.b1.Orders.Updated.v1", "subject": "1", "time": "2026-11-22T08:00:00Z", "data": {}}]).encode()
        signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return self.ask(millrace, "POST", "/api/v1/webhooks/sap", body, {"Content-Type": "application/json", "X-B1-Webhook-Signature": signature})

    def use_everything(self, millrace):
        millrace.wait_for(lambda: all(source["state"] in ("failed", "polling", "live") for source in millrace.get("/api/v1/sources")["data"]), "every source said something")
        self.write("Open/SO5.json", order_json(5))
        line = json.dumps(json.loads(order_json(7)))
        self.assertEqual(self.push(millrace, line, SECRETS["push"]), 202)
        self.assertEqual(self.push(millrace, json.dumps({"DocNum": "x"}), SECRETS["push"]), 202)
        self.assertEqual(self.push(millrace, line, "Unmistakable-guess-7f3a91"), 401)
        self.assertEqual(self.webhook(millrace, SECRETS["webhook"]), 200)
        self.assertEqual(self.webhook(millrace, "another key"), 401)
        for name in ("sap", "locked", "token"):
            self.assertEqual(self.ask(millrace, "POST", f"/api/v1/sources/{name}/refresh", b""), 202)
        for path in ("/metrics", "/health", "/performance", "/api/v1/sources", "/api/v1/rejections", "/api/v1/held", "/api/v1/openapi.json", "/api/v1/orders.csv",
                     "/api/v1/orders.xlsx", "/api/v1/performance", "/api/so-performance", "/api/v1/changes?since=0"):
            self.assertEqual(self.ask(millrace, "GET", path), 200, path)
        listen = ("--listen", f"127.0.0.1:{millrace.port}")
        self.command("sync", "sap", *listen)
        self.command("sync", "locked", *listen)
        self.command("status", *listen)
        self.command("doctor", "--verbose", *listen)
        self.command("config", "show", "--origin")
        self.assertEqual(self.command("backup", self.folder / "backup").returncode, 0)
        self.assertEqual(self.command("export", "orders", "--format", "csv").returncode, 0)

    def look_at_processes(self, millrace):
        for pid in children_of(millrace.process.pid):
            for part in ("cmdline", "environ"):
                try:
                    self.said[f"/proc/{pid}/{part}"] = pathlib.Path(f"/proc/{pid}/{part}").read_bytes()
                except OSError:
                    continue  # it has just ended

    def look_at_files(self):
        for folder, _, names in os.walk(self.folder):
            if pathlib.Path(folder).name == "secrets":
                continue
            for name in names:
                path = pathlib.Path(folder) / name
                self.said[str(path.relative_to(self.folder))] = path.read_bytes()

    def needles(self):
        secrets = dict(SECRETS, guess="Unmistakable-guess-7f3a91")
        for number, cookie in enumerate(sorted(self.front.cookies)):
            secrets[f"session {number}"] = cookie
        for name, secret in secrets.items():
            yield name, secret.encode()
            yield name + " (base64)", base64.b64encode(secret.encode()).rstrip(b"=")
        yield "basic (base64)", base64.b64encode(b"manager:" + SECRETS["password"].encode()).rstrip(b"=")

    def test_no_secret_is_seen_anywhere(self):
        millrace = self.serve("--config", str(self.settings), "--log-level", "debug")
        self.use_everything(millrace)
        self.look_at_processes(millrace)
        self.assertEqual(millrace.stop(), 0)
        self.said["log"] = "\n".join(millrace.lines).encode()
        self.look_at_files()
        self.assertGreater(len(self.front.cookies), 1, "sessions were opened")
        self.assertTrue(any(name.endswith("warm.bin") for name in self.said), "the warm-start file was looked at")
        self.assertIn("GET /metrics", self.said)
        for name, needle in self.needles():
            for where, text in self.said.items():
                self.assertNotIn(needle, text, f"{name} stands in {where}")
