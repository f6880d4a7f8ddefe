"""A small tree of order files that changes all the time and knows everything it ever said.

Every state of every order is a function of its number and its version, so that a row which mixes two versions, or shows
a value nobody wrote, is recognised at sight. `history[order]` holds the states in the order in which their writing
*began*; a state is (version, status), None while the order has no document.
"""
import datetime
import json
import os
import pathlib
import threading

FOLDERS = ("Open", "Production", "Shipped")
FIELDS = "order,status,customer_reference,lines,quantity,net,open_amount,updated"
FIRST_STAMP = datetime.datetime(2026, 10, 1)
CSV_HEAD = ("OrderNo,CustomerPO,CustomerCode,CustomerName,OrderDate,DueDate,Currency,LineNo,ItemCode,Quantity,OpenQuantity,"
            "UnitPrice,LineTotal,Updated")


def lines_of(number, version):
    """(quantity, unit price in cents) of each line."""
    return [(1 + (version * 3 + line) % 5, 100 + (version * 137 + number * 11 + line * 37) % 9000)
            for line in range(1 + (version * 7 + number) % 4)]


def stamp_of(version):
    return (FIRST_STAMP + datetime.timedelta(seconds=version)).strftime("%Y-%m-%d %H:%M:%S")


def row_of(number, state):
    """The order as the order list must show it in this state."""
    version, status = state
    lines = lines_of(number, version)
    net = sum(quantity * price for quantity, price in lines)
    return {"order": str(number), "status": status, "customer_reference": f"v{version}", "lines": len(lines),
            "quantity": str(sum(quantity for quantity, _ in lines)), "net": net, "open_amount": net,
            "updated": stamp_of(version).replace(" ", "T") + ".000Z"}


def state_of(row):
    """The state that a row of an answer claims to be; raises ValueError when the row is no state of its order."""
    plain = {"order": row["order"], "status": row["status"], "customer_reference": row["customer_reference"], "lines": row["lines"],
             "quantity": row["quantity"], "net": row["net"]["minor"], "open_amount": row["open_amount"]["minor"],
             "updated": row["updated"]}
    reference = plain["customer_reference"]
    if not reference.startswith("v") or not reference[1:].isdigit():
        raise ValueError(f"order {row['order']} has the reference {reference!r}")
    state = (int(reference[1:]), plain["status"])
    wanted = row_of(int(row["order"]), state)
    if plain != wanted:
        raise ValueError(f"order {row['order']} is no whole version: {plain} instead of {wanted}")
    return state


def json_document(number, version):
    day, time = stamp_of(version).split()
    lines = [{"LineNum": at, "ItemCode": f"I{at}", "ItemDescription": "Pump", "Quantity": quantity, "UnitPrice": price / 100,
              "LineTotal": quantity * price / 100, "RemainingOpenQuantity": quantity, "LineStatus": "bost_Open"}
             for at, (quantity, price) in enumerate(lines_of(number, version))]
    return json.dumps({"DocNum": number, "NumAtCard": f"v{version}", "DocDate": "2026-10-01", "DocDueDate": "2026-12-30",
                       "CardCode": f"C{number % 5}", "CardName": "ACME GmbH", "DocCurrency": "EUR", "UpdateDate": day,
                       "UpdateTime": time, "DocumentLines": lines}, indent=1)


def csv_document(orders):
    """`orders`: (number, version) of each order in the file."""
    rows = [CSV_HEAD]
    for number, version in orders:
        for at, (quantity, price) in enumerate(lines_of(number, version), 1):
            rows.append(f"{number},v{version},C{number % 5},Beta AG,2026-10-01,2026-12-30,EUR,{at},P-{at},{quantity},{quantity},"
                        f"{price / 100:.2f},{quantity * price / 100:.2f},{stamp_of(version)}")
    return "\r\n".join(rows) + "\r\n"


