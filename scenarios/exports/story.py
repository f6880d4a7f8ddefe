"""Exports hold all filtered rows, with the count in the last line, and no formula reaches a spreadsheet."""
import csv
import io
import zipfile

from story import Story, order_json


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
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        self.assertEqual(sheet.count("<row "), 127)
        self.assertNotIn("<f>", sheet)

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
