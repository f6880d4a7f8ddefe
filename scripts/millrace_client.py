"""A small client of a running Millrace for scripts and scenarios: starts the program, HTTP, WebSocket, waiting.

Standard library only. Nothing here sleeps for a fixed time: `wait_for` asks again until a condition holds.
"""
import base64
import http.client
import json
import os
import re
import select
import socket
import struct
import subprocess
import threading
import time


class Millrace:
    """The real program serving `orders`; `with Millrace(binary, data, [orders]) as m: m.get("/api/v1/orders")`."""

    def __init__(self, binary, data, orders=(), command="serve", arguments=(), environment=None, listening=False):
        """Returns when its own address is printed (an ERP's may stand before), which is after the first look at the folders; with `listening` when it listens."""
        self._address = re.compile(r"(?:→ https?://|\"listening\".*\"address\":\")[^\"\s]*:(\d+)" if listening else r"→ https?://\S*:(\d+)")
        words = [str(binary), command, "--data", str(data), "--listen", "127.0.0.1:0"]
        for folder in orders:
            words += ["--orders", str(folder)]
        self.process = subprocess.Popen(words + list(arguments), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        env=dict(os.environ, **(environment or {})))
        self.lines = []
        self.port = None
        self._printed = threading.Condition()
        self._silent = False  # its last line was read: it has ended, or closed stderr
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        with self._printed:
            if not self._printed.wait_for(lambda: self.port or self._silent, timeout=600) or not self.port:
                self.stop()
                raise RuntimeError("millrace did not start:\n" + "\n".join(self.lines))

    def _read_stderr(self):
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "replace").rstrip()
            found = self._address.search(line)
            with self._printed:
                self.lines.append(line)
                if found and not self.port:
                    self.port = int(found.group(1))
                self._printed.notify_all()
        with self._printed:
            self._silent = True
            self._printed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, patience=20):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.request("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path} answered {status}: {body[:400]!r}")
        return json.loads(body)

    def post(self, path, body=b""):
        status, _, answer = self.request("POST", path, body)
        return status, json.loads(answer)

    def wait_for(self, condition, what, patience=30):
        """Asks `condition()` again and again until it answers something true, which is the answer."""
        deadline = time.monotonic() + patience
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {patience} s in vain: {what}")
            select.select([], [], [], 0.02)

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return 0

    def live(self, *subscriptions):
        return LiveSocket(self.port, subscriptions)


class LiveSocket:
    """/api/v1/live as a WebSocket (RFC 6455, client side, text only)."""

    def __init__(self, port, subscriptions=()):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise AssertionError(head.decode("latin-1"))
        for number, topic in enumerate(subscriptions):
            self.send({"op": "sub", "id": str(number), "topic": topic})

    def _fill(self):
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionError("the live connection was closed")
        self.buffer += more

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def send(self, message):
        self._send(1, json.dumps(message).encode())

    def _send(self, opcode, payload):
        mask = os.urandom(4)
        head = struct.pack("!B", 0x80 | opcode)
        if len(payload) < 126:
            head += struct.pack("!B", 0x80 | len(payload))
        else:
            head += struct.pack("!BH", 0x80 | 126, len(payload))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self, timeout=30):
        """The next message, None when none came in time."""
        message = b""
        while True:
            self.socket.settimeout(timeout)
            try:
                first, second = self._take(2)
            except (TimeoutError, socket.timeout):
                return None
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self._take(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._take(8))
            payload = self._take(length)
            if first & 0x0F == 9:
                self._send(10, payload)
                continue
            if first & 0x0F == 8:
                raise ConnectionError(f"closed by the server: {payload!r}")
            message += payload
            if first & 0x80:
                return json.loads(message)

    def wait_for(self, op, timeout=30):
        """The next message of this kind; what came before it is passed over."""
        while (message := self.receive(timeout)) is not None:
            if message["op"] == op:
                return message
        raise AssertionError(f"no {op} on the live connection after {timeout} s")

    def close(self):
        self.socket.close()
