"""Whether an ERP sync is exact: our copy beside the peer's whole answer, kills, changes, and calls as the peer counts them.

Used by erp_peer.py. Amounts are decimals from their text on both sides; every check is yes or no with what was seen.
"""
import dataclasses
import decimal
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from millrace_client import Millrace  # noqa: E402

PAGE = 1_000
WAIT = 120  # seconds for anything that ends by itself


@dataclasses.dataclass
class Verdict:
    name: str
    holds: bool
    seen: str


# ---- the peer's book beside ours -------------------------------------------------------------------------------------


def whole_book(peer, cookie):
    """Every order with its lines as the peer says them, by DocEntry; numbers are decimals."""
    book, key = {}, 0
    while True:
        path = f"/b1s/v2/Orders?$top={PAGE}&$orderby=DocEntry&$filter=DocEntry%20gt%20{key}"
        status, _, body = peer.ask("GET", path, headers={"Cookie": cookie, "B1S-PageSize": str(PAGE)})
        if status != 200:
            raise RuntimeError(f"the OData peer answered {status} to a page: {body[:200]}")
        rows = json.loads(body, parse_float=decimal.Decimal, parse_int=int)["value"]
        if not rows:
            return book
        book |= {row["DocEntry"]: row for row in rows}
        key = rows[-1]["DocEntry"]


def plain(number):
    """A decimal in its one spelling."""
    text = format(decimal.Decimal(number), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def cents(amount):
    return int(decimal.Decimal(amount).scaleb(2).quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP))  # half away from zero


def status_of(order):
    return "Cancelled" if order["Cancelled"] == "tYES" else "Open" if order["DocumentStatus"] == "bost_Open" else "Closed"


def expected_line(order, line):
    """A line as `millrace export lines` has to write it: open only where order and line are, open amount by quantity."""
    is_open = status_of(order) == "Open" and line["LineStatus"] == "bost_Open"
    ordered, rest = decimal.Decimal(line["Quantity"]), decimal.Decimal(line["RemainingOpenQuantity"]) if is_open else decimal.Decimal(0)
    total = decimal.Decimal(cents(line["LineTotal"]))
    open_amount = (total * rest / ordered).quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP) if ordered else decimal.Decimal(0)
    return (str(line["LineNum"] + 1), line["ItemCode"] or "", line["ItemDescription"] or "", line["WarehouseCode"] or "", plain(ordered), plain(rest),
            plain(line["Price"]), int(total), int(open_amount), line["ShipDate"] or "")


def expected(book, flagged=frozenset()):
    """The peer's book in the shape of `our_book`. Of an order that is flagged because its total disagrees with its lines the lines count."""
    answer = {}
    for entry, order in book.items():
        lines = sorted(expected_line(order, line) for line in order["DocumentLines"])
        total = cents(order["DocTotal"])
        if str(order["DocNum"]) in flagged:
            total = sum(cents(line["LineTotal"]) for line in order["DocumentLines"]) + cents(order["VatSum"])
        answer[str(order["DocNum"])] = (status_of(order), order["CardCode"], order["CardName"], order["NumAtCard"] or "", order["DocCurrency"],
                                        order["DocDate"], order["DocDueDate"], total, cents(order["VatSum"]),
                                        f"{status_of(order)}/Orders({entry})", tuple(lines))
    return answer


