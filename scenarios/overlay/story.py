"""What people write on orders: it stands above what the sources say, through syncs, restarts and kills, and two people see each other."""
import datetime
import html
import io
import json
import re
import zipfile

from story import CSV_HEAD, Story, order_json

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Sheet:
    """A workbook as bytes, with its first sheet's cells to type into."""

    def __init__(self, book):
        self.parts = {name: book_part for name, book_part in self.unzipped(book)}
        self.xml = self.parts["xl/worksheets/sheet1.xml"].decode()
        head = re.search(r'<row r="1".*?</row>', self.xml, re.S).group(0)
        self.columns = {html.unescape(text): column for column, text in re.findall(r'<c r="([A-Z]+)1"[^>]*>.*?<t[^>]*>(.*?)</t>', head, re.S)}

    @staticmethod
    def unzipped(book):
        with zipfile.ZipFile(io.BytesIO(book)) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)

    def row_of(self, order):
        return int(re.search(rf'<c r="A(\d+)"[^>]*><is><t[^>]*>{order}</t>', self.xml).group(1))

    def type(self, row, column, text):
        cell = f"{self.columns[column]}{row}"
        written = f'<c r="{cell}" t="inlineStr"><is><t>{html.escape(text)}</t></is></c>'
        found = re.search(rf'(<row r="{row}"[^>]*>)(.*?)</row>', self.xml, re.S)
        (begin, body), whole = found.groups(), found.span()
        cells = [c for c in re.findall(r"<c [^>]*?/>|<c .*?</c>", body, re.S) if f'r="{cell}"' not in c] + [written]
        self.xml = self.xml[:whole[0]] + begin + "".join(cells) + "</row>" + self.xml[whole[1]:]
        return cell

    def bytes(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in self.parts.items():
                archive.writestr(name, self.xml.encode() if name == "xl/worksheets/sheet1.xml" else part)
        return out.getvalue()


class Overlay(Story):
    def patch(self, millrace, order, fields, etag, **headers):
        status, answered, body = millrace.request("PATCH", f"/api/v1/orders/{order}/overlay", json.dumps(fields).encode(),
                                                  {"Content-Type": "application/json", **({"If-Match": etag} if etag else {}), **headers})
        return status, answered, json.loads(body)

    def undo(self, millrace, order, **command):
        status, _, body = millrace.request("POST", f"/api/v1/orders/{order}/overlay/undo", json.dumps(command).encode(), {"Content-Type": "application/json"})
        return status, json.loads(body)

    @staticmethod
    def fields(overlay):
        return {field["field"]: field["value"] for field in overlay["fields"]}

    def row(self, millrace, order):
        rows = millrace.get(f"/api/v1/orders?order={order}")["data"]
        return rows[0] if rows else None

    def wait_row(self, millrace, order, **wanted):
        def found():
            row = self.row(millrace, order)
            return row is not None and all(row[name] == value for name, value in wanted.items()) and row
        try:
            return millrace.wait_for(found, str(wanted), 15)
        except AssertionError:
            self.assertEqual(self.row(millrace, order), wanted)

    def test_what_is_written_stands_above_the_source_through_syncs_restarts_and_kills(self):
        self.write("Open/SO7.json", order_json(7, U_PromiseDate="2026-11-01"))
        self.write("Open/SO8.json", order_json(8))
        millrace = self.serve()
        promise_of_file = self.row(millrace, 7)["promise"]
        status, answered, body = self.patch(millrace, 7, {"promised_date": "2099-12-01", "priority": 7, "hold": "paint is late", "note": "call first", "colour": "red"}, '"0"')
        self.assertEqual((status, answered["ETag"]), (200, '"1"'), body)
        shown = {"promise": "2099-12-01", "due": "2099-12-01", "priority": 7, "hold": "paint is late", "note": "call first", "colour": "red", "late": False}
        self.wait_row(millrace, 7, **shown)
        for query, orders in (("priority=gte.7", ["7"]), ("hold=yes", ["7"]), ("hold=no", ["8"]), ("note=has.CALL", ["7"]), ("priority=none", ["8"]),
                              ("sort=priority", ["7", "8"]), ("sort=-colour", ["7", "8"]), ("colour=ne.red", ["8"])):
            self.assertEqual([row["order"] for row in millrace.get(f"/api/v1/orders?{query}")["data"]], orders, query)
        order = millrace.get("/api/v1/orders/7")["order"]
        self.assertEqual(order["overlay"]["version"], 1)
        promised = next(field for field in order["overlay"]["fields"] if field["field"] == "promised_date")
        self.assertEqual((promised["value"], promised["beneath"], promised["author"]), ("2099-12-01", promise_of_file, "local admin"))
        self.assertIn("by local admin", millrace.get("/api/v1/orders/7/history")["data"][0]["text"])
        self.assertIn(b"paint is late", millrace.request("GET", "/api/v1/orders.csv")[2])

        self.write("Open/SO7.json", order_json(7, opened="2", updated="2026-11-09 08:00:00"))
        self.wait_row(millrace, 7, open_quantity="2", **shown)
        (self.orders / "Open/SO7.json").unlink()
        millrace.wait_for(lambda: self.row(millrace, 7) is None, "the order to go")
        self.write("Open/SO7.json", order_json(7, opened="3", updated="2026-11-10 08:00:00"))
        self.wait_row(millrace, 7, open_quantity="3", **shown)

        millrace.stop()
        millrace = self.serve()
        self.wait_row(millrace, 7, open_quantity="3", **shown)
        status, _, body = self.patch(millrace, 7, {"note": "after the restart"}, '"1"')
        self.assertEqual(status, 200, body)
        millrace.kill()
        millrace = self.serve()
        self.wait_row(millrace, 7, **{**shown, "note": "after the restart"})
        edits = millrace.get("/api/v1/orders/7/overlay/edits")["data"]
        self.assertEqual([(edit["version"], len(edit["changes"])) for edit in edits], [(2, 1), (1, 5)])
        self.assertEqual([edit["edit"] for edit in millrace.get("/api/v1/overlay/edits?since=1")["data"]], [2])

    def test_two_people_see_each_other_and_every_edit_can_be_undone(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        self.assertEqual(self.patch(millrace, 7, {"note": "x"}, None)[0], 428)
        self.assertEqual(self.patch(millrace, 7, {"priority": 12}, '"0"')[0], 400)
        self.assertEqual(self.patch(millrace, 9, {"priority": 1}, '"0"')[0], 404)
        self.assertEqual(self.patch(millrace, 7, {"note": "Ann's"}, '"0"', **{"Idempotency-Key": "a"})[0], 200)
        status, answered, _ = self.patch(millrace, 7, {"note": "Ann's"}, '"0"', **{"Idempotency-Key": "a"})
        self.assertEqual((status, answered["Idempotency-Replayed"], answered["ETag"]), (200, "true", '"1"'))
        self.assertEqual(self.patch(millrace, 7, {"priority": 3}, '"0"')[0], 200)  # another field: both stand
        status, answered, body = self.patch(millrace, 7, {"note": "Ben's", "colour": "red"}, '"0"')
        self.assertEqual((status, answered["ETag"], body["type"]), (412, '"2"', "/problems/precondition-failed"))
        conflict = body["conflicts"][0]
        self.assertEqual((conflict["field"], conflict["before"], conflict["theirs"], conflict["mine"]), ("note", None, "Ann's", "Ben's"))
        self.assertEqual(self.fields(body["current"]["overlay"]), {"note": "Ann's", "priority": "3"})  # nothing of it was written
        self.assertEqual(self.patch(millrace, 7, {"note": "Ben's"}, '"2"')[0], 200)

        status, body = self.undo(millrace, 7, edit=1)
        self.assertEqual((status, body["conflicts"][0]["theirs"]), (409, "Ben's"))
        status, body = self.undo(millrace, 7, edit=3)
        self.assertEqual((status, self.fields(body["overlay"])), (200, {"note": "Ann's", "priority": "3"}))
        status, body = self.undo(millrace, 7, edit=1)
        self.assertEqual((status, self.fields(body["overlay"])), (200, {"priority": "3"}))
        self.assertEqual(self.undo(millrace, 7, edit=1)[0], 409)
        self.wait_row(millrace, 7, note="", priority=3)

    def test_a_value_ends_by_itself_and_says_so(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        status, _, body = self.patch(millrace, 7, {"hold": {"value": "paint", "expires": "2020-01-01T00:00:00Z"}}, '"0"')
        self.assertEqual(status, 400, body)
        end = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        status, _, body = self.patch(millrace, 7, {"hold": {"value": "paint", "expires": end}}, '"0"')
        self.assertEqual(status, 200, body)
        self.wait_row(millrace, 7, hold="paint")
        self.wait_row(millrace, 7, hold="")
        self.assertIn("its time ended", millrace.get("/api/v1/orders/7/history")["data"][0]["text"])

    def test_a_company_names_columns_of_its_own(self):
        self.write("Open/SO7.json", order_json(7))
        config = self.folder / "millrace.toml"
        config.write_text('own_columns = "Truck, Packing list"\n', encoding="utf-8")
        millrace = self.serve("--config", config)
        self.assertEqual(self.patch(millrace, 7, {"packing_list": "PL 9", "truck": "T 1"}, '"0"')[0], 200)
        self.wait_row(millrace, 7, packing_list="PL 9", truck="T 1")
        self.assertEqual(millrace.get("/api/v1/orders?truck=t%201&fields=truck")["total"], 1)
        titles = {row["name"]: row["title"] for row in millrace.get("/api/v1/fields")["data"]}
        self.assertEqual(titles["packing_list"], "Packing list")
        self.assertIn(b"PL 9", millrace.request("GET", "/api/v1/orders.csv?fields=order,packing_list")[2])

    def preview(self, millrace, book):
        status, _, body = millrace.request("POST", "/api/v1/overlay/sheet?preview=1", book, {"Content-Type": XLSX})
        return status, json.loads(body)

    def test_a_sheet_of_5000_orders_with_200_edits_writes_exactly_those_and_is_undone_as_one(self):
        rows = [f"{number},C2,Beta AG,2026-10-01,2026-11-30,EUR,1,P-9,5,5,2.00,10.00,2026-11-01 08:00:00" for number in range(1, 5001)]
        self.write("Open/all.csv", "\r\n".join([CSV_HEAD, *rows]) + "\r\n")
        millrace = self.serve()
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] == 5000, "5,000 orders", 60)
        self.assertEqual(self.patch(millrace, 17, {"note": "stays"}, '"0"')[0], 200)
        self.wait_row(millrace, 17, note="stays")
        downloaded = millrace.request("GET", "/api/v1/overlay/sheet.xlsx")[2]
        status, answer = self.preview(millrace, downloaded)
        self.assertEqual((status, answer["rows"], answer["differences"], answer["refused"]), (200, 5000, [], []))

        sheet = Sheet(downloaded)
        wanted = {}
        for number in range(20, 4020, 20):
            cell = sheet.type(sheet.row_of(number), "Hold", f"paint <{number}>")
            wanted[cell] = (str(number), "hold", f"paint <{number}>")
        self.assertEqual(len(wanted), 200)
        refused = {sheet.type(sheet.row_of(4500), "Customer name", "Gamma"), sheet.type(sheet.row_of(4501), "Promised date", "soon"),
                   sheet.type(sheet.row_of(4502), "Note", "mine")}
        self.assertEqual(self.patch(millrace, 4502, {"note": "theirs"}, '"0"')[0], 200)
        status, answer = self.preview(millrace, sheet.bytes())
        self.assertEqual(status, 200, answer)
        self.assertEqual({edit["cell"]: (edit["order"], edit["field"], edit["after"]) for edit in answer["differences"]}, wanted)
        self.assertEqual({cell["cell"] for cell in answer["refused"]}, refused)
        conflict = next(cell["conflict"] for cell in answer["refused"] if cell["conflict"])
        self.assertEqual((conflict["theirs"], conflict["mine"]), ("theirs", "mine"))
        self.assertEqual(millrace.get("/api/v1/orders?hold=yes")["total"], 0)

        apply = f"/api/v1/overlay/sheet?apply=1&preview={answer['preview']}"
        status, _, body = millrace.request("POST", apply, b"")
        applied = json.loads(body)
        self.assertEqual((status, applied["orders"]), (200, 200), applied)
        self.assertEqual(json.loads(millrace.request("POST", apply, b"")[2])["group"], applied["group"])  # once is enough
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?hold=yes")["total"] == 200, "the edits to show")
        millrace.kill()
        millrace = self.serve()
        held = millrace.get("/api/v1/orders?hold=yes&limit=1000&fields=hold,note")["data"]
        self.assertEqual({(row["order"], "hold", row["hold"]) for row in held}, set(wanted.values()))
        self.assertEqual(millrace.get("/api/v1/orders?note=ne.")["total"], 2)

        command = json.dumps({"group": applied["group"]}).encode()
        status, _, body = millrace.request("POST", "/api/v1/overlay/undo", command, {"Content-Type": "application/json"})
        self.assertEqual(status, 200, body)
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?hold=yes")["total"] == 0, "the edits to go")
        self.assertEqual(millrace.get("/api/v1/orders?note=ne.")["total"], 2)

    def test_what_is_no_sheet_of_ours_is_refused_and_harms_nothing(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("word/document.xml", "<x/>")
        for book in (b"PK\x03\x04 nothing", b"", b"order,version\n7,0\n", other.getvalue()):
            status, answer = self.preview(millrace, book)
            self.assertEqual((status, answer["type"]), (400, "/problems/invalid-input"), answer)
        self.assertEqual(millrace.request("POST", "/api/v1/overlay/sheet?apply=1&preview=00", b"")[0], 404)
        self.assertEqual(self.row(millrace, 7)["order"], "7")
