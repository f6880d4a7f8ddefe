#!/usr/bin/env python3
"""An ERP sync beside the plain loop of the same page requests with the answers thrown away, and beside the naive way.

Usage: erp_peer.py [--binary build/release/millrace] [--rounds 3] [--orders 10000] [--kills 3] [--seed N] [--data DIR] [--json]

The other side is the OData peer (scripts/odata_peer.py) with the manners of a Service Layer. Measured in turn, round by
round; medians. Beside the times it is checked (erp_checks.py) that the sync is exact: every order, line and amount equal, what a
kill -9 reads twice, rows written after n changes, calls as the peer counts them. Exit code 1 when one of it does not hold.
  drain     curl on one connection asks for the whole book, 1,000 orders with lines a page, and throws it away
  first     `millrace sync` into an empty record: until everything is durable
  quiet     `millrace sync` again, nothing has changed: calls as the server counts them, rows written, bytes of the
            record that are not as before
  naive     the whole book in Python and SQLite, and its quiet sync, when MILLRACE_SHARED has them
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import odata_peer  # noqa: E402
from odata_peer import Peer, SHARED  # noqa: E402
from erp_checks import Verdict, check_changes, check_equal, check_kills, check_server, whole_book  # noqa: E402

PAGE = 1_000
ORDERS_URL = "{base}/Orders?$top={page}&$orderby=DocEntry&$filter=DocEntry%20gt%20{key}"
SYNC_SECONDS_MAX = 300
QUIET_CALLS_MAX = 3  # beside the slice of anti-entropy, and the login and logout of a program that ends
DISK_PAGE = 4096
FLAGGED = 6  # exit code: good, with orders somebody should look at, such as those whose totals the peer leaves behind a removed line


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def measured(argv, out=None, good=(0,)):
    """Runs to the end; wall and own CPU."""
    with open(out or os.devnull, "wb") as sink:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in argv], stdout=sink, stderr=subprocess.PIPE)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        raise RuntimeError(f"{pathlib.Path(str(argv[0])).name} {argv[1]} ended with {process.returncode}: {errors.decode('utf-8', 'replace')[-400:]}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime}


def page_urls(peer, cookie):
    """The requests of a whole book, each after the last key of the page before; learned once, outside the measurement."""
    urls, key, orders = [], 0, 0
    while True:
        url = ORDERS_URL.format(base=peer.url, page=PAGE, key=key)
        status, _, body = peer.ask("GET", url.split(str(peer.port), 1)[1], headers={"Cookie": cookie, "B1S-PageSize": str(PAGE)})
        if status != 200:
            raise RuntimeError(f"the OData peer answered {status} to a page: {body[:200]}")
        rows = json.loads(body)["value"]
        if not rows:
            return urls, orders
        urls.append(url)
        orders += len(rows)
        key = rows[-1]["DocEntry"]


def drain_job(peer, cookie, urls, folder):
    config = folder / "drain.curl"
    config.write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls))

    def job():
        before, server = peer.calls(), peer.cpu()
        found = measured(["curl", "--silent", "--fail", "--header", f"Cookie: {cookie}", "--header", f"B1S-PageSize: {PAGE}", "--config", config])
        return found | {"calls": peer.calls() - before, "server_cpu": peer.cpu() - server}

    return job


def settings_file(url, folder, streams):
    password = folder / "password"
    password.write_text(odata_peer.PASSWORD)
    password.chmod(0o600)
    config = folder / "millrace.toml"
    config.write_text(f'[source.peer]\nkind = "sap-b1"\nurl = "{url}"\ncompany = "PEER"\nuser = "{odata_peer.USER}"\npassword_file = "{password}"\n'
                      f"streams = {json.dumps(streams)}\n")
    return config


def record_files(data):
    return {file.name: file.read_bytes() for file in data.glob("record.sqlite*") if not file.name.endswith("-shm")}


def changed_bytes(before, after):
    """Bytes of the record that are not as before, in whole disk pages."""
    changed = 0
    for name in before.keys() | after.keys():
        old, new = before.get(name, b""), after.get(name, b"")
        length = max(len(old), len(new))
        changed += sum(DISK_PAGE for at in range(0, length, DISK_PAGE) if old[at:at + DISK_PAGE] != new[at:at + DISK_PAGE])
    return changed


def number(answer, name):
    """A figure of the report: at its top, or the sum over its streams."""
    if isinstance(answer.get(name), (int, float)):
        return answer[name]
    streams = answer.get("streams", [])
    rows = streams.values() if isinstance(streams, dict) else streams
    found = [row[name] for row in rows if isinstance(row.get(name), (int, float))]
    if not found:
        raise RuntimeError(f"`millrace sync --json` reports no {name}: {json.dumps(answer)[:300]}")
    return sum(found)


def sync_words(binary, config, data):
    return ["timeout", str(SYNC_SECONDS_MAX), binary, "sync", "peer", "--config", str(config), "--data", str(data), "--json"]


def sync_job(binary, peer, config, data, fresh, folder):
    def job():
        if fresh:
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
        before, calls, server = ({} if fresh else record_files(data)), peer.calls(), peer.cpu()
        out = folder / "sync.json"
        found = measured(sync_words(binary, config, data), out=out, good=(0, FLAGGED))
        answer = json.loads([line for line in out.read_text().splitlines() if line.startswith("{")][-1])
        found |= {"calls": peer.calls() - calls, "server_cpu": peer.cpu() - server, "rows_written": number(answer, "rows_written")}
        found |= {"rows_gone": number(answer, "rows_gone"), "calls_told": answer["calls"]}
        found |= {f"calls_{kind['kind']}": kind["calls"] for kind in answer["calls_by_kind"]}
        if isinstance(answer.get("memory_peak_bytes"), int):
            found["memory_mb"] = answer["memory_peak_bytes"] / (1 << 20)
        if not fresh:
            found["changed_bytes"] = changed_bytes(before, record_files(data))
        return found

    return job


def naive_job(peer, folder, plain, quiet):
    """S1's sync of ../shared against a peer without login; the quiet one follows a first one."""
    program = SHARED / "perf/sync/naivesync.py"
    database = folder / "naive.db"

    def job():
        if not quiet:
            for suffix in ("", "-wal", "-shm"):
                database.with_name(database.name + suffix).unlink(missing_ok=True)
        before = plain.calls()
        words = [sys.executable, program, plain.url, database, "--today", "2026-01-15", "--page", "20" if quiet else str(PAGE)]
        found = measured(words if quiet else words + ["--all"], out=folder / "naive.json")
        written = json.loads((folder / "naive.json").read_text())["rows_written"]
        return found | {"calls": plain.calls() - before, "rows_written": written}

    return job


