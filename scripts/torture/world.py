"""What the torture loops share: arguments and seeds, the real program, a ledger of acknowledged changes, digests, the verdict.

A loop is a function `cycle(run)` that raises `Violation` when a promise is broken. `run_loop` calls it as often as asked,
shows progress, prints the seed, one line per violation and one summary line, and ends with exit code 1 when one was broken.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(pathlib.Path(__file__).resolve().parent)]
from millrace_client import Millrace  # noqa: E402
from order_tree import FIELDS, OrderTree, state_of  # noqa: E402

SETTLE_SECONDS = 30  # for a busy machine; the loops report what it took


class Violation(AssertionError):
    """A promise was broken. The text says which and how."""


class Skip(Exception):
    """This machine cannot show it. The text says what is missing."""


# ---- a loop -----------------------------------------------------------------------------------------------------------


class Run:
    """One run of a loop: its seed, folder and numbers. `rng` drives every decision of the loop."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.seed = arguments.seed
        self.rng = random.Random(arguments.seed)
        self.binary = arguments.binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-torture-", dir=arguments.folder))
        self.cycle = 0
        self.counts = {}
        self.samples = {}
        self.servers = []

    def end_servers(self):
        """Nothing outlives a violation: a server that is left alone would run, and be counted, beside the next one."""
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        self.servers.clear()

    def count(self, what, by=1):
        self.counts[what] = self.counts.get(what, 0) + by

    def sample(self, what, value):
        """A measured value; the summary shows its median and maximum."""
        self.samples.setdefault(what, []).append(value)

    def summary(self):
        parts = [f"{number} {what}" for what, number in self.counts.items()]
        for what, values in self.samples.items():
            ordered = sorted(values)
            parts.append(f"{what} p50 {ordered[len(ordered) // 2]:.0f} max {ordered[-1]:.0f}")
        return ", ".join(parts)


def arguments(description, cycles):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None, help="replays one run; the default is drawn and printed")
    parser.add_argument("--cycles", type=int, default=cycles)
    parser.add_argument("--binary", default=os.environ.get("MILLRACE_BIN", str(ROOT / "build/release/millrace")))
    parser.add_argument("--folder", default=None, help="where the loop may put its files (default: the system's temporary folder)")
    parser.add_argument("--keep", action="store_true", help="leave the files of a failed run")
    parser.add_argument("--all", action="store_true", help="go on after a violation and show all of them")
    return parser


def parse(parser, words=None):
    given = parser.parse_args(words)
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(1, 1_000_000)
    return given


def run_loop(name, given, cycle, finish=None):
    """Calls `cycle(run)` --cycles times and `finish(run)` at the end; prints the verdict and ends the program."""
    run = Run(given)
    print(f"{name}: seed {run.seed}, {given.cycles} cycles", flush=True)
    violations, began, shown = [], time.monotonic(), 0.0
    try:
        for run.cycle in range(1, given.cycles + 1):
            try:
                cycle(run)
            except Violation as violation:
                violations.append(f"cycle {run.cycle}: {violation}")
                print(f"{name}: VIOLATION in cycle {run.cycle} (seed {run.seed}): {violation}", flush=True)
                run.end_servers()
                if not given.all:
                    break
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                print(f"  {name} {run.cycle}/{given.cycles}, {shown - began:.0f} s: {run.summary()}", file=sys.stderr, flush=True)
        if finish and (given.all or not violations):
            finish(run)
    except Skip as skip:
        run.end_servers()
        print(f"{name}: SKIPPED: {skip}")
        shutil.rmtree(run.folder, ignore_errors=True)
        sys.exit(0)
    except Violation as violation:
        violations.append(str(violation))
        print(f"{name}: VIOLATION at the end (seed {run.seed}): {violation}", flush=True)
    except Exception:  # the loop itself broke: the folder is shown, and it is no pass
        traceback.print_exc()
        violations.append("the loop itself failed")
    run.end_servers()
    kept = given.keep and violations
    if not kept:
        shutil.rmtree(run.folder, ignore_errors=True)
    print(f"{name}: {f'BROKEN {len(violations)} times' if violations else 'held'} after {run.cycle} cycles, seed {run.seed}, {time.monotonic() - began:.0f} s: "
          f"{run.summary()}{'; files in ' + str(run.folder) if kept else ''}", flush=True)
    sys.exit(1 if violations else 0)


# ---- the program ------------------------------------------------------------------------------------------------------


