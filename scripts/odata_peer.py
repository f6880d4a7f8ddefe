#!/usr/bin/env python3
"""An OData server nobody in this project wrote (SAP CAP), as the other side of an ERP sync.

Usage: odata_peer.py [PORT] [--orders 10000] [--install] [--plain] [--fault 502:20] [--delay-ms 0]
           serves http://127.0.0.1:PORT/b1s/v2 in the foreground (port 4004 by default), with the manners of a Service
           Layer: login (manager, manager, any company), cookies, lines as a property. --plain leaves these away.

Its Service Layer manners write "+" for the blanks of a $filter that comes with lines, which CAP refuses; the copy is mended.

The server lies in peers/odata-cap of MILLRACE_SHARED (default ../shared). It is copied to MILLRACE_PEER (default
~/.cache/millrace-bench/odata-cap) and installed there once, which takes minutes.
"""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("MILLRACE_SHARED", ROOT.parent / "shared"))
FOLDER = pathlib.Path(os.environ.get("MILLRACE_PEER", pathlib.Path.home() / ".cache/millrace-bench/odata-cap"))
USER = PASSWORD = "manager"
MANNERS = {"PEER_B1": "1", "PEER_LOGIN": "1"}


def missing():
    """Why the peer cannot run here, "" when it can."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not installed"
    if not installed() and not (SHARED / "peers/odata-cap").is_dir():
        return "the OData peer is not here (MILLRACE_SHARED, MILLRACE_PEER)"
    return ""


def installed():
    return (FOLDER / "node_modules/@sap/cds/bin/serve.js").exists() and (FOLDER / "node_modules/better-sqlite3/build/Release/better_sqlite3.node").exists()


def mend():
    """Blanks of a rewritten query stay %20: the server itself reads "+" as a plus."""
    server = FOLDER / "server.js"
    text = server.read_text()
    mended = text.replace("req.url = req.path + '?' + q\n", "req.url = req.path + '?' + q.toString().replaceAll('+', '%20')\n")
    if mended != text:
        server.write_text(mended)


def install():
    if installed():
        return mend()
    print(f"==> installing the OData peer into {FOLDER}; this takes minutes, once", file=sys.stderr, flush=True)
    if not FOLDER.is_dir():
        unfinished = FOLDER.with_name(FOLDER.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(SHARED / "peers/odata-cap", unfinished)
        unfinished.rename(FOLDER)
    subprocess.run(["nice", "-n", "10", "npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, stdout=sys.stderr)
    mend()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """The running server; `with Peer(orders=10000) as peer: peer.url`."""

    def __init__(self, orders=10_000, port=None, manners=True, environment=None):
        install()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/b1s/v2"
        wanted = {"PORT": str(self.port), "HOST": "127.0.0.1", "PEER_ORDERS": str(orders), **(MANNERS if manners else {}), **(environment or {})}
        self.process = subprocess.Popen(["node", "node_modules/@sap/cds/bin/serve.js"], cwd=FOLDER, env={**os.environ, **wanted},
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "server listening" in line:
                return
        self.process.wait()
        raise RuntimeError("the OData peer did not start:\n" + "".join(said[-20:]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process.stdout.close()

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body; the path begins at the server's root."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers={"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def calls(self):
        """Calls the server has answered; asking for them is none."""
        return json.loads(self.ask("GET", "/peer/stats")[2])["calls"]

    def cookie(self):
        """A session, as the value of a Cookie header."""
        status, headers, body = self.ask("POST", "/b1s/v2/Login", {"CompanyDB": "PEER", "UserName": USER, "Password": PASSWORD})
        if status != 200:
            raise RuntimeError(f"the OData peer refused the login: {status} {body[:200]}")
        return "; ".join(value.split(";", 1)[0] for value in headers.get_all("Set-Cookie"))

    def cpu(self):
        """CPU seconds the server has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("port", nargs="?", type=int, default=4004)
    options.add_argument("--orders", type=int, default=10_000)
    options.add_argument("--install", action="store_true", help="install and end")
    options.add_argument("--plain", action="store_true", help="as the OData server it is, without login")
    options.add_argument("--fault", default="", metavar="STATUS:N", help="every Nth call is answered by that status")
    options.add_argument("--delay-ms", type=int, default=0)
    options = options.parse_args()
    if why := missing():
        print(f"odata_peer.py: {why}", file=sys.stderr)
        return 2
    install()
    if options.install:
        return 0
    extra = {"PEER_DELAY_MS": str(options.delay_ms)} if options.delay_ms else {}
    extra |= {"PEER_FAULT": options.fault} if options.fault else {}
    with Peer(options.orders, options.port, not options.plain, extra) as peer:
        print(peer.url, flush=True)
        try:
            for line in peer.process.stdout:
                print(line, end="", file=sys.stderr)
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
