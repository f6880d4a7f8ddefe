#!/usr/bin/env python3
"""Millrace beside the limits and the peers of this machine, measured in one run, as ratios with pass or short.

Usage: ratios.py [CELL...] [--rounds 3] [--quick] [--write docs/performance.md] [--binary build/release/millrace] [--list]

Every figure is a ratio to a limit (find, cat, pdftotext, nginx) or a peer (Fastify, Watchman, DuckDB, SQLite) measured
in the same run, the jobs of one cell interleaved round by round; the median counts. Times of two days or two machines
say nothing. A cell whose tools are missing says which, and is left out of the verdict.

Order trees come from the generator of MILLRACE_SHARED (default ../shared) when it is there, else from the demo
company; they are kept in MILLRACE_BENCH_WORK (default ~/.cache/millrace-bench). Peers run from the harness in
MILLRACE_SHARED/perf; its own set-up (PERF_WORK, default ~/.cache/millrace-perf) must have been run once.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("MILLRACE_SHARED", ROOT.parent / "shared"))
WORK = pathlib.Path(os.environ.get("MILLRACE_BENCH_WORK", pathlib.Path.home() / ".cache/millrace-bench"))
PERF_WORK = pathlib.Path(os.environ.get("PERF_WORK", pathlib.Path.home() / ".cache/millrace-perf"))
sys.path.insert(0, str(ROOT / "scripts"))
import erp_simulator  # noqa: E402
import odata_peer  # noqa: E402
from millrace_client import Millrace  # noqa: E402


class Skipped(Exception):
    """A cell that cannot run here; the text says what is missing."""


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


# ---- the table ------------------------------------------------------------------------------------------------------


class Table:
    def __init__(self):
        self.rows = []

    def ratio(self, what, ours, against, theirs, bar, moonshot=None, unit="s"):
        """One bar as a ratio: ours over theirs, at most `bar`."""
        self._add(what, f"{ours:.4g} {unit}", f"{against} {theirs:.4g} {unit}", ours / theirs if theirs else float("inf"), bar, moonshot, "x")

    def at_least(self, what, ours, against, theirs, bar, moonshot=None, unit="/s"):
        self._add(what, f"{ours:.4g} {unit}", f"{against} {theirs:.4g} {unit}", ours / theirs if theirs else float("inf"), bar, moonshot, "x", least=True)

    def absolute(self, what, ours, bar, moonshot=None, unit=""):
        self._add(what, f"{ours:.4g} {unit}".strip(), "", ours, bar, moonshot, unit)

    def _add(self, what, ours, against, value, bar, moonshot, unit, least=False):
        holds = (lambda limit: value >= limit) if least else (lambda limit: value <= limit)
        verdict = "short" if not holds(bar) else "moonshot" if moonshot is not None and holds(moonshot) else "pass"
        sign = "≥" if least else "≤"
        row = {"what": what, "ours": ours, "against": against.replace("|", "\\|"), "value": f"{value:.3g}{'x' if unit == 'x' else ' ' + unit if unit else ''}",
               "bar": f"{sign} {bar:g}" + (f" ({moonshot:g})" if moonshot is not None else ""), "verdict": verdict}
        self.rows.append(row)
        say(f"    {verdict:8} {what}: {row['value']} (bar {row['bar']})")

    def skipped(self, cell, why):
        self.rows.append({"what": cell, "ours": "", "against": why, "value": "", "bar": "", "verdict": "not run"})
        say(f"    not run: {why}")

    def text(self):
        names = ("what", "ours", "against", "value", "bar", "verdict")
        heads = ("what", "Millrace", "limit or peer", "ratio", "bar (moonshot)", "verdict")
        width = [max(len(h), *(len(r[n]) for r in self.rows)) if self.rows else len(h) for n, h in zip(names, heads)]
        lines = ["| " + " | ".join(h.ljust(w) for h, w in zip(heads, width)) + " |", "|" + "|".join("-" * (w + 2) for w in width) + "|"]
        lines += ["| " + " | ".join(r[n].ljust(w) for n, w in zip(names, width)) + " |" for r in self.rows]
        return "\n".join(lines)


# ---- measuring ------------------------------------------------------------------------------------------------------


def machine_busy():
    """CPU seconds all cores worked so far."""
    user, nice, system, _, _, irq, soft = map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def run(argv, out=None, env=None):
    """Runs to the end; wall seconds, and CPU seconds of the whole machine meanwhile: what a sandbox leaves to init when
    it is ended is in no process' account."""
    sink = open(out, "wb") if out else subprocess.DEVNULL
    busy, began = machine_busy(), time.monotonic()
    process = subprocess.Popen([str(word) for word in argv], stdout=sink, stderr=subprocess.DEVNULL, env={**os.environ, **(env or {})}, start_new_session=True)
    code = process.wait()
    wall = time.monotonic() - began
    if out:
        sink.close()
    return {"wall": wall, "cpu": machine_busy() - busy, "code": code}