def check_calls(got):
    """Of all rounds: what we say of our calls, and what a quiet sync does."""
    syncs, quiet = got["first"] + got["quiet"], got["quiet"]
    beside = [one["calls"] - one.get("calls_slice", 0) - one.get("calls_login", 0) for one in quiet]
    return [Verdict("the calls we tell are the calls the peer counted", all(one["calls_told"] == one["calls"] for one in syncs),
                    ", ".join(f"{one['calls_told']:.0f} = {one['calls']:.0f}" for one in syncs)),
            Verdict(f"a quiet sync: at most {QUIET_CALLS_MAX} calls beside the slice, the login and the logout", max(beside) <= QUIET_CALLS_MAX,
                    ", ".join(f"{all_calls['calls']} in all, {rest} beside" for all_calls, rest in zip(quiet, beside))),
            Verdict("a quiet sync writes no row and changes no byte of the record", not any(one["rows_written"] or one["changed_bytes"] for one in quiet),
                    ", ".join(f"{one['rows_written']} rows, {one['changed_bytes']} bytes" for one in quiet))]


def check(options, folder, peer, cookie, binary, config, data, got):
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    say(f"checks with --seed {seed}")
    verdicts = [check_equal("after the first sync every order, line and amount is equal", whole_book(peer, cookie), binary, data)] + check_calls(got)
    say("  a running server")
    settings_file(peer.url.replace("127.0.0.1", "localhost"), folder, ["orders"])  # the client takes the first 127.0.0.1 that is printed for the server's
    verdicts += check_server(peer, binary, config, data, record_files, QUIET_CALLS_MAX)
    say(f"  {options.kills} kills")
    killed_sync = lambda url, record: sync_words(binary, settings_file(url, folder, ["orders"]), record)[2:]  # noqa: E731 - the process itself, to be killed
    verdicts += check_kills(peer, cookie, killed_sync, binary, folder, seed, options.kills)
    say("  changes")
    settings_file(peer.url, folder, ["orders"])
    verdicts += check_changes(peer, cookie, sync_job(binary, peer, config, data, False, folder), binary, data, seed)
    return verdicts


