"""What the stories share: the real program on a folder of its own, and small order documents to put there."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from millrace_client import Millrace  # noqa: E402

BINARY = os.environ.get("MILLRACE_BIN", str(ROOT / "build/release/millrace"))
# A program that watches itself keeps shadows of its memory and is slower: bounds are wider for it.
SANITIZER = os.environ.get("MILLRACE_TEST_SANITIZER", "")
MEMORY_ROOM = 8 if SANITIZER else 1


def order_json(number, total="100.00", quantity="4", opened="4", updated="2026-11-01 08:00:00", **more):
    """One sales order as SAP Business One writes it, one line; `more` replaces header fields."""
    price = f"{float(total) / float(quantity):.4f}"
    day, time = updated.split()
    document = {"DocNum": number, "DocDate": "2026-10-01", "DocDueDate": "2026-11-30", "CardCode": "C1", "CardName": "ACME GmbH",
                "DocCurrency": "EUR", "UpdateDate": day, "UpdateTime": time,
                "DocumentLines": [{"LineNum": 0, "ItemCode": "00123", "ItemDescription": "Pump", "Quantity": float(quantity),
                                   "UnitPrice": float(price), "DiscountPercent": 0.0, "LineTotal": float(total),
                                   "RemainingOpenQuantity": float(opened), "LineStatus": "bost_Open" if float(opened) else "bost_Close"}]}
    document.update(more)
    return json.dumps(document, indent=2)


CSV_HEAD = "OrderNo,CustomerCode,CustomerName,OrderDate,DueDate,Currency,LineNo,ItemCode,Quantity,OpenQuantity,UnitPrice,LineTotal,Updated"


def order_csv(*rows):
    """Rows of (number, quantity, open, price, total), one line each."""
    lines = [CSV_HEAD]
    for number, quantity, opened, price, total in rows:
        lines.append(f"{number},C2,Beta AG,2026-10-01,2026-11-30,EUR,1,P-9,{quantity},{opened},{price},{total},2026-11-01 08:00:00")
    return "\r\n".join(lines) + "\r\n"


class Story(unittest.TestCase):
    """A folder `orders`, a data folder, and the program when the story starts it."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-story-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.orders = self.folder / "orders"
        self.orders.mkdir()
        self.data = self.folder / "data"

    def write(self, name, text, age=3600):
        """Puts a file there at once, `age` seconds old."""
        path = self.orders / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("." + path.name + ".tmp")
        temporary.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        if age:
            stamp = temporary.stat().st_mtime - age
            os.utime(temporary, (stamp, stamp))
        os.rename(temporary, path)
        return path

    def serve(self, *arguments, ready=True):
        millrace = Millrace(BINARY, self.data, [self.orders], arguments=arguments)
        self.addCleanup(millrace.stop)
        if ready:
            millrace.wait_for(lambda: millrace.request("GET", "/readyz")[0] == 200, "ready")
            millrace.wait_for(lambda: self.source(millrace)["state"] in ("live", "polling", "held"), "the first look at the folder")
        return millrace

    def run_command(self, *words, input_bytes=None, environment=None):
        return subprocess.run([BINARY, *map(str, words)], capture_output=True, input=input_bytes, check=False, timeout=120,
                              env=dict(os.environ, **(environment or {})))

    @staticmethod
    def source(millrace):
        return millrace.get("/api/v1/sources")["data"][0]

    @staticmethod
    def book(millrace, fields="order,status,open_amount"):
        """The order book as short lines: "7 Open 100.00"."""
        rows = millrace.get(f"/api/v1/orders?fields={fields}&limit=1000")["data"]
        return [f"{row['order']} {row['status']} {row['open_amount']['minor'] / 100:.2f}" for row in rows]

    @staticmethod
    def rejections(millrace):
        rows = millrace.get("/api/v1/rejections")["data"]
        return sorted(f"{row['outcome']} {row['path']}" for row in rows)

    def wait_book(self, millrace, wanted):
        try:
            millrace.wait_for(lambda: self.book(millrace) == wanted, str(wanted), 15)
        except AssertionError:
            self.assertEqual(self.book(millrace), wanted)

    def wait_rejections(self, millrace, wanted):
        try:
            millrace.wait_for(lambda: self.rejections(millrace) == wanted, str(wanted), 15)
        except AssertionError:
            self.assertEqual(self.rejections(millrace), wanted)