def interleave(jobs, rounds):
    """Round r starts with job r, so that none always follows the same one. Medians by name."""
    names, got = list(jobs), {name: [] for name in jobs}
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            answer = jobs[name]()
            got[name].append(answer)
            say(f"  round {turn + 1} {name}: " + " ".join(f"{key} {value:.4g}" for key, value in answer.items() if isinstance(value, (int, float))))
    return {name: {key: statistics.median(one[key] for one in answers) for key in answers[0] if isinstance(answers[0][key], (int, float))}
            for name, answers in got.items()}


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Skipped("not installed: " + ", ".join(missing))


def need_harness():
    if not (SHARED / "perf").is_dir():
        raise Skipped("the peers' harness is not here (MILLRACE_SHARED)")
    if not (PERF_WORK / "npm").is_dir() or not (PERF_WORK / "http/truth.json").exists():
        raise Skipped(f"run {SHARED.name}/perf/setup.sh once (PERF_WORK)")


def harness(script, *words, name, environment=None, timeout=1800):
    """Runs one script of the harness and answers the results it saved."""
    saved = PERF_WORK / "results" / f"{name}.json"
    saved.unlink(missing_ok=True)
    # The paths of our routes must not reach the peers' load script through the environment.
    program = ("import sys; p = sys.argv[1]; sys.argv = sys.argv[1:]; t = open(p).read()"
               ".replace(\"ENV[k] = {}\", \"ENV[k] = {'PATH_' + n.upper(): v for n, v in DEF.items()}\");"
               "exec(compile(t, p, 'exec'), {'__file__': p, '__name__': '__main__'})")
    done = subprocess.run([sys.executable, "-c", program, str(SHARED / "perf" / script), *map(str, words)],
                          env={**os.environ, "PERF_WORK": str(PERF_WORK), **(environment or {})}, stdout=sys.stderr, timeout=timeout)
    if done.returncode != 0 or not saved.exists():
        raise RuntimeError(f"{script} ended with {done.returncode}; see above")
    return json.loads(saved.read_text())


def http_paths():
    """The harness' three questions in the words of our routes: PATH_LIST, PATH_ORDER, PATH_PENDING."""
    text = (ROOT / "bench/http_reads/paths.sh").read_text()
    return dict(re.findall(r"^export (PATH_\w+)='([^']*)'", text, re.MULTILINE))


def http_questions(count):
    """The mix of the harness' HTTP questions, drawn with one seed."""
    truth = json.loads((PERF_WORK / "http/truth.json").read_text())
    templates = http_paths()
    rng, paths = random.Random(3), []
    for _ in range(count):
        dice, customer, status = rng.random(), rng.choice(truth["customers"]), rng.choice(["open", "closed", ""])
        if dice < 0.6:
            paths.append(templates["PATH_LIST"].format(status=status, customer=customer, page=1))
        elif dice < 0.7:
            paths.append(templates["PATH_LIST"].format(status=status, customer="", page=rng.randint(1, 40)))
        elif dice < 0.9:
            paths.append(templates["PATH_ORDER"].format(id=rng.randint(*truth["ids"])))
        else:
            paths.append(templates["PATH_PENDING"].format(due_to=rng.choice(truth["dates"])))
    return paths


# ---- order trees ----------------------------------------------------------------------------------------------------