class OrderTree:
    """Files below `root`: `singles` JSON files of one order and `sheets` CSV files of five. One thread calls `step`."""

    SHEET = 5

    def __init__(self, root, rng, singles=30, sheets=4):
        self.root = pathlib.Path(root)
        self.rng = rng
        self.lock = threading.Lock()
        self.history = {}   # order number as text -> states, oldest first
        self.files = {}     # name without folder -> (folder or None, [order numbers])
        self.versions = {}  # order number -> version last written
        self.pause = threading.Event().wait  # a writer that stops between the halves of a file
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        number = 1000
        for _ in range(singles):
            number += 1
            self._new_file(f"SO{number}.json", [number])
        for _ in range(sheets):
            numbers = list(range(number + 1, number + 1 + self.SHEET))
            number = numbers[-1]
            self._new_file(f"sheet{number}.csv", numbers)

    def _new_file(self, name, numbers):
        self.files[name] = (None, numbers)
        self._write(name, self.rng.choice(FOLDERS), numbers, torn=False)

    def _begin(self, numbers, status, bump=True):
        """Notes the states that are about to be written."""
        with self.lock:
            for number in numbers:
                if bump:
                    self.versions[number] = self.versions.get(number, 0) + 1
                self.history.setdefault(str(number), [None]).append((self.versions[number], status) if status else None)

    def _write(self, name, folder, numbers, torn):
        self._begin(numbers, folder)
        path = self.root / folder / name
        text = (json_document(numbers[0], self.versions[numbers[0]]) if name.endswith(".json")
                else csv_document([(number, self.versions[number]) for number in numbers]))
        data = text.encode()
        if torn:
            with open(path, "wb", buffering=0) as file:
                cut = self.rng.randrange(1, len(data))
                file.write(data[:cut])
                self.pause(self.rng.random() * 0.03)
                file.write(data[cut:])
        else:
            temporary = path.with_name("." + name + ".tmp")
            temporary.write_bytes(data)
            os.rename(temporary, path)
        self.files[name] = (folder, numbers)

    def step(self):
        """One change: a new version (whole or torn in two writes), a move, a move by copy, a deletion, a file that comes back."""
        name = self.rng.choice(sorted(self.files))
        folder, numbers = self.files[name]
        dice = self.rng.random()
        if folder is None:
            self._write(name, self.rng.choice(FOLDERS), numbers, torn=False)
        elif dice < 0.55:
            self._write(name, folder, numbers, torn=False)
        elif dice < 0.75:
            self._write(name, folder, numbers, torn=True)
        elif dice < 0.90:
            self._move(name, folder, numbers)
        else:
            self._begin(numbers, None, bump=False)
            os.unlink(self.root / folder / name)
            self.files[name] = (None, numbers)

    def _move(self, name, folder, numbers):
        target = self.rng.choice([other for other in FOLDERS if other != folder])
        self._begin(numbers, target, bump=False)
        os.rename(self.root / folder / name, self.root / target / name)
        self.files[name] = (target, numbers)

    def current(self):
        """What the order list must show once everything has been read."""
        with self.lock:
            return {order: states[-1] for order, states in self.history.items() if states[-1] is not None}

    def history_of(self, order):
        with self.lock:
            return list(self.history.get(order, []))


class Writer(threading.Thread):
    """Changes the tree `rate` times a second (with seeded pauses) until `finish`."""

    def __init__(self, tree, rate):
        super().__init__(daemon=True)
        self.tree, self.rate = tree, rate
        self.done = threading.Event()
        self.changes = 0
        self.failure = None
        self.start()

    def run(self):
        try:
            while not self.done.is_set():
                self.tree.step()
                self.changes += 1
                self.done.wait(self.tree.rng.expovariate(self.rate))
        except Exception as failure:  # shown by finish(): a dead writer must not look like a quiet tree
            self.failure = failure

    def finish(self):
        self.done.set()
        self.join()
        if self.failure:
            raise self.failure
        return self.changes
