"""The front door is strict: what is not HTTP or WebSocket as the books say is refused, and everybody else is served on."""
import hashlib
import json
import pathlib
import signal
import socket
import ssl
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent))  # behind story.py of all stories
import http_cases  # noqa: E402
import websocket_cases  # noqa: E402
from millrace_client import Millrace  # noqa: E402
from raw_client import CLOSE, PING, PONG, TEXT, Raw, WebSocket, frame, handshake  # noqa: E402
from story import BINARY, MEMORY_ROOM, Story  # noqa: E402

GET = http_cases.get()


class FrontDoor(Story):
    def setUp(self):
        super().setUp()
        self.millrace = self.serve()
        self.port = self.millrace.port

    def alive(self):
        """The next request on a new connection is answered right."""
        with Raw(self.port) as raw:
            raw.send(GET)
            answer = raw.answer()
            return answer is not None and answer.status == 200 and self.millrace.process.poll() is None

    def problem(self, answer):
        self.assertEqual(answer.headers.get("content-type"), "application/problem+json")
        told = json.loads(answer.body)
        self.assertEqual(sorted(set(told) & {"type", "title", "status", "detail", "instance"}), ["detail", "instance", "status", "title", "type"])
        self.assertEqual(told["status"], answer.status)
        self.assertEqual(answer.headers.get("connection"), "close")
        return told

    def refused(self, data, status, ends=False):
        with Raw(self.port) as raw:
            raw.send(data)
            if ends:
                raw.finish_sending()
            answer = raw.answer()
            self.assertIsNotNone(answer, "closed without an answer")
            self.assertEqual(answer.status, status, answer.body)
            self.problem(answer)
            self.assertTrue(raw.is_ended(), "the connection goes on")

    def test_what_is_not_http_is_refused_and_the_connection_ends(self):
        count = 0
        for group, cases in http_cases.GROUPS.items():
            for what, data, status in cases:
                with self.subTest(group=group, what=what):
                    self.refused(data, status, ends=group == "half")
                    self.assertTrue(self.alive())
                    count += 1
        print(f"front_door: {count} malformed requests refused, each by one answer and the end of its connection", file=sys.stderr)
        self.assertGreaterEqual(count, 110)

    def test_what_is_http_is_answered_and_the_connection_goes_on(self):
        post, host = http_cases.post, http_cases.HOST
        for what, data, status in [
                ("a plain request", GET, 200),
                ("an empty line before it", b"\r\n" + GET, 200),
                ("names in other letters", http_cases.get(b"hOsT: 127.0.0.1\r\n"), 200),
                ("blanks and tabs around a value", http_cases.get(b"Host: \t127.0.0.1 \t\r\n"), 200),
                ("an IPv6 host", http_cases.get(b"Host: [::1]:8080\r\n"), 200),
                ("absolute form", http_cases.get(target=b"http://127.0.0.1/livez"), 200),
                ("an empty value", http_cases.get(host + b"X-Empty:\r\n"), 200),
                ("100 fields", http_cases.get(host + b"".join(b"X-%d: 1\r\n" % i for i in range(99))), 200),
                ("HTTP/1.0 that stays", http_cases.get(b"Connection: keep-alive\r\n", version=b"HTTP/1.0"), 200),
                ("OPTIONS *", http_cases.get(target=b"*", method=b"OPTIONS"), 204),
                ("a method nobody knows", http_cases.get(method=b"BREW"), 405),
                ("TRACE", http_cases.get(method=b"TRACE"), 405),
                ("a body by length", http_cases.length(b"2"), 202),
                ("a length with zeros before it", http_cases.length(b"0002"), 202),
                ("a body in chunks", http_cases.chunked(b"2\r\n{}\r\n0\r\n\r\n"), 202),
                ("chunks of one byte", http_cases.chunked(b"1\r\n{\r\n1\r\n}\r\n000\r\n\r\n"), 202),
                ("chunks with extensions", http_cases.chunked(b'1;a\r\n{\r\n1;a=b;c="d;\\"e"\r\n}\r\n0;last\r\n\r\n'), 202),
                ("chunks with a trailer", http_cases.chunked(b"2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n"), 202),
                ("a coding in other letters", post(b"Transfer-Encoding: CHUNKED\r\n", b"2\r\n{}\r\n0\r\n\r\n"), 202),
                ("a GET with a body", http_cases.get(host + b"Content-Length: 3\r\n") + b"abc", 200),
                ("an expectation that its body fulfils", post(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"{}"), 202),
                ("1,300 ranges", http_cases.get(host + b"Range: bytes=" + b",".join(b"%d-" % i for i in range(1300)) + b"\r\n", b"/api/v1/orders"), 200),
                ("an end before its start", http_cases.get(host + b"Range: bytes=9-1\r\n", b"/api/v1/orders"), 200),
                ("1,000 codings", http_cases.get(host + b"Accept-Encoding: " + b",".join(b"x%d;q=0.5" % i for i in range(1000)) + b"\r\n", b"/api/v1/orders"), 200),
                ("limit=1e9", http_cases.get(target=b"/api/v1/orders?limit=1e9"), 400),
                ("250 parameters", http_cases.get(target=b"/api/v1/orders?" + b"&".join(b"a%d=1" % i for i in range(250))), 400),
                ("a search of wildcards", http_cases.get(target=b"/api/v1/orders?q=" + b"%25_" * 100), 200),
                ("an unknown page", http_cases.get(target=b"/nowhere"), 404)]:
            with self.subTest(what=what), Raw(self.port) as raw:
                raw.send(data)
                answer = raw.answer()
                self.assertEqual(answer.status, status, answer.body)
                if what.startswith("limit") or what.startswith("250"):
                    continue  # a wrong value is an answer like any other; the connection may go on
                raw.send(GET)
                self.assertEqual(raw.answer().status, 200, "the request after it")

    def test_twenty_requests_at_once_are_answered_in_order(self):
        with Raw(self.port) as raw:
            body = http_cases.chunked(b"2\r\n{}\r\n0\r\nX: y\r\n\r\n")
            wanted = [202 if i % 5 == 4 else 404 if i % 3 == 1 else 200 for i in range(20)]
            raw.send(b"".join(body if status == 202 else http_cases.get(target=b"/livez" if status == 200 else b"/none") for status in wanted))
            self.assertEqual([raw.answer().status for _ in wanted], wanted)

    def test_what_follows_a_refused_request_is_never_read(self):
        with Raw(self.port) as raw:
            raw.send(GET + GET + http_cases.get(b"") + GET * 5)
            self.assertEqual([raw.answer().status for _ in range(3)], [200, 200, 400])
            self.assertTrue(raw.is_ended())

    def test_a_request_byte_by_byte_is_a_request(self):
        for data, status in ((GET, 200), (http_cases.chunked(b"2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n"), 202), (http_cases.length(b"2"), 202)):
            with Raw(self.port) as raw:
                for i in range(len(data)):
                    raw.send(data[i:i + 1])
                self.assertEqual(raw.answer().status, status)

    def test_a_sender_that_ends_its_half_gets_its_answer(self):
        for data, status in ((GET, 200), (http_cases.length(b"2"), 202), (b"", None)):
            with Raw(self.port) as raw:
                raw.send(data)
                raw.finish_sending()
                answer = raw.answer()
                self.assertEqual(answer and answer.status, status)
                self.assertTrue(raw.is_ended())

    def test_who_waits_for_100_continue_is_told_to_go_on_or_why_not(self):
        with Raw(self.port) as raw:
            raw.send(http_cases.post(b"Expect: 100-continue\r\nContent-Length: 2\r\n"))
            self.assertEqual(raw.answer().status, 100)
            raw.send(b"{}")
            self.assertEqual(raw.answer().status, 202)
        with Raw(self.port) as raw:
            raw.send(http_cases.post(b"Expect: 100-continue\r\nContent-Length: 99999999\r\n"))
            self.assertEqual(raw.answer().status, 413)

    def test_an_upgrade_to_http_2_is_answered_in_http_1_and_nothing_follows(self):
        with Raw(self.port) as raw:
            raw.send(http_cases.get(http_cases.HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n") + GET)
            answer = raw.answer()
            self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
            self.assertTrue(raw.is_ended())

    # -- WebSocket

    def heard(self, what, data, wanted):
        with WebSocket(self.port).open() as live:
            live.send(data)
            if wanted is None or isinstance(wanted, tuple):
                if wanted:
                    got = live.until(PONG, CLOSE)
                    while got and got[0] == PONG and got != wanted:
                        got = live.until(PONG, CLOSE)  # of the pings before
                    self.assertEqual(got, wanted)
                live.send(frame(PING, b"and now"))
                self.assertEqual(live.until(PONG, CLOSE), (PONG, b"and now"))
            elif isinstance(wanted, str):
                got = live.frame()
                while got and got[0] == TEXT and json.loads(got[1])["op"] != wanted:
                    got = live.frame()
                self.assertTrue(got and got[0] == TEXT, got)
            else:
                self.assertEqual(live.close_code(), wanted)
                live.finish_sending()
                self.assertTrue(live.is_ended(), "the connection goes on")

    def test_a_websocket_is_answered_as_its_rules_say(self):
        count = 0
        for group, cases in websocket_cases.GROUPS.items():
            for what, data, wanted in cases:
                with self.subTest(group=group, what=what):
                    self.heard(what, data, wanted)
                    count += 1
        print(f"front_door: {count} cases of the WebSocket protocol answered right", file=sys.stderr)
        self.assertTrue(self.alive())
        self.assertGreaterEqual(count, 70)

    def test_a_frame_byte_by_byte_is_a_frame(self):
        with WebSocket(self.port).open() as live:
            data = frame(PING, b"slow") + frame(TEXT, websocket_cases.COMMAND)
            for i in range(len(data)):
                live.send(data[i:i + 1])
            self.assertEqual(live.until(PONG), (PONG, b"slow"))

    def test_the_opening_handshake_is_strict_and_pages_of_others_are_refused(self):
        for what, fields, status in websocket_cases.HANDSHAKES:
            with self.subTest(what=what), Raw(self.port) as raw:
                data = handshake(self.port, **fields)
                raw.send(data + b"{}" if "Content_Length" in fields else data)
                answer = raw.answer()
                self.assertEqual(answer.status, status, answer.body)
                if status == 101:
                    self.assertEqual(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                    self.assertNotIn("sec-websocket-extensions", answer.headers)
                else:
                    json.loads(answer.body)
        with Raw(self.port) as raw:
            raw.send(handshake(self.port) + frame(TEXT, b"{}"))
            self.assertEqual(raw.answer().status, 400, "frames before the answer")

    def test_floods_over_websockets_leave_the_memory_bounded(self):
        before = self.millrace.rss_bytes()
        pings = frame(PING, b"a" * 125) * 2000
        empty = frame(0, b"", final=False) * 20_000
        held = []
        for i in range(20):
            live = WebSocket(self.port, receive_buffer=4096).open()
            held.append(live)
            live.socket.settimeout(0.2)
            try:
                live.send(pings if i % 2 else frame(TEXT, b"", final=False) + empty + empty)
            except TimeoutError:
                pass  # the server reads no more than it may answer
        self.assertTrue(self.alive())
        grown = self.millrace.rss_bytes() - before
        for live in held:
            live.__exit__()
        self.assertLess(grown, (16 << 20) * MEMORY_ROOM)


class OverTls(Story):
    """Two commands and a setting: an authority of one's own, and the server speaks HTTPS."""

    def setUp(self):
        super().setUp()
        made = self.run_command("tls", "init", "--host", "plant.example.com", "--data", self.data, "--json")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.made = json.loads(made.stdout)
        settings = self.folder / "millrace.toml"
        settings.write_text(f'tls_certificate = "{self.made["certificate"]}"\ntls_key = "{self.made["key"]}"\n', encoding="utf-8")
        self.millrace = Millrace(BINARY, self.data, [self.orders], arguments=["--config", str(settings)], listening=True)
        self.addCleanup(self.millrace.stop)
        self.context = ssl.create_default_context(cafile=self.made["authority"])
        self.millrace.wait_for(lambda: self.ask("/readyz")[0] == 200, "ready")

    def ask(self, path, name="localhost"):
        with socket.create_connection(("127.0.0.1", self.millrace.port), timeout=10) as plain, self.context.wrap_socket(plain, server_hostname=name) as secure:
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            got = b""
            while block := secure.recv(65536):
                got += block
            self.fingerprint = hashlib.sha256(secure.getpeercert(True)).hexdigest().upper()
        head, _, body = got.partition(b"\r\n\r\n")
        return int(head[9:12]), head.decode(), body

    def test_a_client_that_trusts_the_authority_is_served_over_tls(self):
        status, head, _ = self.ask("/api/v1/orders", "plant.example.com")
        self.assertEqual(status, 200)
        self.assertIn("Strict-Transport-Security: max-age=31536000", head)
        self.assertEqual(self.fingerprint, self.made["fingerprint"].replace(":", ""))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.ask("/livez", "another.example.com")
        for name in ("ca.key", "key.pem"):
            self.assertEqual((self.data / "tls" / name).stat().st_mode & 0o777, 0o600)

    def test_plain_http_there_is_shown_the_way(self):
        with Raw(self.millrace.port) as raw:
            raw.send(http_cases.get(target=b"/orders?status=Open"))
            answer = raw.answer()
            self.assertEqual((answer.status, answer.headers["location"]), (308, "https://127.0.0.1/orders?status=Open"))
            self.assertTrue(raw.is_ended())

    def test_the_commands_of_this_machine_go_on_working(self):
        status = self.run_command("status", "--listen", f"127.0.0.1:{self.millrace.port}", "--json")
        self.assertEqual(status.returncode, 0, status.stderr)
        shown = json.loads(self.run_command("tls", "status", "--data", self.data, "--json").stdout)
        self.assertEqual((shown["days_left"], shown["fingerprint"]), (396, self.made["fingerprint"]))
        self.assertIn("plant.example.com", shown["names"])

    def test_a_new_certificate_is_taken_by_the_running_server(self):
        again = json.loads(self.run_command("tls", "init", "--host", "plant.example.com", "--data", self.data, "--json").stdout)
        self.assertFalse(again["authority_is_new"])
        wanted = again["fingerprint"].replace(":", "")
        self.millrace.wait_for(lambda: self.ask("/livez")[0] == 200 and self.fingerprint == wanted, "the new certificate")
        self.millrace.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.ask("/livez")[0], 200)

    def test_a_live_connection_speaks_over_tls(self):
        with socket.create_connection(("127.0.0.1", self.millrace.port), timeout=10) as plain, self.context.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(handshake(self.millrace.port, Origin=f"https://127.0.0.1:{self.millrace.port}"))
            got = b""
            while b'"op":"hello"' not in got:
                got += secure.recv(65536)
            self.assertTrue(got.startswith(b"HTTP/1.1 101"))
            secure.sendall(frame(PING, b"here"))
            while b"\x8a\x04here" not in got:
                got += secure.recv(65536)


class Promises(Story):
    """What every answer carries, and what may be asked how often."""

    def test_every_answer_carries_the_headers_that_protect_a_browser(self):
        millrace = self.serve()
        answers = []
        for data in (GET, http_cases.get(target=b"/"), http_cases.get(target=b"/none"), http_cases.get(b""), http_cases.get(target=b"/api/v1/orders"),
                     http_cases.get(target=b"/api/v1/orders.csv"), http_cases.get(target=b"*", method=b"OPTIONS"), http_cases.length(b"2"), handshake(millrace.port)):
            with Raw(millrace.port) as raw:
                raw.send(data)
                answers.append(raw.answer())
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            self.assertTrue(policy.startswith("default-src 'self';"), policy)
            self.assertNotIn("unsafe", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertEqual((answer.headers["x-content-type-options"], answer.headers["x-frame-options"], answer.headers["referrer-policy"],
                              answer.headers["cross-origin-opener-policy"]), ("nosniff", "DENY", "same-origin", "same-origin"))
            self.assertIn("camera=()", answer.headers["permissions-policy"])
            self.assertNotIn("server", answer.headers)
            self.assertNotIn("strict-transport-security", answer.headers)

    def test_the_sensitive_class_is_counted_exactly_and_not_fooled(self):
        millrace = self.serve()
        raws = [Raw(millrace.port) for _ in range(20)]
        for i, raw in enumerate(raws):
            fields = http_cases.HOST + b"X-Forwarded-For: 10.0.0.%d\r\n" % i
            raw.send(http_cases.get(fields, (b"/api/sensitive-endpoint", b"/api/sensitive%2dendpoint")[i % 2]) * 10)
        answers = [raw.answer() for raw in raws for _ in range(10)]
        counts = {status: sum(answer.status == status for answer in answers) for status in (200, 429)}
        print(f"front_door: of 200 requests at once {counts[200]} were allowed and {counts[429]} refused", file=sys.stderr)
        self.assertEqual(counts, {200: 100, 429: 100})
        for answer in answers:
            self.assertEqual(answer.headers["ratelimit-policy"], '"sensitive";q=100;w=60')
            self.assertTrue(answer.status == 200 or 1 <= int(answer.headers["retry-after"]) <= 61)
        for raw in raws:
            raw.socket.close()
