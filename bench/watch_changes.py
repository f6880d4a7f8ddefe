#!/usr/bin/env python3
"""A live client for the change-to-visible bar: serves a tree, prints READY, then one line per change it is told of.

Usage: watch_changes.py --binary build/release/millrace --orders DIR

A line holds the order rows of one delta as JSON, so whoever changed a file finds the new customer reference in it: the
change was parsed, committed and pushed to a subscriber. Ends with SIGTERM.
"""
import argparse
import json
import pathlib
import signal
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from millrace_client import Millrace  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/release/millrace"))
    parser.add_argument("--orders", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as data, Millrace(options.binary, data, [options.orders]) as server:
        server.wait_for(lambda: server.get("/api/v1/sources")["data"][0]["refresh"]["count"] > 0, "the first look at the folder", patience=120)
        live = server.live("orders")
        while live.receive()["op"] != "subscribed":
            pass
        print("READY", flush=True)
        while True:
            message = live.receive(timeout=None)
            if message["op"] == "delta":
                print(json.dumps(message.get("rows", [])), flush=True)


if __name__ == "__main__":
    main()
