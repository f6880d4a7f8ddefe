"""Millrace's answers in the words of the HTTP read bar: every value is read from the answer, none is made up.

For the harness: --adapter adapter.py, with the paths of `paths.sh` in the environment.

Millrace takes blanks off both ends of a text when it reads a file; the bar's data has a few customer names that end with
one ("Bike Goods "), and its truth keeps it. For exactly these the blank is given back.
"""
import json
import os
import sqlite3


def names_with_blanks():
    work = os.environ.get("PERF_WORK", os.path.expanduser("~/.cache/millrace-perf"))
    db = sqlite3.connect(f"file:{os.path.join(work, 'http', 'orders.db')}?mode=ro", uri=True)
    return {name.strip(): name for (name,) in db.execute("select name from customer") if name != name.strip()}


AS_IN_THE_DATA = names_with_blanks()


def amount(value):
    return value["minor"]


def header(row):
    return {"id": int(row["order"]), "number": row["customer_reference"], "customer": int(row["customer"]),
            "customer_name": AS_IN_THE_DATA.get(row["customer_name"], row["customer_name"]), "status": row["status"].lower(), "order_date": row["order_date"],
            "due_date": row["due"], "total": amount(row["total"]), "pending_total": amount(row["open_amount"])}


def line(row):
    return {"line": row["line_number"], "item": row["item"], "name": row["item_name"], "qty": int(row["quantity"]),
            "total": amount(row["line_total"]), "pending": amount(row["open_amount"])}


def answer(kind, body):
    got = json.loads(body)
    if kind == "list":
        return {"total": got["total"], "page": got["page"], "orders": [header(row) for row in got["data"]]}
    if kind == "order":
        return {**header(got["order"]), "lines": [line(row) for row in got["order"]["lines_data"]]}
    customers = []
    for row in got["data"]:
        (total,) = row["sums"]  # one currency
        customers.append({"customer": int(row["key"]), "name": AS_IN_THE_DATA.get(row["name"], row["name"]), "orders": total["orders"],
                          "pending": amount(total["open_amount"])})
    return {"customers": customers}
