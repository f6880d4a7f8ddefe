"""A crowd of bad clients, each kind from a loopback address of its own, and the probe of an honest one."""
import socket
import struct
import threading
import time

import http_cases
from raw_client import Raw

HEADS, BODIES, READS, RESETS = 400, 300, 300, 300


class Crowd:
    """Slow heads, slow bodies and slow readers that stay, and resets again and again until `end`."""

    def __init__(self, port):
        self.port = port
        self.resets = 0
        self._ended = threading.Event()
        self.heads = [self._slow("127.0.1.2", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ") for _ in range(HEADS)]
        body = http_cases.post(b"Content-Length: 100000\r\n")
        self.bodies = [self._slow("127.0.1.3", body) for _ in range(BODIES)]
        large = http_cases.get(target=b"/api/v1/orders.csv") * 3
        self.reads = [self._slow("127.0.1.4", large, receive_buffer=1024) for _ in range(READS)]
        self._threads = [threading.Thread(target=self._trickle), threading.Thread(target=self._reset)]
        for thread in self._threads:
            thread.start()

    def _slow(self, source, data, receive_buffer=0):
        raw = Raw(self.port, source=source, receive_buffer=receive_buffer, patience=20)
        raw.send(data)
        return raw

    def _trickle(self):
        while not self._ended.wait(0.5):
            for raw in self.heads + self.bodies:
                raw.send(b"x")

    def _reset(self):
        while not self._ended.is_set() or self.resets < RESETS:
            try:
                raw = Raw(self.port, source="127.0.1.5")
                raw.send(http_cases.get(target=b"/api/v1/orders") if self.resets % 2 else b"GET /li")
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raw.socket.close()
            except OSError:
                pass  # refused because too many of its kind are open: that is right too
            self.resets += 1
            if self.resets >= RESETS:
                self._ended.wait(0.01)

    def end(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for raw in self.heads + self.bodies + self.reads:
            raw.socket.close()


def probe(port, count):
    """Milliseconds of requests that an honest client makes, each on a connection of its own, sorted."""
    times = []
    for i in range(count):
        began = time.monotonic()
        with Raw(port) as raw:
            raw.send(http_cases.get(target=b"/api/v1/orders?limit=20" if i % 2 else b"/livez"))
            answer = raw.answer()
            assert answer.status == 200, answer
        times.append((time.monotonic() - began) * 1000)
    return sorted(times)
