"""Exports hold all filtered rows, with the count in the last line, and no formula reaches a spreadsheet."""
import collections
import csv
import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile

from story import Story, order_json

Cell = collections.namedtuple("Cell", "kind value style")  # kind: text, number or flag


def read_workbook(data):
    """Sheet names, per sheet its rows as {column letter: Cell}, and the number format of each style."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        xml = {name: ElementTree.fromstring(book.read(name)) for name in book.namelist() if name.endswith(".xml")}
    names = [sheet.get("name") for sheet in xml["xl/workbook.xml"].iter(main + "sheet")]
    shared = ["".join(text.text or "" for text in item.iter(main + "t")) for item in xml.get("xl/sharedStrings.xml", [])]
    codes = {"0": "General", "1": "0", "3": "#,##0", "4": "#,##0.00"}  # built into the format
    codes |= {code.get("numFmtId"): code.get("formatCode") for code in xml["xl/styles.xml"].iter(main + "numFmt")}
    formats = [codes[style.get("numFmtId")] for style in xml["xl/styles.xml"].find(main + "cellXfs")]

    def cell_of(cell):
        kind = cell.get("t", "n")
        assert cell.find(main + "f") is None, "a cell is a formula"
        style = int(cell.get("s", 0))
        if kind == "inlineStr":
            return Cell("text", "".join(text.text or "" for text in cell.iter(main + "t")), style)
        value = cell.find(main + "v").text
        if kind == "s":
            return Cell("text", shared[int(value)], style)
        return Cell({"n": "number", "b": "flag", "str": "text"}[kind], value, style)

    sheets = []
    for number in range(1, len(names) + 1):
        sheets.append([{re.match("[A-Z]+", cell.get("r")).group(): cell_of(cell) for cell in row}
                       for row in xml[f"xl/worksheets/sheet{number}.xml"].iter(main + "row")])
    return names, sheets, formats


class Exports(Story):
    def setUp(self):
        super().setUp()
        for number in range(1, 251):
            self.write(f"{'Open' if number % 2 else 'Shipped'}/SO{number}.json", order_json(number))
        self.write("Open/SO900.json", order_json(900, CardName='=cmd|"/c calc"!A1'))
        self.millrace = self.serve()

    def rows(self, path):
        status, headers, body = self.millrace.request("GET", path)
        self.assertEqual(status, 200)
        lines = body.decode("utf-8").splitlines()
        return headers, list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#"))))), lines[-1]

    def test_csv_holds_every_filtered_row(self):
        headers, rows, last = self.rows("/api/v1/orders.csv?status=Open&sort=-order")
        self.assertEqual(len(rows), self.millrace.get("/api/v1/orders?status=Open&limit=1")["total"])
        self.assertEqual(rows[0]["order"], "900")
        self.assertTrue(last.startswith("# rows: 126,"), last)
        self.assertIn(".csv", headers["Content-Disposition"])
        self.assertEqual(rows[0]["customer_name"], "'=cmd|\"/c calc\"!A1")

    def test_xlsx_holds_every_filtered_row_as_numbers(self):
        status, _, body = self.millrace.request("GET", "/api/v1/orders.xlsx?status=Open")
        self.assertEqual(status, 200)
        self.check_workbook(body, "Orders", 126, "status=Open")

    def test_the_command_line_writes_the_same_workbook(self):
        out = self.folder / "open.xlsx"
        run = self.run_command("export", "orders", "--where", "status=Open", "--data", self.data, "--out", out)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.check_workbook(out.read_bytes(), "Orders", 126, "status=Open")

    def test_the_command_line_writes_the_cells_of_the_download(self):
        for filters in ([], ["status=Open", "customer_name=has.cmd"]):
            where = [word for one in filters for word in ("--where", one)]
            run = self.run_command("export", "orders", "--format", "csv", "--sort", "-order", "--data", self.data, *where)
            self.assertEqual(run.returncode, 0, run.stderr)
            status, _, body = self.millrace.request("GET", "/api/v1/orders.csv?" + "&".join(["sort=-order", *filters]))
            self.assertEqual(status, 200)
            download = body.decode("utf-8")
            rows, remark = download[:-2].rsplit("\r\n", 1)
            ours = list(csv.reader(io.StringIO(run.stdout.decode("utf-8"), newline="")))
            self.assertEqual(ours, list(csv.reader(io.StringIO(rows, newline=""))))
            self.assertTrue(remark.startswith(f"# rows: {len(ours) - 1}, as of Sequence "), remark)

    def check_workbook(self, data, sheet_name, row_count, filter_text):
        """Numbers are numbers with a format, texts are strings, and the sheet About says what the list is."""
        names, sheets, formats = read_workbook(data)
        self.assertEqual(names, [sheet_name, "About"])
        rows, about = sheets
        self.assertEqual(len(rows), 1 + row_count)
        column = {cell.value: place for place, cell in rows[0].items()}
        by_order = {row[column["Order"]].value: row for row in rows[1:]}
        self.assertEqual(len(by_order), row_count)
        row = by_order["7"]
        self.assertEqual(row[column["Order"]].kind, "text")
        for title, value, code in (("Total", 100.0, "#,##0.00"), ("Open amount", 100.0, "#,##0.00"), ("Lines", 1.0, "0"),
                                   ("Open quantity", 4.0, "#,##0.######"), ("Ordered", 46296.0, "yyyy-mm-dd")):
            cell = row[column[title]]
            self.assertEqual((cell.kind, float(cell.value), formats[cell.style]), ("number", value, code), title)
        self.assertEqual(row[column["Late"]].kind, "flag")
        formula = by_order["900"][column["Customer name"]]
        self.assertEqual((formula.kind, formula.value), ("text", '=cmd|"/c calc"!A1'))
        facts = {line["A"].value: line["B"] for line in about}
        self.assertEqual((facts["Rows"].kind, float(facts["Rows"].value)), ("number", row_count))
        self.assertEqual(facts["Filter"].value, filter_text)
        self.assertEqual(facts["Title"].value, "Millrace order list")
        self.assertGreater(float(facts["As of Sequence"].value), 0)

    def test_german_spreadsheets_get_semicolon_and_decimal_comma(self):
        status, _, body = self.millrace.request("GET", "/api/v1/orders.csv?order=1&sep=%3B&decimal=,&bom=1&fields=order,total")
        self.assertEqual(status, 200)
        self.assertTrue(body.startswith(b"\xef\xbb\xbforder;total"), body[:60])
        self.assertIn(b"1;100,00", body)

    def test_pages_by_cursor_give_every_order_once(self):
        seen, cursor = [], ""
        while True:
            page = self.millrace.get(f"/api/v1/orders?limit=40&sort=-open_amount,order{'&cursor=' + cursor if cursor else ''}")
            seen += [row["order"] for row in page["data"]]
            self.assertEqual(page["total"], 251)
            if not page["next_cursor"]:
                break
            cursor = page["next_cursor"]
        self.assertEqual(len(seen), 251)
        self.assertEqual(len(set(seen)), 251)