def compare(options, folder):
    binary, data = str(pathlib.Path(options.binary).resolve()), folder / "data"
    got = {}
    with Peer(options.orders) as peer, Peer(options.orders, manners=False) as plain:
        cookie = peer.cookie()
        urls, orders = page_urls(peer, cookie)  # which also warms the server up
        config = settings_file(peer.url, folder, ["orders"])
        jobs = {"drain": drain_job(peer, cookie, urls, folder),
                "first": sync_job(binary, peer, config, data, True, folder),
                "quiet": sync_job(binary, peer, config, data, False, folder)}
        if (SHARED / "perf/sync/naivesync.py").exists():
            jobs |= {"naive.first": naive_job(peer, folder, plain, False), "naive.quiet": naive_job(peer, folder, plain, True)}
        for turn in range(options.rounds):
            for name, job in jobs.items():  # a quiet sync follows its first one, so rounds are whole
                found = job()
                got.setdefault(name, []).append(found)
                say(f"  round {turn + 1} {name}: " + " ".join(f"{key} {value:.4g}" for key, value in found.items()))
        verdicts = check(options, folder, peer, cookie, binary, config, data, got)
    medians = {name: {key: statistics.median(one.get(key, 0) for one in rows) for key in rows[0]} for name, rows in got.items()}
    return {"orders": orders, "pages": len(urls), **medians, "verdicts": [vars(verdict) for verdict in verdicts]}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--orders", type=int, default=10_000)
    options.add_argument("--kills", type=int, default=3, help="first syncs that are killed and gone on with")
    options.add_argument("--seed", type=int, help="of changes and kills; printed, a random one by default")
    options.add_argument("--data", help="folder for records and settings; a temporary one by default")
    options.add_argument("--json", action="store_true")
    options = options.parse_args()
    if why := odata_peer.missing():
        print(f"erp_peer.py: {why}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        found = compare(options, pathlib.Path(folder))
    broken = [verdict for verdict in found["verdicts"] if not verdict["holds"]]
    for verdict in found["verdicts"]:
        print(f"{'holds ' if verdict['holds'] else 'BROKEN'}  {verdict['name']}: {verdict['seen']}", file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(found))
        return 1 if broken else 0
    for name in ("drain", "first", "quiet", "naive.first", "naive.quiet"):
        if name in found:
            row = found[name]
            memory = f"{row['memory_mb']:6.1f} MB" if "memory_mb" in row else " " * 9
            print(f"{name:12} {row['wall']:7.3f} s  cpu {row['cpu']:6.3f} s  {memory}  calls {row['calls']:4.0f}  rows written {row.get('rows_written', 0):6.0f}")
    print(f"first sync {found['first']['wall'] / found['drain']['wall']:.2f}x the drain; quiet sync changed {found['quiet']['changed_bytes']:.0f} bytes of the record")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
