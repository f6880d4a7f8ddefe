#!/usr/bin/env python3
"""Order files out of the data of the HTTP read bar: the same orders that the peers have in SQLite, as Millrace reads them.

  make_orders.py ORDERS.DB FOLDER

FOLDER/open and FOLDER/closed get one JSON list of orders per month of order date. An order keeps its number (as order
number and as the customer's reference, so that an answer carries both forms), its customer and its dates; a line keeps
its total (amounts stay far below 2^53 cents, so that the shortest text of a float is exact), and its open quantity is chosen so that our own rule gives the pending amount to the cent. Prints what it wrote
and fails when one line's open amount would differ.
"""
import json
import os
import sqlite3
import sys

MICROS = 1_000_000


def open_micros(quantity, total, pending):
    """The open quantity in millionths whose share of the total is `pending`, rounded half away from zero."""
    if pending == 0:
        return 0
    ordered = quantity * MICROS
    micros = (pending * ordered * 2 + total) // (2 * total)
    if (2 * total * micros + ordered) // (2 * ordered) != pending:
        raise SystemExit(f"no open quantity of {quantity} gives {pending} of {total}")
    return micros


def orders(db):
    lines = {}
    for order, line, item, name, quantity, total, pending in db.execute(
            "select order_id, line, item, name, qty, total, pending from order_line order by order_id, line"):
        lines.setdefault(order, []).append({
            "LineNum": line - 1, "ItemCode": item, "ItemDescription": name, "Quantity": quantity,
            "RemainingOpenQuantity": open_micros(quantity, total, pending) / MICROS,
            "LineTotal": total / 100})
    for row in db.execute("""select o.id, number, customer_id, c.name, status, order_date, due_date
                             from sales_order o join customer c on c.id = customer_id order by o.id"""):
        order, number, customer, name, status, ordered, due = row
        yield status, ordered[:7], {
            "DocNum": order, "NumAtCard": number, "CardCode": str(customer), "CardName": name, "DocCurrency": "USD",
            "DocDate": ordered, "DocDueDate": due, "DocumentLines": lines[order]}


def main(database, folder):
    files = {}
    count = 0
    for status, month, order in orders(sqlite3.connect(f"file:{database}?mode=ro", uri=True)):
        files.setdefault((status, month), []).append(order)
        count += 1
    for (status, month), members in files.items():
        os.makedirs(os.path.join(folder, status), exist_ok=True)
        with open(os.path.join(folder, status, month + ".json"), "w", encoding="utf-8") as out:
            json.dump(members, out, separators=(",", ":"))
    print(f"{count} orders in {len(files)} files under {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
