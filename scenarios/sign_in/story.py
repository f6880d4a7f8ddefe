"""From a bare server to a second person who has signed in; and what must never be written anywhere."""
import http.client
import io
import json
import os
import pathlib
import re
import socket
import ssl
import stat
import zipfile

from story import Story, order_json

PASSWORD = "canary small words 4711"
OTHER = "canary other words 0815"


class Person:
    """A browser: keeps the cookie and says what only our own page knows."""

    def __init__(self, millrace):
        self.millrace, self.cookie, self.csrf = millrace, "", ""

    def ask(self, method, path, body=None, headers=None):
        more = dict(headers or {})
        if self.cookie:
            more["Cookie"] = f"millrace={self.cookie}"
        if method != "GET":
            more.update({"X-CSRF-Token": self.csrf, "Content-Type": "application/json"})
        status, head, answer = self.millrace.request(method, path, None if body is None else json.dumps(body), more)
        found = re.search(r"millrace=([^;]*)", head.get("Set-Cookie", ""))
        if found:
            self.cookie = found[1]
        try:
            answer = json.loads(answer)
        except ValueError:
            answer = answer.decode("utf-8", "replace")
        if isinstance(answer, dict) and isinstance(answer.get("data"), dict) and "csrf" in answer["data"]:
            self.csrf = answer["data"]["csrf"]
        return status, answer

    def get(self, path):
        status, answer = self.ask("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path} answered {status}: {answer}")
        return answer

    def sign_in(self, name, password):
        return self.ask("POST", "/api/v1/sign-in", {"name": name, "password": password})[0]


class OverTls:
    """A browser that trusts one authority, and calls the server by its name."""

    def __init__(self, port, trust):
        self.port, self.trust, self.cookies, self.csrf, self.last_cookie = port, trust, {}, "", ""

    def ask(self, method, path, body=None):
        head = {"Host": f"plant.example:{self.port}", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method != "GET":
            head.update({"X-CSRF-Token": self.csrf, "Content-Type": "application/json"})
        connection = http.client.HTTPSConnection("plant.example", self.port, context=self.trust, timeout=20)
        connection.sock = self.trust.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=20), server_hostname="plant.example")
        connection.request(method, path, None if body is None else json.dumps(body), head)
        answer = connection.getresponse()
        self.last_cookie = answer.getheader("Set-Cookie") or self.last_cookie
        for name, value in re.findall(r"(?:^|, )([\w-]*millrace)=([^;]*)", answer.getheader("Set-Cookie") or ""):
            self.cookies[name] = value
        said = json.loads(answer.read())
        if isinstance(said.get("data"), dict) and "csrf" in said["data"]:
            self.csrf = said["data"]["csrf"]
        connection.close()
        return answer.status, said