class Server(Millrace):
    """The real program with the seconds it took from exec to ready, and the CPU seconds of that."""

    def __init__(self, run, data, orders, arguments=(), environment=None, ready=True):
        began = time.monotonic()
        super().__init__(run.binary, data, orders, arguments=arguments, environment=environment, listening=True)
        run.servers = [server for server in run.servers if server.process.poll() is None] + [self]
        self.ready_seconds = None
        if ready:
            self.wait_for(lambda: self.alive() and self.request("GET", "/readyz")[0] == 200, "ready", SETTLE_SECONDS)
            self.ready_seconds = time.monotonic() - began
            run.sample("ready ms", self.ready_seconds * 1000)
            run.sample("ready CPU ms", self.cpu_seconds() * 1000)

    def alive(self):
        if self.process.poll() is not None:
            raise Violation(f"the server ended by itself with {self.process.returncode}: " + " | ".join(self.lines[-5:]))
        return True

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def source(self):
        return self.get("/api/v1/sources")["data"][0]


def listed(server):
    """order -> (state, Sequence), and the as-of of the whole list. Every row must be a whole version of its order."""
    status, headers, body = server.request("GET", f"/api/v1/orders.ndjson?fields={FIELDS}")
    if status != 200:
        raise Violation(f"the full export answered {status}: {body[:300]!r}")
    rows = {}
    for line in body.decode().splitlines():
        row = json.loads(line)
        try:
            rows[row["order"]] = (state_of(row), row["sequence"])
        except ValueError as problem:
            raise Violation(str(problem)) from None
    return rows, int(headers["Millrace-As-Of"])


def export_digest(server, details=True):
    """A fingerprint of everything the server answers about orders and rejections: the export and each order with its lines."""
    digest = hashlib.sha256()
    for path in ("/api/v1/orders.ndjson", "/api/v1/rejections.csv"):
        status, _, body = server.request("GET", path)
        if status != 200:
            raise Violation(f"{path} answered {status}: {body[:300]!r}")
        digest.update(body)
        if details and path.endswith("ndjson"):
            for line in body.decode().splitlines():
                order = server.get("/api/v1/orders/" + json.loads(line)["order"])
                digest.update(json.dumps(order["order"], sort_keys=True).encode())
    return digest.hexdigest()


def history_digest(server):
    """A fingerprint of every change the record holds, as the server words it."""
    digest, since = hashlib.sha256(), 0
    while True:
        changes = server.get(f"/api/v1/changes?since={since}&limit=1000")["data"]
        if not changes:
            return digest.hexdigest()
        digest.update(json.dumps(changes, sort_keys=True).encode())
        since = changes[-1]["sequence"]


# Words by which the program says that its own files are damaged, in its log, its refusals and its health.
DAMAGE_WORDS = ("damage", "corrupt", "checksum", "malformed", "not a database", "restore", "rebuilt", "missing", "cannot be read",
                "another record", "older than", "disk image", "not one of millrace")


def speaks_of_damage(text):
    return any(word in text.lower() for word in DAMAGE_WORDS)


def notices_of_damage(server):
    """Where the running server says that something of its own is damaged: health, readiness, log lines."""
    notices = []
    status, _, body = server.request("GET", "/readyz")
    if status != 200:
        notices.append("readyz: " + body.decode("utf-8", "replace")[:200])
    _, _, body = server.request("GET", "/health")
    notices += [f"health: {check['name']}: {check['detail']}" for check in json.loads(body)["checks"]
                if not check["good"] and not check["name"].startswith("source")]
    notices += ["log: " + line[:200] for line in list(server.lines)
                if ('"level":"error"' in line or '"level":"warn' in line) and "source_held" not in line and speaks_of_damage(line)]
    return notices


def wait_settled(run, server, tree, patience=SETTLE_SECONDS):
    """Waits until the server shows exactly what the tree says, nothing waits to be read, and measures how long it took."""
    began, wanted, differences = time.monotonic(), tree.current(), []
    while True:
        server.alive()
        shown = {order: state for order, (state, _) in listed(server)[0].items()}
        if shown == wanted and server.source()["pending"] == 0:
            run.sample("settled ms", (time.monotonic() - began) * 1000)
            return
        if time.monotonic() - began > patience:
            differences = [f"{order}: shows {shown.get(order)}, the tree says {wanted.get(order)}"
                           for order in sorted(set(shown) | set(wanted)) if shown.get(order) != wanted.get(order)]
            raise Violation(f"not settled after {patience} s, source {server.source()}: " + "; ".join(differences[:5]))
        threading.Event().wait(0.02)


def stop_clean(server):
    code = server.stop()
    if code != 0:
        raise Violation(f"SIGTERM ended with {code}: " + " | ".join(server.lines[-5:]))


# ---- what was acknowledged ---------------------------------------------------------------------------------------------