def exported(binary, data, what):
    done = subprocess.run([binary, "export", what, "--format", "json", "--data", str(data)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout, parse_float=decimal.Decimal)["data"]


def our_book(binary, data):
    """Header fields and lines per order number, and the numbers of flagged orders."""
    lines = {}
    for line in exported(binary, data, "lines"):
        lines.setdefault(line["order"], []).append(
            (line["line"], line["item"], line["item_name"], line["warehouse"], line["quantity"], line["open_quantity"], line["unit_price"],
             line["line_total"]["minor"], line["open_amount"]["minor"], line["due"]))
    orders = exported(binary, data, "orders")
    return {order["order"]: (order["status"], order["customer"], order["customer_name"], order["customer_reference"], order["currency"],
                             order["order_date"], order["requested"], order["total"]["minor"], order["tax"]["minor"], order["path"],
                             tuple(sorted(lines.get(order["order"], []))))
            for order in orders}, {order["order"] for order in orders if order["flagged"]}


def check_equal(name, book, binary, data):
    ours, flagged = our_book(binary, data)
    theirs = expected(book, flagged)
    wrong = [number for number in theirs.keys() | ours.keys() if theirs.get(number) != ours.get(number)]
    seen = f"{len(theirs)} orders, {sum(len(order[-1]) for order in theirs.values())} lines, {len(wrong)} differ" + (f", {len(flagged)} flagged" if flagged else "")
    if wrong:
        seen += f"; {wrong[0]}: peer {theirs.get(wrong[0])}, ours {ours.get(wrong[0])}"
    return Verdict(name, not wrong, seen)


# ---- changes ---------------------------------------------------------------------------------------------------------


def change_orders(peer, cookie, book, count, dice):
    """Another reference for `count` orders; where an order is open, half of the time only its version tells."""
    for entry in dice.sample(sorted(book), count):
        order = book[entry]
        change = {"NumAtCard": f"changed {dice.randrange(10**9)}", "DataVersion": order["DataVersion"] + 1}
        if order["DocumentStatus"] != "bost_Open" or dice.random() < 0.5:
            change |= {"UpdateDate": time.strftime("%Y-%m-%d", time.gmtime()), "UpdateTime": time.strftime("%H:%M:%S", time.gmtime())}
        status, _, body = peer.ask("PATCH", f"/b1s/v2/Orders({entry})", change, headers={"Cookie": cookie, "If-Match": "*"})
        if status != 200:
            raise RuntimeError(f"the OData peer refused a change: {status} {body[:200]}")


def mutate(peer, cookie, count, seed):
    """Its own changes: entered, closed, cancelled, delivered, lines added and removed, touched."""
    status, _, body = peer.ask("POST", "/b1s/v2/Mutate", {"n": count, "seed": seed, "deletes": 0}, headers={"Cookie": cookie})
    if status != 200:
        raise RuntimeError(f"the OData peer refused to change orders: {status} {body[:200]}")


def remove_open(peer, cookie, book, count, dice):
    for entry in dice.sample(sorted(entry for entry, order in book.items() if order["DocumentStatus"] == "bost_Open"), count):
        status, _, body = peer.ask("DELETE", f"/b1s/v2/Orders({entry})", headers={"Cookie": cookie, "If-Match": "*"})
        if status != 204:
            raise RuntimeError(f"the OData peer refused to remove order {entry}: {status} {body[:200]}")


def differing(before, after):
    """How many orders of the two books are not the same, in what we keep of them."""
    before, after = expected(before), expected(after)
    return sum(before.get(number) != after.get(number) for number in before.keys() | after.keys())


def check_changes(peer, cookie, sync, binary, data, seed):
    """After n changes n rows are written, and the quiet sync behind them writes none."""
    dice, verdicts = random.Random(seed), []
    book = whole_book(peer, cookie)

    def step(name, change):
        nonlocal book
        change()
        after = whole_book(peer, cookie)
        wanted, done = differing(book, after), sync()
        book = after
        wrote = done["rows_written"] + done["rows_gone"]
        verdicts.append(Verdict(f"{name}: rows written == orders changed", wrote == wanted, f"{wanted} changed, {wrote} written, {done['calls']} calls"))

    for count in (1, 7, 100):
        step(f"{count} changed", lambda: change_orders(peer, cookie, book, count, dice))
    step("100 of every kind", lambda: mutate(peer, cookie, 100, seed))
    step("3 removed", lambda: remove_open(peer, cookie, book, 3, dice))
    step("nothing changed", lambda: None)
    verdicts.append(check_equal("after all changes every order, line and amount is equal", book, binary, data))
    return verdicts


# ---- kills -----------------------------------------------------------------------------------------------------------


class Witness:
    """Between us and the peer: passes everything on and remembers which pages were asked for and answered whole."""

    def __init__(self, peer):
        self.asked, self.answered = [], []  # keys behind which a page of whole rows was asked
        self.changed = threading.Condition()
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                after = witness.page_of(self.path)
                witness.note(witness.asked, after)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                upstream = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=WAIT)
                try:
                    upstream.request(self.command, self.path, body or None, {name: value for name, value in self.headers.items() if name.lower() != "host"})
                    answer = upstream.getresponse()
                    content = answer.read()
                finally:
                    upstream.close()
                try:
                    self.send_response_only(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in ("content-length", "transfer-encoding", "connection", "keep-alive"):
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True  # it was killed meanwhile
                    return
                witness.note(witness.answered, after)

            do_GET = do_POST = pass_on

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                if not isinstance(sys.exc_info()[1], ConnectionError):  # who is killed resets its connections
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/b1s/v2"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def page_of(path):
        """The key behind which whole rows are asked for; None for any other call."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        if not path.split("?")[0].endswith("/Orders") or "$select" in query:
            return None
        found = re.fullmatch(r"DocEntry gt (\d+)", query.get("$filter", ["DocEntry gt 0"])[0])
        return int(found.group(1)) if found else None

    def note(self, where, after):
        if after is None:
            return
        with self.changed:
            where.append(after)
            self.changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def kill_somewhere(witness, argv, dice, pages):
    """One sync that is killed after a random page was asked for or answered, a random moment later."""
    which, page = dice.choice(["asked", "answered"]), dice.randrange(1, pages)
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with witness.changed:
            reached = witness.changed.wait_for(lambda: len(getattr(witness, which)) >= page, timeout=WAIT)
        time.sleep(dice.random() * 0.15)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    if not reached:
        raise RuntimeError(f"page {page} of the first sync was never {which}")
    return f"page {page} {which}"


def check_kills(peer, cookie, sync_words, binary, folder, seed, kills):
    """kill -9 in a first sync, and the sync that goes on: what is read twice, and whether it is all there."""
    dice, verdicts = random.Random(seed), []
    book = whole_book(peer, cookie)
    pages = -(-len(book) // PAGE)
    for turn in range(kills):
        data = folder / f"killed-{turn}"
        data.mkdir()
        with Witness(peer) as witness:
            argv = sync_words(witness.url, data)
            where = kill_somewhere(witness, argv, dice, pages)
            with witness.changed:
                asked, answered, held = set(witness.asked), set(witness.answered), len(exported(binary, data, "orders"))
                witness.asked.clear()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WAIT)
            again = set(witness.asked)
        committed = {key for key in asked if key + PAGE <= held}  # keys of the peer's book count up from 1
        verdicts.append(Verdict(f"killed at {where}: at most one page is read twice", len(again & answered) <= 1 and not again & committed,
                                f"{held} orders were durable; read twice {sorted(again & answered)}, on its way {sorted(again & (asked - answered))}"))
        verdicts.append(check_equal(f"killed at {where}: then every order is there", book, binary, data))
    return verdicts


# ---- a running server ------------------------------------------------------------------------------------------------


def service_of(server):
    return next(source for source in server.get("/api/v1/sources")["data"] if source["id"] == "peer")


def check_server(peer, binary, config, data, record_files, wanted):
    """Quiet syncs of a server that keeps its session: calls as it says and as the peer counts, and not a byte of the record."""
    with Millrace(binary, data, command="serve", arguments=["--config", str(config)]) as server:
        server.wait_for(lambda: service_of(server)["refresh"]["count"] >= 1, "the first sync of the server", WAIT)
        seen, holds = [], True
        for _ in range(3):
            before, files, theirs = service_of(server), record_files(data), peer.calls()
            server.request("POST", "/api/v1/sources/peer/refresh")
            server.wait_for(lambda: service_of(server)["refresh"]["count"] > before["refresh"]["count"], "a sync that was asked for", WAIT)
            theirs, after = peer.calls() - theirs, service_of(server)
            ours = {kind["kind"]: kind["calls"] for kind in after["service"]["calls"]}
            for kind in before["service"]["calls"]:
                ours[kind["kind"]] -= kind["calls"]
            ours = {kind: calls for kind, calls in ours.items() if calls}
            same = record_files(data) == files
            seen.append(f"{theirs} calls {ours}" + ("" if same else ", the record changed"))
            holds &= same and sum(ours.values()) == theirs and theirs - ours.get("slice", 0) <= wanted
    return [Verdict(f"quiet syncs of a running server: at most {wanted} calls beside the slice, counted alike, 0 bytes of the record", holds, "; ".join(seen))]