def demo_tree(binary, folder, orders):
    """The files of the demo company: for machines without the generator."""
    with tempfile.TemporaryDirectory(dir=WORK) as data:
        process = subprocess.Popen([binary, "demo", "--orders", str(orders), "--seed", "1", "--data", data, "--listen", "127.0.0.1:0", "--no-open"],
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        with contextlib.suppress(StopIteration):
            next(line for line in process.stderr if "http://" in line)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.move(os.path.join(data, "orders"), folder)


def json_tree(folder, orders):
    """One small JSON document per order, thirty to a folder."""
    for number in range(orders):
        place = folder / ("Open" if number % 9 == 0 else "Closed") / f"customer-{number % 700:03}" / f"{number // 21_000:02}"
        if number < 42_000 or number % 21_000 < 700:
            place.mkdir(parents=True, exist_ok=True)
        lines = [{"LineNum": line, "ItemCode": f"ITEM-{(number * 7 + line) % 900}", "ItemDescription": "Part", "Quantity": line + 1,
                  "Price": 12.5, "LineTotal": 12.5 * (line + 1)} for line in range(1 + number % 5)]
        document = {"DocNum": 100_000 + number, "CardCode": f"C{number % 700}", "CardName": f"Customer {number % 700}", "DocDate": "2026-05-04",
                    "DocDueDate": "2026-07-06", "DocCurrency": "EUR", "DocumentLines": lines}
        (place / f"SO-{100_000 + number}.json").write_text(json.dumps(document))


def tree(binary, name, orders, formats=None):
    """A folder with that many orders, made once."""
    known = PERF_WORK / "trees" / name
    if known.is_dir():
        return known
    folder = WORK / "trees" / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"making the order tree {name} ({orders} orders)")
    unfinished = folder.with_name(name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    generator = SHARED / "tools/make_order_tree.py"
    if generator.exists():
        words = [sys.executable, generator, "--out", unfinished, "--orders", str(orders), "--seed", "1", "--last-date", "2026-06-30"]
        subprocess.run([str(word) for word in words + (["--formats", formats] if formats else [])], check=True, stdout=subprocess.DEVNULL)
    elif formats == "json":
        json_tree(unfinished, orders)
    else:
        demo_tree(binary, unfinished, orders)
    unfinished.rename(folder)
    return folder


def part_of(folder, name, wanted):
    """The same tree with only the files whose suffix is `wanted`, as links to the same bytes."""
    part = WORK / "trees" / name
    if not part.is_dir():
        for base, _, files in os.walk(folder):
            place = part / os.path.relpath(base, folder)
            place.mkdir(parents=True, exist_ok=True)
            for file in files:
                if wanted(os.path.splitext(file)[1].lower()):
                    try:
                        os.link(os.path.join(base, file), place / file)
                    except OSError:  # another file system
                        shutil.copy2(os.path.join(base, file), place / file)
    return part


# ---- cells ----------------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, options):
        self.options = options
        self.binary = str(pathlib.Path(options.binary).resolve())
        self.table = Table()
        self.rounds = 1 if options.quick else options.rounds

    # -- folders

    def scan(self, folder, fresh, state=None):
        """`millrace scan` with a durable record: fresh, or started warm over what it knows."""
        state = state or WORK / "state" / folder.name

        def job():
            if fresh:
                shutil.rmtree(state, ignore_errors=True)
                state.mkdir(parents=True)
            out = WORK / "scan.out"
            result = run([self.binary, "scan", folder, "--data", state, "--json"], out=out)
            if result["code"] not in (0, 6):
                raise RuntimeError(f"millrace scan ended with {result['code']}")
            answer = json.loads([line for line in out.read_text().splitlines() if line.lstrip().startswith("{")][-1])
            result |= {key: answer[key] for key in ("orders", "lines", "net", "open")}
            return result

        return job

    def shell(self, command):
        return lambda: run(["bash", "-c", command])

    def load_cell(self, folder, name, fresh_bar, fresh_moonshot, restart_bar=3):
        path = str(folder)
        found = interleave({
            "limit.cat": self.shell(f"find '{path}' -type f -print0 | xargs -0 cat >/dev/null"),
            "limit.find+stat": self.shell(f"find '{path}' -type f -printf '%s %T@ %p\\n' >/dev/null"),
            "millrace.fresh": self.scan(folder, fresh=True),
            "millrace.restart": self.scan(folder, fresh=False),
        }, self.rounds)
        for key in ("orders", "lines", "net", "open"):
            if found["millrace.fresh"][key] != found["millrace.restart"][key]:
                raise RuntimeError(f"{name}: a restart answers other {key} than the fresh load")
        count = int(found["millrace.fresh"]["orders"])
        self.table.ratio(f"fresh load, {name} ({count} orders), durable and queryable", found["millrace.fresh"]["wall"], "find | xargs cat", found["limit.cat"]["wall"], fresh_bar, fresh_moonshot)
        self.table.ratio(f"restart, nothing changed, {name}, verified", found["millrace.restart"]["wall"], "find with stat", found["limit.find+stat"]["wall"], restart_bar, 1.2)

    def cell_load(self):
        mixed = tree(self.binary, "aw31465", 31_465)
        self.load_cell(part_of(mixed, "aw31465-no-pdf", lambda suffix: suffix != ".pdf"), "mixed tree without PDFs", 4, 1.5)
        self.load_cell(tree(self.binary, "json100k", 100_000, "json"), "100,000 JSON files", 3, 1.2)

    def cell_restart(self):
        mixed = tree(self.binary, "aw31465", 31_465)
        state = WORK / "state" / mixed.name
        self.scan(mixed, fresh=True, state=state)()
        found = interleave({"limit.find+stat": self.shell(f"find '{mixed}' -type f -printf '%s %T@ %p\\n' >/dev/null"),
                            "millrace.restart": self.scan(mixed, fresh=False, state=state)}, self.rounds + 2)
        self.table.ratio("restart, nothing changed, 31,465 mixed with PDFs, verified", found["millrace.restart"]["wall"], "find with stat", found["limit.find+stat"]["wall"], 3, 1.2)

    def cell_pdf(self):
        need("pdftotext")
        pdfs = part_of(tree(self.binary, "aw31465", 31_465), "aw31465-pdf", lambda suffix: suffix == ".pdf")
        found = interleave({
            "peer.pdftotext": self.shell(f"find '{pdfs}' -type f -print0 | xargs -0 -n 1 -P 2 sh -c 'pdftotext -layout \"$0\" - >/dev/null'"),
            "millrace.fresh": self.scan(pdfs, fresh=True),
        }, self.rounds)
        self.table.ratio(f"fresh load, {int(found['millrace.fresh']['orders'])} orders in PDFs: wall", found["millrace.fresh"]["wall"], "xargs -P2 pdftotext", found["peer.pdftotext"]["wall"], 1.1)
        self.table.ratio("the same: CPU", found["millrace.fresh"]["cpu"], "xargs -P2 pdftotext", found["peer.pdftotext"]["cpu"], 1.1, 0.35)

    # -- a slow share

    @contextlib.contextmanager
    def mounted(self, folder, trip_ms):
        program = WORK / "slowfs"
        source = SHARED / "perf/folder/slowfs.c"
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], check=True, capture_output=True, text=True).stdout.split()
            subprocess.run(["gcc", "-O2", source, "-o", program, *flags, "-lpthread"], check=True)
        mount = WORK / "slow"
        mount.mkdir(exist_ok=True)
        process = subprocess.Popen([program, mount, "-f", "-o", "max_threads=64,max_idle_threads=64"],
                                   env={**os.environ, "SLOW_SRC": str(folder), "SLOW_MS": str(trip_ms)})
        try:
            while not mount.is_mount():
                time.sleep(0.01)
            yield mount
        finally:
            subprocess.run(["fusermount3", "-u", mount], check=False)
            process.wait(30)

    def cell_slow(self):
        need("fdfind", "fusermount3", "gcc", "pkg-config")
        if not (SHARED / "perf/folder/slowfs.c").exists():
            raise Skipped("the slow file system of the harness is not here (MILLRACE_SHARED)")
        folder, state = tree(self.binary, "json5000", 5_000, "json"), WORK / "state" / "slow"

        def on_share(job):
            def go():
                with self.mounted(folder, 3) as mount:
                    return job(mount)
            return go

        found = interleave({
            "limit.64 readers": on_share(lambda m: run(["bash", "-c", f"fdfind -j 64 -t f -u -0 . '{m}' | xargs -0 -n 32 -P 64 cat >/dev/null"])),
            "limit.64 listings": on_share(lambda m: run(["fdfind", "-j", "64", "-t", "f", "-u", ".", m])),
            "millrace.fresh": on_share(lambda m: self.scan(m, fresh=True, state=state)()),
            "millrace.restart": on_share(lambda m: self.scan(m, fresh=False, state=state)()),
        }, self.rounds)
        self.table.ratio("share at 3 ms a trip, 5,000 files: fresh", found["millrace.fresh"]["wall"], "64 parallel readers", found["limit.64 readers"]["wall"], 3, 1.2)
        self.table.ratio("the same: restart, nothing changed", found["millrace.restart"]["wall"], "64 parallel listings", found["limit.64 listings"]["wall"], 3, 1.2)

    # -- change to visible

    def cell_watch(self):
        need_harness()
        need("watchman")
        product = f"{sys.executable} {ROOT}/bench/watch_changes.py --binary {self.binary} --orders {{tree}}"
        saves = 60 if self.options.quick else 200
        found = harness("watch/watch.py", "--tree", tree(self.binary, "aw31465", 31_465), "--saves", saves, "--rounds", max(1, self.rounds - 1), "--product", product, name="watch")["watch"]
        ours, peer = found["product"], found["peer.watchman-4.9"]
        self.table.ratio("change to visible (parsed, durable, pushed): p50", ours["p50"], "Watchman", peer["p50"], 1, 0.15, "ms")
        self.table.ratio("the same: p99", ours["p99"], "Watchman", peer["p99"], 2, 0.5, "ms")
        self.table.absolute("the same: changes missed", ours["missed"], 0)

    # -- HTTP

    def http_data(self):
        """The questions' data as order files, and a record that has read them."""
        state = WORK / "state" / "http"
        orders = WORK / "trees" / "http"
        if not orders.is_dir():
            subprocess.run([sys.executable, ROOT / "bench/http_reads/make_orders.py", PERF_WORK / "http/orders.db", orders], check=True)
        self.scan(orders, fresh=not (state / "record.sqlite").exists(), state=state)()
        return orders, state

    def serve_command(self, orders, state, port):
        return f"{self.binary} serve --data {state} --orders {orders} --listen 127.0.0.1:{port}"

    def cell_http(self):
        need_harness()
        need("wrk", "nginx", "node")
        orders, state = self.http_data()
        reads = ROOT / "bench/http_reads"
        seconds, rounds = (5, 1) if self.options.quick else (8, 2)
        found = harness("http/reads.py", "--seconds", seconds, "--rounds", rounds, "--only", "nginx|fastify", "--cells", "mix/64|list/64|order/64|pending/64|mix/512|open",
                        "--product-cmd", self.serve_command(orders, state, 8120), "--product-url", "http://127.0.0.1:8120", "--adapter", reads / "adapter.py", name="http", environment=http_paths(), timeout=3000)
        wrk = found["wrk"]
        mix, ours, peer, peer2, nginx = wrk["mix/64"], wrk["mix/64"]["product"], wrk["mix/64"]["peer.fastify-1"], wrk["mix/64"]["peer.fastify-2"], wrk["mix/64"]["limit.nginx-static"]
        self.table.ratio("reads, mix, 64 connections: server CPU a request", ours["cpu_us"], "Fastify", peer["cpu_us"], 0.25, None, "us")
        self.table.ratio("the same beside nginx serving files", ours["cpu_us"], "nginx", nginx["cpu_us"], 9.4, 3, "us")
        self.table.at_least("reads, mix: requests a second", ours["rps"], "Fastify, 2 workers", max(peer["rps"], peer2["rps"]), 4)
        for cell, bar in (("list", 0.2), ("order", 0.6), ("pending", 0.05)):
            self.table.ratio(f"reads, {cell}: server CPU a request", wrk[f"{cell}/64"]["product"]["cpu_us"], "Fastify", wrk[f"{cell}/64"]["peer.fastify-1"]["cpu_us"], bar, None, "us")
        many = wrk["mix/512"]["product"]
        self.table.ratio("512 connections: p99 over own p50", many["p99"], "own p50", many["p50"], 6, None, "ms")
        self.table.absolute("errors under load", sum(cell["product"]["errors"] for cell in wrk.values()), 0)
        self.table.ratio("server memory under that load (PSS)", ours["pss_mb"], "Fastify", peer["pss_mb"], 0.5, 0.25, "MB")
        self.table.ratio("open loop, 500/s: p99", found["open"]["product"]["p99"], "Fastify", found["open"]["peer.fastify-1"]["p99"], 1, None, "ms")
        self.table.absolute("open loop, 500/s: p99", found["open"]["product"]["p99"], 2, None, "ms")
        fast = self.open_loop(5_000)
        self.table.absolute("open loop, 5,000/s: p99", fast["p99"], 2, None, "ms")

    def open_loop(self, rate):
        """The mix at a fixed rate from several generators at once: one Python process cannot keep the time of 5,000 a second."""
        orders, state = self.http_data()
        paths = http_questions(20_000)
        with Millrace(self.binary, state, [orders]) as server, tempfile.TemporaryDirectory() as folder:
            workers = []
            for at in range(2):
                file = pathlib.Path(folder) / f"paths{at}"
                file.write_text("\n".join(paths[at::2]))
                words = [sys.executable, SHARED / "perf/openloop.py", f"http://127.0.0.1:{server.port}", "--rate", str(rate // 2), "--seconds", "8", "--conns", "50", "--paths", file]
                workers.append(subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True))
            answers = [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]
        if any(answer["errors"] or answer["unanswered"] for answer in answers):
            raise RuntimeError(f"open loop at {rate}/s: errors {answers}")
        return {"p99": max(answer["p99"] for answer in answers), "p50": max(answer["p50"] for answer in answers)}

    def cell_start(self):
        need_harness()
        need("node")
        orders, state = self.http_data()
        url = "http://127.0.0.1:8121" + http_paths()["PATH_ORDER"].format(id=50000)
        found = harness("start/start.py", "--rounds", self.rounds, "--product-cmd", self.serve_command(orders, state, 8121), "--product-url", url, name="start")["start"]
        ours, peer = found["product"], found["peer.fastify-1"]
        self.table.ratio("exec to first correct answer, 31,465 orders", ours["start_ms"], "Fastify", peer["start_ms"], 0.5, 0.15, "ms")
        self.table.ratio("idle memory (PSS), 31,465 orders loaded", ours["pss_mb"], "Fastify", peer["pss_mb"], 0.5, 0.2, "MB")

    # -- an ERP

    def cell_erp(self):
        need("curl")
        if why := odata_peer.missing():
            raise Skipped(why)
        found = self.lines_of([sys.executable, ROOT / "bench/erp_peer.py", "--binary", self.binary, "--rounds", self.rounds, "--json"])
        drain, first, quiet = found["drain"], found["first"], found["quiet"]
        self.table.ratio(f"ERP, first sync of {found['orders']} orders, durable", first["wall"], "the same pages thrown away (curl)", drain["wall"], 1.3, 1.1)
        self.table.absolute("the same: calls beyond the pages", first["calls"] - found["pages"], 9, 3)
        self.table.absolute("ERP, quiet sync: calls beside slice, login and logout", quiet["calls"] - quiet["calls_slice"] - quiet["calls_login"], 3, 1)
        self.table.absolute("the same: rows written", quiet["rows_written"], 0)
        self.table.absolute("the same: bytes of the record changed", quiet["changed_bytes"], 0, None, "B")
        self.table.absolute("ERP: checks of exactness that do not hold", sum(not verdict["holds"] for verdict in found["verdicts"]), 0)
        if "naive.first" in found:
            self.table.ratio("ERP, first sync: CPU", first["cpu"], "naive, Python and SQLite", found["naive.first"]["cpu"], 0.3, 0.1)
            self.table.ratio("ERP, quiet sync", quiet["wall"], "naive, Python and SQLite", found["naive.quiet"]["wall"], 0.25, 0.05)

    def simulated(self):
        if why := erp_simulator.missing():
            raise Skipped(why)

    def cell_erp_sizes(self):
        self.simulated()
        sizes = ["100", "1000", "10000"] + ([] if self.options.quick else ["100000"])
        found = self.lines_of([sys.executable, ROOT / "bench/erp_sizes.py", "--binary", self.binary, "--rounds", self.rounds, "--sizes", *sizes, "--json"])
        for size, one in found.items():
            self.table.absolute(f"ERP ({one['erp']}), {int(size):,} orders: calls of a quiet sync", one["quiet"]["calls"], 9 + 2 * int(size) // 10_000, None, "")
            self.table.absolute(f"the same: rows written after 1 % changed, beyond the {one['changed']['changed']:.0f} that did", one["changed"]["rows_written"] - one["changed"]["changed"], 0)
        ten = found["10000"]
        self.table.absolute("ERP, 10,000 orders: first sync, durable", ten["first"]["seconds"], 10, 5, "s")
        self.table.absolute("the same: quiet sync", ten["quiet"]["seconds"], 0.5, 0.1, "s")
        self.table.absolute("the same: peak memory of the first sync", ten["first"]["memory_mb"], 64, None, "MB")

    def cell_erp_live(self):
        self.simulated()
        few = ["--changes", "20", "--over", "20", "--webhooks", "50"] if self.options.quick else []
        found = self.lines_of([sys.executable, ROOT / "bench/erp_live.py", "--binary", self.binary, "--json", *few])
        interval, hook = found["interval"], found["webhook"]
        self.table.absolute(f"ERP to open screen, sync every {interval['interval_ms'] // 1000} s: the slowest beyond the interval", interval["over_interval_ms"], 300, None, "ms")
        self.table.absolute("ERP to open screen, webhook: p99", hook["p99_ms"], 150, 50, "ms")
        self.table.absolute("the same: calls a webhook", hook["calls_each"], 1)
        if "page" in found:
            self.table.absolute("ERP to the page of a browser, webhook: p99", found["page"]["p99_ms"], 150, 50, "ms")
        self.table.absolute("ERP: changes that never arrived", sum(part["missed"] for part in found.values() if isinstance(part, dict)), 0)

    def cell_erp_readers(self):
        self.simulated()
        few = ["--orders", "60000", "--phase", "1"] if self.options.quick else []
        found = self.lines_of([sys.executable, ROOT / "bench/erp_readers.py", "--binary", self.binary, "--json", *few])
        self.table.ratio(f"a page of orders during a backfill ({found['backfill_orders_per_s']:.0f} orders/s): p99", found["backfill"]["p99_ms"], "at rest", found["rest"]["p99_ms"], 1.5, 1.1, "ms")

    # -- memory, columns, screens: each has a program of its own that prints JSON

    def lines_of(self, argv, timeout=1800):
        done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True, timeout=timeout, cwd=ROOT)
        found = [line for line in done.stdout.splitlines() if line.startswith(("{", "["))]
        if not found:
            raise RuntimeError(f"{argv[1]} printed no result (exit {done.returncode})")
        return json.loads(found[-1])

    def cell_memory(self):
        orders = 100_000 if self.options.quick else 1_000_000
        found = self.lines_of([sys.executable, ROOT / "bench/memory_million.py", "--binary", self.binary, "--orders", orders, "--keep", WORK / f"million-{orders}", "--json"])
        self.table.absolute(f"{found['orders']} orders x 5 lines through ingest: RSS", found["rss_mb"], 256 * orders / 1_000_000, 128 * orders / 1_000_000, "MB")

    def cell_columns(self):
        need_harness()
        need("node")
        product = ROOT / "build/bench/bench/columnar_product"
        if not product.exists():
            raise Skipped("build/bench/bench/columnar_product is not built; run it through ./dev bench")
        orders = 200_000 if self.options.quick else 1_000_000
        found = harness("columnar/columnar.py", "--orders", orders, "--product", f"{product} {{csv}}", name="columnar", timeout=3000)["columnar"]
        ours = found.pop("product")
        for key, bar, moonshot, unit in (("A_ms", 0.5, 0.1, "ms"), ("B_ms", 0.5, 0.1, "ms"), ("C_ms", 0.5, 0.1, "ms"), ("D_ms", 1, 0.3, "ms")):
            best = min(found, key=lambda name: found[name][key])
            self.table.ratio(f"columns, question {key[0]}", ours[key], best.split(".", 1)[1], found[best][key], bar, moonshot, unit)
        self.table.ratio("columns, five lines of a random order", ours["P_us"], "SQLite", found["peer.sqlite-3.40"]["P_us"], 0.1, 0.02, "us")
        self.table.ratio("columns, load", ours["load_s"], "DuckDB", found["peer.duckdb"]["load_s"], 1, 0.5, "s")
        self.table.absolute("columns: RSS per live, updatable line with indexes", ours["bytes_per_line"], 32, 12, "B")

    def cell_cash(self):
        product = ROOT / "build/bench/bench/cash_bench"
        if not product.exists():
            raise Skipped("build/bench/bench/cash_bench is not built; run it through ./dev bench")
        found = self.lines_of([product, "--json"] + (["--quick"] if self.options.quick else []))
        for what, key in (("days, weeks and items", "plan_off"), ("parts of a bridge", "bridge_off"), ("ageing and open receivables", "ageing_off")):
            self.table.absolute(f"cash, 30 currencies, {what}: minor units off", found[key], 0)
        self.table.absolute("cash, histories in which the states of a line do not add up", found["histories_off"], 0)
        self.table.absolute("cash, bands that differ on 1, 2, 4 threads or changed one by one", found["simulation_differs"], 0)
        self.table.ratio("cash, 13 weeks simulated", found["simulation_ms"], "as many additions in the first cache", found["simulation_limit_ms"], 1, 0.5, "ms")
        self.table.absolute("the same", found["simulation_ms"], 1000, 200, "ms")
        self.table.absolute("cash, band after a document moved by 14 days, median of 50", found["change_moved_p50_ms"], 5, None, "ms")
        self.table.absolute("cash, band after a payment, median of 50", found["change_paid_p50_ms"], 5, None, "ms")
        self.table.ratio("ageing of ten million postings, one past day", found["ageing_totals_ms"], "its columns read once", found["ageing_read_ms"], 5, 1.5, "ms")
        self.table.absolute("the same", found["ageing_totals_ms"], 100, 10, "ms")
        self.table.absolute("the same by party", found["ageing_by_party_ms"], 100, 10, "ms")
        self.table.absolute("the same from the index, p99 of 200 days", found["ageing_index_p99_ms"], 100, 10, "ms")

    def cell_web(self):
        need("node", os.environ.get("CHROMIUM", "chromium"))
        words = ["node", ROOT / "web/tests/bench/web_vitals.mjs", "--json"] + (["--loads", "3", "--live-seconds", "10"] if self.options.quick else [])
        for row in self.lines_of(words):
            self.table.absolute(f"screens: {row['name']}", row["value"], row["bar"], None, row["unit"])


CELLS = ("load", "restart", "pdf", "slow", "watch", "http", "start", "erp", "erp_sizes", "erp_live", "erp_readers", "memory", "columns", "cash", "web")


def machine():
    model = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) // 1024 // 1024
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, {memory} GiB, Linux {platform.release().split('-')[0]}"