class SignIn(Story):
    def guarded(self, *arguments):
        return self.serve("--auth", "sign-in", *arguments, ready=False)

    def first_link(self, millrace):
        return millrace.wait_for(lambda: re.search(r"/setup#(setup_\S+)", "\n".join(millrace.lines)), "the link of the first start")[1]

    def ready(self, millrace, person):
        millrace.wait_for(lambda: millrace.request("GET", "/readyz")[0] == 200, "ready")
        millrace.wait_for(lambda: person.get("/api/v1/orders")["total"] > 0, "the first look at the folder")

    @staticmethod
    def sheet(person):
        """All texts of the exported workbook."""
        status, _, body = person.millrace.request("GET", "/api/v1/orders.xlsx", headers={"Cookie": f"millrace={person.cookie}"})
        assert status == 200, body
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return "\n".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml") and "xl/" in name)

    def boss_of(self, millrace):
        boss = Person(millrace)
        status, answer = boss.ask("POST", "/api/v1/setup", {"link": self.first_link(millrace), "name": "boss", "password": PASSWORD})
        self.assertEqual((status, answer["data"]["role"]), (200, "admin"))
        return boss

    def test_while_nobody_can_administer_every_start_prints_a_link_that_makes_an_administrator(self):
        self.write("Open/SO7.json", order_json(7))
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        added = self.run_command("user", "add", "bert", "--role", "planner", "--password-file", password, "--data", self.data)
        self.assertEqual(added.returncode, 0, added.stderr)
        millrace = self.guarded()
        self.assertTrue(Person(millrace).get("/api/v1/me")["data"]["setup_needed"])
        self.boss_of(millrace)
        self.assertEqual(millrace.stop(), 0)
        millrace = self.guarded()
        self.assertFalse(Person(millrace).get("/api/v1/me")["data"]["setup_needed"])
        self.assertNotIn("/setup#", "\n".join(millrace.lines))

    def test_over_tls_in_four_commands_a_second_person_signs_in(self):
        """tls init, serve, the link, user add: each as docs/sign-in.md writes it."""
        self.write("Open/SO7.json", order_json(7))
        made = self.run_command("tls", "init", "--host", "plant.example", "--data", self.data)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn(b"update-ca-certificates", made.stdout)
        millrace = self.serve("--listen", "0.0.0.0:0", ready=False)
        page = "\n".join(millrace.lines)
        self.assertIn(f"https://plant.example:{millrace.port}", page)
        trust = ssl.create_default_context(cafile=self.data / "tls/ca.pem")
        boss, bert = OverTls(millrace.port, trust), OverTls(millrace.port, trust)
        link = millrace.wait_for(lambda: re.search(r"https://plant.example:\d+/setup#(setup_\S+)", "\n".join(millrace.lines)), "the link")[1]
        self.assertEqual(boss.ask("POST", "/api/v1/setup", {"link": link, "name": "boss", "password": PASSWORD})[0], 200)
        password = self.folder / "password"
        password.write_text(OTHER, encoding="utf-8")
        added = self.run_command("user", "add", "bert", "--role", "planner", "--password-file", password, "--data", self.data)
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertEqual(bert.ask("POST", "/api/v1/sign-in", {"name": "bert", "password": OTHER})[0], 200)
        self.assertIn("Secure", bert.last_cookie)
        millrace.wait_for(lambda: [row["order"] for row in bert.ask("GET", "/api/v1/orders")[1]["data"]] == ["7"], "the order, over TLS")
        self.assertEqual(bert.ask("GET", "/api/v1/users")[0], 403)
        plain = http.client.HTTPConnection("127.0.0.1", millrace.port, timeout=10)
        plain.request("GET", "/api/v1/orders")
        self.assertEqual(plain.getresponse().status, 308)

    def test_from_a_bare_server_to_a_second_person(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.guarded()
        stranger = Person(millrace)
        self.assertEqual(stranger.ask("GET", "/api/v1/orders")[0], 401)
        self.assertEqual(stranger.get("/api/v1/me")["data"], {"signed_in": False, "sign_in_needed": True, "outside": False, "setup_needed": True})
        boss = self.boss_of(millrace)
        self.ready(millrace, boss)
        self.assertEqual(boss.ask("POST", "/api/v1/users", {"name": "bert", "role": "floor", "password": OTHER})[0], 201)
        bert = Person(millrace)
        self.assertEqual(bert.sign_in("bert", OTHER), 200)
        row = bert.get("/api/v1/orders")["data"][0]
        self.assertEqual(row["order"], "7")
        self.assertNotIn("open_amount", row)
        self.assertEqual(bert.ask("GET", "/api/v1/today")[0], 403)
        self.assertNotRegex(self.sheet(bert), "amount|Total|Net|Tax|Freight")
        self.assertRegex(self.sheet(boss), "Open amount")
        self.assertEqual(bert.ask("GET", "/api/v1/users")[0], 403)
        # Who has signed in stays so over a restart, and nobody is offered the first link again.
        millrace.stop()
        again = self.guarded()
        boss.millrace = bert.millrace = again
        self.ready(again, bert)
        self.assertFalse(boss.get("/api/v1/me")["data"]["setup_needed"])
        self.assertNotIn("setup#", "\n".join(again.lines))
        self.assertEqual(bert.ask("POST", "/api/v1/sign-out")[0], 200)
        self.assertEqual(bert.ask("GET", "/api/v1/orders")[0], 401)

    def test_two_commands_make_two_people_and_the_server_asks_for_them(self):
        self.write("Open/SO7.json", order_json(7))
        for name, role in (("boss", "admin"), ("bert", "viewer")):
            run = self.run_command("user", "add", name, "--role", role, "--data", self.data, "--password-file", "-", input_bytes=PASSWORD.encode())
            self.assertEqual(run.returncode, 0, run.stderr)
        millrace = self.serve(ready=False)  # --auth auto: there are users now
        millrace.wait_for(lambda: "sign-in needed" in "\n".join(millrace.lines), "the line about signing in")
        bert = Person(millrace)
        self.assertEqual(bert.ask("GET", "/api/v1/orders")[0], 401)
        self.assertEqual(bert.sign_in("bert", PASSWORD), 200)
        self.ready(millrace, bert)
        # Commands of the server's own account need no password; those of another data folder are strangers.
        address = f"127.0.0.1:{millrace.port}"
        status = self.run_command("status", "--listen", address, "--data", self.data)
        self.assertEqual(status.returncode, 0, status.stderr)
        stranger = self.run_command("status", "--listen", address, "--data", self.folder / "elsewhere")
        self.assertIn(b"asks for a sign-in", stranger.stderr)
        self.assertNotEqual(stranger.returncode, 0)

    def test_without_sign_in_only_this_machine_is_served(self):
        run = self.run_command("serve", "--auth", "none", "--listen", "0.0.0.0:0", "--orders", self.orders, "--data", self.data)
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"without sign-in everybody", run.stderr)

    def test_another_role_ends_open_connections_and_sessions(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.guarded()
        boss = self.boss_of(millrace)
        boss.ask("POST", "/api/v1/users", {"name": "bert", "role": "viewer", "password": OTHER})
        bert = Person(millrace)
        bert.sign_in("bert", OTHER)
        run = self.run_command("user", "role", "bert", "floor", "--data", self.data)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(bert.ask("GET", "/api/v1/orders")[0], 401)

    def test_a_report_of_a_job_is_for_who_may_see_all_orders(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.guarded()
        boss = self.boss_of(millrace)
        self.ready(millrace, boss)
        boss.ask("POST", "/api/v1/users", {"name": "bert", "role": "planner", "own_orders": "S1", "password": OTHER})
        bert = Person(millrace)
        bert.sign_in("bert", OTHER)
        for of in ("orders", "lines", "totals"):
            self.assertEqual(bert.ask("POST", "/api/v1/jobs", {"kind": "report", "payload": {"of": of, "format": "csv"}})[0], 403)
        boss.ask("POST", "/api/v1/users", {"name": "carl", "role": "planner", "password": OTHER})
        carl = Person(millrace)
        carl.sign_in("carl", OTHER)
        status, answer = carl.ask("POST", "/api/v1/jobs", {"kind": "report", "payload": {"of": "lines", "format": "csv"}})
        self.assertEqual(status, 202, answer)
        self.assertEqual(answer["job"]["created_by"], "carl")
        millrace.wait_for(lambda: carl.get(f"/api/v1/jobs/{answer['job']['id']}")["job"]["state"] == "done", "the report is done")
        self.assertIn("Pump", carl.get(f"/api/v1/jobs/{answer['job']['id']}/result"))
        # A kind says its own right: a backup is an administrator's.
        self.assertEqual(carl.ask("POST", "/api/v1/jobs", {"kind": "backup", "payload": {}})[0], 403)
        status, answer = boss.ask("POST", "/api/v1/jobs", {"kind": "backup", "payload": {}})
        self.assertEqual(status, 202, answer)
        for path in (f"/api/v1/jobs/{answer['job']['id']}/cancel", f"/api/v1/jobs/{answer['job']['id']}/retry", "/api/v1/jobs/pause", "/api/v1/jobs/pause?kind=backup"):
            self.assertEqual(carl.ask("POST", path)[0], 403, path)
        self.assertEqual(carl.ask("POST", "/api/v1/jobs/pause?kind=report")[0], 200)
        self.assertEqual(carl.ask("PUT", "/api/v1/jobs/schedules/nightly", {"kind": "backup", "timing": "every 1h"})[0], 403)

    def test_line_ends_in_names_and_headers_make_no_second_line_in_the_log(self):
        millrace = self.serve("--auth", "sign-in", "--log-level", "debug", ready=False)
        person = Person(millrace)
        forged = 'x\r\n{"level":"info","event":"forged"}'
        self.assertEqual(person.sign_in(forged, "a wrong password"), 401)
        person.ask("GET", "/api/v1/me", headers={"X-Request-Id": "a b%0d%0aforged", "User-Agent": "x\tforged"})
        person.sign_in("nobody", "a wrong password")
        millrace.wait_for(lambda: any("sign_in_refused" in line for line in millrace.lines), "the refusal is logged")
        millrace.stop()
        for line in millrace.lines:
            if line.lstrip().startswith("{"):
                self.assertNotEqual(json.loads(line).get("event"), "forged", line)

    def test_secrets_are_written_nowhere(self):
        self.write("Open/SO7.json", order_json(7, CardName="=cmd|' /C calc'!A0"))
        millrace = self.serve("--auth", "sign-in", "--log-level", "debug", ready=False)
        link = self.first_link(millrace)
        shown = "\n".join(millrace.lines)  # the link is shown to who starts the server, this once
        boss = self.boss_of(millrace)
        self.ready(millrace, boss)
        made = boss.ask("POST", "/api/v1/tokens", {"name": "export", "scope": "read"})[1]["data"]["secret"]
        wrong = "canary wrong words 1234"
        secrets = {"password": PASSWORD, "another's password": OTHER, "a wrong password": wrong, "token": made, "session": boss.cookie, "page secret": boss.csrf}
        boss.ask("POST", "/api/v1/users", {"name": "bert", "role": "viewer", "password": OTHER})
        answers = [boss.ask("POST", "/api/v1/sign-in", {"name": "boss", "password": wrong}),
                   boss.ask("POST", "/api/v1/users", {"name": "bert", "role": "viewer", "password": OTHER}),
                   boss.ask("POST", "/api/v1/me/password", {"old": wrong, "new": PASSWORD}),
                   millrace.request("POST", "/api/v1/sign-in", f'{{"name": "boss", "password": "{PASSWORD}"', {"Content-Type": "application/json"}),
                   millrace.request("GET", "/api/v1/orders", headers={"Authorization": f"Bearer {made}x"})]
        for path in ("/api/v1/users", "/api/v1/tokens", "/api/v1/sessions", "/api/v1/audit", "/api/v1/settings", "/api/v1/openapi.json", "/health", "/metrics", "/api/v1/orders.csv",
                     "/api/v1/orders.json", "/api/v1/orders/7", "/api/v1/performance"):
            answers.append(boss.ask("GET", path))
        command_lines = pathlib.Path(f"/proc/{millrace.process.pid}/cmdline").read_bytes()
        environment = pathlib.Path(f"/proc/{millrace.process.pid}/environ").read_bytes()
        csv = next(answer for answer in answers if isinstance(answer[1], str) and answer[1].startswith("order,"))[1]
        self.assertNotIn(",=cmd", csv)
        self.assertIn("'=cmd", csv)
        millrace.stop()
        places = {"the log": "\n".join(millrace.lines).replace(shown, ""), "answers": repr(answers), "arguments": repr(command_lines), "the environment": repr(environment)}
        for path in self.data.rglob("*"):
            if path.is_file():
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o002, 0, path)
                places[str(path.relative_to(self.data))] = path.read_bytes().decode("latin-1")
        self.assertIn("record.sqlite", " ".join(places))
        for what, secret in secrets.items():
            for place, text in places.items():
                if what == "page secret" and place == "answers":
                    continue  # sign-in and /me tell it to their own page
                self.assertNotIn(secret, text, f"{what} stands in {place}")
        for place, text in places.items():
            self.assertNotIn(link, text, f"the link of the first start stands in {place}")
        self.assertNotIn(made, os.fsdecode(json.dumps(self.run_command("token", "list", "--json", "--data", self.data).stdout.decode())))
