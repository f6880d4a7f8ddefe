"""FAULTS.md group A: what lies in a shared folder may be broken, huge or wicked. Each file is refused with a reason or
skipped by rule; the good order beside it is served, the memory stays bounded, and nothing outside the root is touched.
"""
import contextlib
import io
import os
import signal
import socket
import zipfile
import zlib

from story import MEMORY_ROOM, Story, order_json

CONTENT_TYPES = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                 '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                 '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
                 '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')
RELATIONS = ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
             '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>')
WORKBOOK = ('<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Order" sheetId="1" r:id="rId1"/></sheets></workbook>')
SHEET = ('<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{dimension}<sheetData>'
         '<row r="1"><c r="A1" t="inlineStr"><is><t>Sales Order</t></is></c><c r="B1" t="inlineStr"><is><t>{number}</t></is></c></row>'
         '</sheetData></worksheet>')


def workbook(sheet, extra=()):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", CONTENT_TYPES)
        book.writestr("_rels/.rels", RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"))
        book.writestr("xl/workbook.xml", WORKBOOK)
        book.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml"))
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, body in extra:
            book.writestr(name, body)
    return buffer.getvalue()


def overlapping_zip():
    """Two directory entries that claim the same bytes."""
    whole = bytearray(workbook(SHEET.format(doctype="", dimension="", number="SO1")))
    end = whole.rindex(b"PK\x05\x06")
    start = int.from_bytes(whole[end + 16:end + 20], "little")
    directory = bytes(whole[start:end])
    entry_length = 46 + sum(int.from_bytes(directory[at:at + 2], "little") for at in (28, 30, 32))
    again = directory + directory[:entry_length].replace(b"[Content_Types].xml", b"[Content_Typez].xml")
    tail = bytearray(whole[end:])
    count = int.from_bytes(tail[10:12], "little") + 1
    tail[8:10] = tail[10:12] = count.to_bytes(2, "little")
    tail[12:16] = len(again).to_bytes(4, "little")
    return bytes(whole[:start]) + again + bytes(tail)


def descendants(pid):
    """The processes below `pid`, deepest last."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may end while we look
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                for child in map(int, children.read().split()):
                    found += [child] + descendants(child)
    return found


class HostileFiles(Story):
    def setUp(self):
        super().setUp()
        self.write("Open/SO7.json", order_json(7))

    def refused(self, wanted):
        """Serves the folder; exactly `wanted` paths are refused, each with a reason, and order 7 is served."""
        millrace = self.serve()
        rows = millrace.get("/api/v1/rejections")["data"]
        self.assertEqual(sorted({row["path"] for row in rows if row["outcome"] == "reject"}), sorted(wanted))
        for row in rows:
            self.assertGreater(len(row["reason"]), 10, row)
        self.assertEqual(self.book(millrace), ["7 Open 100.00"])
        self.assertLess(millrace.rss_bytes(), 120e6 * MEMORY_ROOM)
        return millrace

    def test_a1_zip_bombs_are_refused_before_they_inflate(self):
        self.write("Open/bomb.xlsx", workbook(b"\0" * 300_000_000))
        self.refused(["Open/bomb.xlsx"])

    def test_a2_overlapping_zip_entries_are_refused(self):
        self.write("Open/overlap.xlsx", overlapping_zip())
        self.refused(["Open/overlap.xlsx"])

    def test_a3_entities_of_a_workbook_are_refused_and_nothing_is_fetched(self):
        bomb = "<!DOCTYPE l [<!ENTITY a \"" + "x" * 1000 + "\"><!ENTITY b \"" + "&a;" * 1000 + "\">]>"
        outside = "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
        self.write("Open/bomb.xlsx", workbook(SHEET.format(doctype=bomb, dimension="", number="&b;")))
        self.write("Open/outside.xlsx", workbook(SHEET.format(doctype=outside, dimension="", number="&x;")))
        self.refused(["Open/bomb.xlsx", "Open/outside.xlsx"])

    def test_a4_zip_entries_with_wicked_names_are_refused_and_written_nowhere(self):
        sheet = SHEET.format(doctype="", dimension="", number="SO1")
        self.write("Open/up.xlsx", workbook(sheet, [("../../escaped.txt", b"x")]))
        self.write("Open/root.xlsx", workbook(sheet, [("/escaped.txt", b"x")]))
        self.refused(["Open/up.xlsx", "Open/root.xlsx"])
        self.assertFalse((self.folder / "escaped.txt").exists())

    def test_a5_a_huge_sheet_dimension_allocates_nothing(self):
        self.write("Open/wide.xlsx", workbook(SHEET.format(doctype="", dimension='<dimension ref="A1:XFD1048576"/>', number="SO8")))
        self.refused(["Open/wide.xlsx"])

    def test_a6_deep_json_is_refused_with_its_place(self):
        self.write("Open/deep.json", "[" * 100_000)
        self.write("Open/deep2.json", '{"DocNum":8,"DocumentLines":' + "[" * 100_000)
        self.refused(["Open/deep.json", "Open/deep2.json"])

    def test_a7_numbers_that_cannot_be_kept_exactly_are_refused(self):
        for index, number in enumerate(("1e999999", "9" * 5000, "1.0000000000000000001", "NaN", "-")):
            text = order_json(20 + index).replace('"Quantity": 4.0', f'"Quantity": {number}')
            self.write(f"Open/SO{20 + index}.json", text)
        self.refused([f"Open/SO{20 + index}.json" for index in range(5)])

    def test_a8_wrong_text_encodings_are_refused_or_decoded(self):
        self.write("Open/SO8.json", order_json(8).replace("ACME", "AC\\ud800ME"))
        self.write("Open/SO9.json", order_json(9).encode().replace(b"ACME", b"AC\xc0\xafME"))
        millrace = self.refused(["Open/SO8.json", "Open/SO9.json"])
        self.write("Open/SO10.csv", "OrderNo,CustomerCode,CustomerName,OrderDate,Currency,LineNo,ItemCode,Quantity,OpenQuantity,UnitPrice,LineTotal,Updated\r\n"
                   "SO10,C9,M\u00fcller,2026-10-01,EUR,1,P,1,1,5.00,5.00,2026-10-02 08:00:00\r\n".encode("cp1252"), age=0)
        self.wait_book(millrace, ["7 Open 100.00", "10 Open 5.00"])
        self.assertEqual(millrace.get("/api/v1/orders/10")["order"]["customer_name"], "M\u00fcller")

    def test_a9_text_is_never_cut_at_nul(self):
        self.write("Open/SO8.json", order_json(8).replace('"ACME GmbH"', '"AC\\u0000ME"'))
        millrace = self.serve()
        orders = [row["order"] for row in millrace.get("/api/v1/orders")["data"]]
        if "8" in orders:
            self.assertEqual(millrace.get("/api/v1/orders/8")["order"]["customer_name"], "AC\u0000ME")
        else:
            self.assertEqual(self.rejections(millrace), ["reject Open/SO8.json"])

    def test_a10_duplicate_keys_are_refused(self):
        self.write("Open/SO8.json", order_json(8).replace('"CardCode": "C1"', '"CardCode": "C1", "CardCode": "C2"'))
        self.refused(["Open/SO8.json"])

    def test_a11_csv_with_wild_shapes_is_refused_or_read(self):
        head = "OrderNo,CustomerCode,CustomerName,OrderDate,Currency,LineNo,ItemCode,Quantity,OpenQuantity,UnitPrice,LineTotal,Updated"
        row = "SO{n},C9,\"Two\r\nlines, \"\"quoted\"\"\",2026-10-01,EUR,1,P,1,1,5.00,5.00,2026-10-02 08:00:00"
        self.write("Open/SO8.csv", head + "\n" + row.format(n=8) + "\r\n")
        self.write("Open/SO9.csv", head + "\r\n" + row.format(n=9).replace(",EUR", "") + "\r\n")
        self.write("Open/wide.csv", head + "," * 1_000_000 + "\r\n" + row.format(n=10) + "\r\n")
        self.write("Open/field.csv", head + "\r\nSO11,\"" + "x" * 20_000_000 + "\r\n")
        millrace = self.serve()
        self.assertEqual(self.book(millrace), ["7 Open 100.00", "8 Open 5.00"])
        self.assertEqual(millrace.get("/api/v1/orders/8")["order"]["customer_name"], "Two\r\nlines, \"quoted\"")
        self.assertEqual(self.rejections(millrace), ["reject Open/SO9.csv", "reject Open/field.csv", "reject Open/wide.csv"])
        self.assertLess(millrace.rss_bytes(), 120e6 * MEMORY_ROOM)

    def test_a12_a13_broken_pdfs_are_refused_and_the_rest_goes_on(self):
        stream = zlib.compress(b"\0" * 200_000_000, 9)
        self.write("Open/loop.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF")
        self.write("Open/bomb.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1000000000/Kids[3 0 R]>>endobj\n"
                   b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n4 0 obj<</Filter/FlateDecode/Length " +
                   str(len(stream)).encode() + b">>stream\n" + stream + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF")
        self.write("Open/noise.pdf", b"%PDF-1.7\n" + os.urandom(5000))
        self.refused(["Open/bomb.pdf", "Open/loop.pdf", "Open/noise.pdf"])

    def test_a13_killed_parsers_are_replaced_and_the_server_lives(self):
        millrace = self.serve()
        for number in range(8, 12):
            for process in descendants(millrace.process.pid):
                with contextlib.suppress(ProcessLookupError):  # it went with its parent
                    os.kill(process, signal.SIGKILL)
            self.write(f"Open/SO{number}.json", order_json(number), age=0)
            self.wait_book(millrace, [f"{n} Open 100.00" for n in range(7, number + 1)])
        self.assertIsNone(millrace.process.poll())

    def test_a14_names_are_bytes_and_shown_readably(self):
        names = [b"-rf.json", b"new\nline.json", b"\xff\xfe.json", "\u202egnp.json".encode(), b"x" * 250 + b".json"]
        folder = os.fsencode(self.orders) + b"/Open/"
        for index, name in enumerate(names):
            with open(folder + name, "w", encoding="utf-8") as file:
                file.write(order_json(30 + index))
        millrace = self.serve()
        self.wait_book(millrace, ["7 Open 100.00"] + [f"{30 + i} Open 100.00" for i in range(len(names))])
        paths = [row["path"] for row in millrace.get("/api/v1/orders?fields=path&sort=order")["data"]]
        self.assertEqual(paths[2:5], ["Open/new\\x0aline.json", "Open/\\xff\\xfe.json", "Open/\\xe2\\x80\\xaegnp.json"])

    def test_a15_a_tree_4096_folders_deep_is_read(self):
        descriptor = os.open(self.orders / "Open", os.O_RDONLY)
        for _ in range(4096):
            os.mkdir("d", dir_fd=descriptor)
            below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        handle = os.open("SO8.json", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=descriptor)
        os.write(handle, order_json(8).encode())
        os.close(handle)
        os.close(descriptor)
        millrace = self.serve()
        self.wait_book(millrace, ["7 Open 100.00", "8 Open 100.00"])
        millrace.stop()
        self.run_command("version")
        os.system(f"rm -rf -- '{self.orders}'")

    def test_a16_links_are_not_followed(self):
        (self.folder / "secret.json").write_text(order_json(66), encoding="utf-8")
        os.symlink("..", self.orders / "Open/loop")
        os.symlink(self.folder / "secret.json", self.orders / "Open/SO66.json")
        os.symlink("/etc", self.orders / "Open/etc")
        os.symlink("self", self.orders / "Open/self")
        self.refused([])

    def test_a17_pipes_sockets_and_devices_block_nothing(self):
        os.mkfifo(self.orders / "Open/SO8.json")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(os.path.relpath(self.orders / "Open/SO9.json"))
        self.refused([])

    def test_a28_oversized_files_are_refused_before_reading(self):
        with open(self.orders / "Open/big.json", "wb") as file:
            file.truncate(100_000_000)
        with open(self.orders / "Open/sparse.json", "wb") as file:
            file.truncate(1 << 40)
        millrace = self.refused(["Open/big.json", "Open/sparse.json"])
        self.assertLess(self.source(millrace)["bytes_read"], 1_000_000)
