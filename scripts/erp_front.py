"""What stands before an ERP and goes wrong: TLS with any certificate, its own password, rights, answers that get lost.

    with Simulator(...) as erp, ErpFront(erp.port, certificate=(pem, key), password="...") as front: front.url

Standard library only, `certificates` needs the openssl program. Everything else is passed on to the server behind.
"""
import http.client
import http.server
import json
import pathlib
import ssl
import subprocess
import threading

from erp_simulator import PASSWORD, USER


class ErpFront:
    """Listens on a free port of loopback. `forbidden` maps an entity set to (status, code, message)."""

    def __init__(self, port, certificate=None, user=USER, password=PASSWORD, forbidden=None, refuse_all=False):
        self.behind = port
        self.user, self.password = user, password
        self.forbidden = forbidden or {}
        self.refuse_all = refuse_all
        self.lose_logins = 0     # so many answers to a login never arrive
        self.logins, self.logouts, self.refused_logins = 0, 0, 0
        self.cookies = set()     # sessions that were handed out
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                front.answer(self)

            do_POST = do_GET

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that does not trust us hangs up

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}/b1s/v2"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def open_sessions(self):
        return self.logins - self.logouts

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        path = request.path
        if self.refuse_all:
            return self.error(request, 401, "", "Unauthorized")
        if path.endswith("/Login"):
            return self.login(request, body)
        for name, (status, code, message) in self.forbidden.items():
            if path.split("?")[0].endswith("/" + name):
                return self.error(request, status, code, message)
        self.logouts += path.endswith("/Logout")
        return self.pass_on(request, body)

    def login(self, request, body):
        wish = json.loads(body)
        if (wish["UserName"], wish["Password"]) != (self.user, self.password):
            self.refused_logins += 1
            return self.error(request, 401, "100000027", "Login failed")
        wish["UserName"], wish["Password"] = USER, PASSWORD
        lost = self.lose_logins > 0
        self.lose_logins -= lost
        return self.pass_on(request, json.dumps(wish).encode("utf-8"), lost, login=True)

    def pass_on(self, request, body, lost=False, login=False):
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)
        try:
            kept = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length", "connection")}
            connection.request(request.command, request.path, body or None, kept)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        for value in answer.headers.get_all("Set-Cookie") or []:
            if value.startswith("B1SESSION="):
                self.cookies.add(value.split(";")[0].partition("=")[2])
        self.logins += login and answer.status == 200
        if lost:
            request.close_connection = True
            return
        request.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    @staticmethod
    def error(request, status, code, message):
        text = json.dumps({"error": {"code": code, "message": message}}).encode("utf-8")
        request.send_response_only(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)


class Certificates:
    """Certificates of one own authority, made in a folder; each answer is (certificate file, key file)."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.authority = self._make("authority", "Our own authority", "CA:TRUE", None)[0]

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=self.folder)

    def _make(self, name, common_name, constraints, signed_by, alternative="IP:127.0.0.1", dates=()):
        key, request, pem = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.cnf"
        extensions.write_text(f"basicConstraints=critical,{constraints}\nsubjectAltName={alternative}\n", encoding="ascii")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={common_name}")
        by = ["-signkey", key] if signed_by is None else ["-CA", signed_by, "-CAkey", signed_by.with_suffix(".key"), "-CAcreateserial"]
        self._openssl("x509", "-req", "-in", request, "-out", pem, "-extfile", extensions, *by, *(dates or ("-days", "30")))
        return pem, key

    def good(self):
        return self._make("good", "127.0.0.1", "CA:FALSE", self.authority)

    def of_another_host(self):
        return self._make("other", "sap.example", "CA:FALSE", self.authority, "DNS:sap.example")

    def self_signed(self):
        return self._make("self", "127.0.0.1", "CA:FALSE", None)

    def expired(self):
        """Valid for no day at all, since yesterday."""
        return self._make("expired", "127.0.0.1", "CA:FALSE", self.authority, dates=("-days", "-1"))