PAGE = """# Performance

The last table of `./dev bench`. Every ratio is to a limit or a peer measured in the same run, jobs interleaved, medians;
times only give the scale. `./dev bench CELL` runs one part: {cells}.

{when}, {machine}. `millrace {version}`.

{table}

How the figures are made is in `bench/ratios.py`; what was tried to reach them is in [performance-notes.md](performance-notes.md).
"""


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cells", nargs="*", metavar="CELL", help=", ".join(CELLS))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--quick", action="store_true", help="one round, smaller data: to see that the cells run")
    options.add_argument("--write", metavar="FILE", help="write the table to this page")
    options.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    options.add_argument("--list", action="store_true", help="print the names of the cells")
    options = options.parse_args()
    if options.list:
        print("\n".join(CELLS))
        return 0
    unknown = set(options.cells) - set(CELLS)
    if unknown:
        print(f"ratios.py: there is no cell {', '.join(sorted(unknown))}; there are {', '.join(CELLS)}", file=sys.stderr)
        return 2
    WORK.mkdir(parents=True, exist_ok=True)
    bench, failed = Bench(options), []
    for cell in options.cells or CELLS:
        say(f"cell {cell}")
        try:
            getattr(bench, f"cell_{cell}")()
        except Skipped as why:
            bench.table.skipped(cell, str(why))
        except (RuntimeError, OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
            bench.table.skipped(cell, f"FAILED: {type(error).__name__}: {error}")
            failed.append(cell)
    print(bench.table.text())
    if options.write:
        version = subprocess.run([bench.binary, "version"], capture_output=True, text=True).stdout.splitlines()
        page = PAGE.format(cells=", ".join(f"`{cell}`" for cell in CELLS), when=datetime.date.today().isoformat(), machine=machine(),
                           version=version[0].replace("millrace ", "") if version else "?", table=bench.table.text())
        pathlib.Path(options.write).write_text(page)
    short = sum(row["verdict"] == "short" for row in bench.table.rows)
    print(f"{sum(row['verdict'] in ('pass', 'moonshot') for row in bench.table.rows)} bars held, {short} short, {len(failed)} cells failed")
    return 1 if failed or short else 0


if __name__ == "__main__":
    sys.exit(main())
