"""Bytes to a server and the bytes that come back, for tests of what no decent client would send.

Nothing is repaired and nothing assumed: an answer that is not exactly HTTP/1.1 is an AssertionError that shows its bytes.
Standard library only.
"""
import socket
import struct


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:200]!r}"


class Raw:
    """One TCP connection; `source` is the loopback address it comes from."""

    def __init__(self, port, source="127.0.0.1", patience=8.0, receive_buffer=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind((source, 0))
        self.socket.settimeout(patience)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the server ended the connection meanwhile."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def finish_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read_more(self):
        """False at the end. Raises TimeoutError when nothing comes."""
        try:
            block = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += block
        return bool(block)

    def answer(self, bodiless=False):
        """The next answer, or None when the connection ends before one."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.read_more():
                assert self.buffer == b"", f"half an answer: {self.buffer[:200]!r}"
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), f"not an answer: {lines[0][:200]!r}"
        status = int(lines[0][9:12])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if bodiless or status in (100, 101, 204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, self._chunks())
        length = int(headers["content-length"])
        while len(self.buffer) < length:
            assert self.read_more(), "half a body"
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(status, headers, body)

    def _chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.buffer:
                assert self.read_more(), "half a body"
            size, self.buffer = self.buffer.split(b"\r\n", 1)
            size = int(size, 16)
            while len(self.buffer) < size + 2:
                assert self.read_more(), "half a body"
            body, self.buffer = body + self.buffer[:size], self.buffer[size + 2:]
            if size == 0:
                return body

    def is_ended(self):
        """Whether the server ends the connection; anything it says before is an AssertionError."""
        try:
            more = self.read_more()
        except TimeoutError:
            return False
        assert not more, f"more than one answer: {self.buffer[:200]!r}"
        return True


# ---- WebSocket (RFC 6455, client side) ---------------------------------------------------------------------------------

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def handshake(port, path="/api/v1/live", **more):
    """The opening request; a header of `more` (dashes as underscores) replaces one of ours, None leaves it out."""
    fields = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
    fields.update({name.replace("_", "-"): value for name, value in more.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join([f"GET {path} HTTP/1.1"] + lines) + "\r\n\r\n").encode("latin-1")


def frame(opcode, payload=b"", final=True, masked=True, rsv=0, length=None, form=None):
    """One frame. `length` lies about the payload; `form` forces 7, 16 or 64 bits of length."""
    size = len(payload) if length is None else length
    form = form or (7 if size < 126 else 16 if size < 65536 else 64)
    head = bytes([(0x80 if final else 0) | rsv << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    head += bytes([mask_bit | size]) if form == 7 else bytes([mask_bit | 126]) + struct.pack(">H", size) if form == 16 else bytes([mask_bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = b"\x11\x22\x33\x44"
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def closing(code, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


class WebSocket(Raw):
    def open(self, **more):
        self.send(handshake(self.socket.getpeername()[1], **more))
        answer = self.answer()
        assert answer and answer.status == 101, answer
        return self

    def frame(self):
        """(opcode, payload) of the next frame, or None at the end."""
        def have(count):
            while len(self.buffer) < count:
                if not self.read_more():
                    return False
            return True
        if not have(2):
            return None
        assert self.buffer[0] & 0x70 == 0 and self.buffer[1] & 0x80 == 0, "a server neither masks nor extends"
        size, at = self.buffer[1] & 0x7F, 2
        if size >= 126:
            wide = 8 if size == 127 else 2
            if not have(2 + wide):
                return None
            size, at = int.from_bytes(self.buffer[2:2 + wide], "big"), 2 + wide
        if not have(at + size):
            return None
        opcode, payload = self.buffer[0] & 0x0F, self.buffer[at:at + size]
        self.buffer = self.buffer[at + size:]
        return opcode, payload

    def until(self, *opcodes):
        """The next frame of these kinds; texts and pings of the server are passed over."""
        while True:
            got = self.frame()
            if got is None or got[0] in opcodes:
                return got

    def close_code(self):
        """The code of the close frame that comes; 1005: a close frame without one; None: the end without a close frame."""
        got = self.until(CLOSE)
        if got is None:
            return None
        return 1005 if not got[1] else int.from_bytes(got[1][:2], "big")