class Ledger:
    """What the server has shown as applied: per order the index into the tree's history, and its Sequence.

    A change is acknowledged once a row or a removal arrived over the live connection (or in an answer). After a crash every
    order must be in the acknowledged state or in one whose writing began later."""

    def __init__(self, tree):
        self.tree = tree
        self.lock = threading.Lock()
        self.index = {}      # order -> index of the acknowledged state
        self.sequence = {}   # order -> Sequence of the row that showed it
        self.as_of = 0
        self.count = 0
        self.entries = []    # (monotonic ns, order, index, Sequence, as_of), for loops that look back in time
        self.problem = None

    def acknowledge(self, order, state, sequence, as_of, at_ns=None):
        history = self.tree.history_of(order)
        with self.lock:
            least = self.index.get(order, 0)
            # The first that fits is the careful reading where a state occurs twice (moved away and back).
            found = next((at for at in range(least, len(history)) if history[at] == state), None)
            if found is None:
                raise Violation(f"order {order} was shown as {state} at {as_of}, which nobody wrote after {history[least:least + 1]}")
            if found > least or order not in self.index:
                self.count += 1
                self.entries.append((at_ns or time.monotonic_ns(), order, found, sequence, as_of))
            self.index[order] = found
            if sequence is not None:
                self.sequence[order] = max(sequence, self.sequence.get(order, 0))
            self.as_of = max(self.as_of, as_of)

    def acknowledge_list(self, server):
        rows, as_of = listed(server)
        for order, (state, sequence) in rows.items():
            self.acknowledge(order, state, sequence, as_of)

    def at(self, moment_ns):
        """The ledger as it stood at a moment: only what had been shown before it."""
        past = Ledger(self.tree)
        for at, order, index, sequence, as_of in self.entries:
            if at >= moment_ns:
                continue
            past.index[order] = max(index, past.index.get(order, 0))
            if sequence is not None:
                past.sequence[order] = max(sequence, past.sequence.get(order, 0))
            past.as_of = max(as_of, past.as_of)
            past.count += 1
        return past

    def check(self, server):
        """Everything acknowledged is there or superseded by something written later; Sequences never go backwards."""
        rows, as_of = listed(server)
        if as_of < self.as_of:
            raise Violation(f"the Sequence went back: {self.as_of} was acknowledged, the server is at {as_of}")
        for order, least in self.index.items():
            history = self.tree.history_of(order)
            state, sequence = rows.get(order, (None, None))
            if state not in history[least:]:
                raise Violation(f"order {order}: {history[least]} was acknowledged, the server shows {state} "
                                f"(written afterwards: {history[least + 1:][:5]})")
            if sequence is not None and sequence < self.sequence.get(order, 0):
                raise Violation(f"order {order}: Sequence {self.sequence[order]} was acknowledged, now it is {sequence}")
        for order, (state, _) in rows.items():
            if state not in self.tree.history_of(order):
                raise Violation(f"order {order} shows {state}, which nobody ever wrote")
        return rows, as_of

    def check_history(self, server, orders):
        """The acknowledged Sequence of each of these orders is a change of that order in the record."""
        for order in orders:
            wanted = self.sequence.get(order)
            status, _, body = server.request("GET", f"/api/v1/orders/{order}/history")
            if wanted is None or status == 404:
                continue
            changes = [change["sequence"] for change in json.loads(body)["data"]] if status == 200 else []
            if wanted not in changes and (len(changes) < 50 or min(changes) <= wanted):
                raise Violation(f"order {order}: change {wanted} was acknowledged and is not in its history {changes[:8]} ({status})")


class Listener(threading.Thread):
    """Fills the ledger from the live connection until the server dies or `finish` is called."""

    def __init__(self, server, ledger):
        super().__init__(daemon=True)
        self.ledger = ledger
        self.done = False
        self.failure = None
        self.socket = server.live("orders?fields=" + FIELDS)
        self.start()

    def run(self):
        try:
            while not self.done:
                message = self.socket.receive(0.5)
                if message is not None and message.get("op") == "delta":
                    self._take(message, time.monotonic_ns())
        except (ConnectionError, OSError):
            self.socket.close()  # the server died or said goodbye, as planned; it waits for our end
        except Exception as failure:  # shown by finish()
            self.failure = failure

    def _take(self, message, at_ns):
        for row in message["rows"]:
            try:
                state = state_of(row)
            except ValueError as problem:
                raise Violation(f"live at {message['as_of']}: {problem}") from None
            self.ledger.acknowledge(row["order"], state, row["sequence"], message["as_of"], at_ns)
        for order in message["gone"]:
            self.ledger.acknowledge(order, None, None, message["as_of"], at_ns)

    def finish(self):
        self.done = True
        self.join()
        self.socket.close()
        if self.failure:
            raise self.failure
