"""A finance lead's files and entries: seen before they count, taken at once, taken back exactly."""
import io
import json
import zipfile

from story import Story

COSTS = ("Datum;Kategorie;Betrag;W\u00e4hrung\r\n"
         "03.02.2026;L\u00f6hne;12.000,00;EUR\r\n"
         "16.02.2026;Miete;1.234,50;EUR\r\n"
         "31.06.2026;Strom;99,00;EUR\r\n"
         "46084;Diesel;60,00;EUR\r\n"
         "Summe;;13.393,50;\r\n").encode("cp1252")


def workbook(rows):
    """A workbook of texts and numbers, as small as one can be."""
    cells = "".join("<row>" + "".join(f"<c><v>{v}</v></c>" if isinstance(v, (int, float)) else f'<c t="inlineStr"><is><t>{v}</t></is></c>' for v in row) + "</row>" for row in rows)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    parts = {"_rels/.rels": f'<Relationships><Relationship Id="r1" Type="{kind}officeDocument" Target="xl/workbook.xml"/></Relationships>',
             "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="Costs" sheetId="1" r:id="r1"/></sheets></workbook>',
             "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" Type="{kind}worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
             "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{cells}</sheetData></worksheet>"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


class FinanceImport(Story):
    def post(self, millrace, path, body=b""):
        status, _, text = millrace.request("POST", path, body, {"Content-Type": "application/octet-stream"})
        return status, json.loads(text)

    def put(self, millrace, address, document, etag=None):
        status, headers, text = millrace.request("PUT", f"/api/v1/finance/{address}", json.dumps(document).encode(),
                                                 {"Content-Type": "application/json", **({"If-Match": etag} if etag else {})})
        return status, headers, json.loads(text)

    def costs(self, millrace):
        """The costs that are listed: "2026-02-03 Loehne 12000.00 import"."""
        rows = millrace.get("/api/v1/finance?kind=cost")["documents"]
        return [f"{row['posted']} {row['category']} {row['amount']['minor'] / 100:.2f} {row['source']}" for row in rows]

    def wait_costs(self, millrace, wanted):
        try:
            millrace.wait_for(lambda: self.costs(millrace) == wanted, str(wanted), 15)
        except AssertionError:
            self.assertEqual(self.costs(millrace), wanted)

    def test_a_dirty_file_is_seen_before_it_counts_and_can_be_taken_back(self):
        millrace = self.serve()
        status, preview = self.post(millrace, "/api/v1/finance/import?kind=cost&preview=1&name=kosten.csv", COSTS)
        self.assertEqual(status, 200, preview)
        self.assertEqual((preview["format"], preview["guess"]["separator"], preview["guess"]["decimal"], preview["guess"]["encoding"], preview["guess"]["columns"]["posted"]),
                         ("csv", ";", ",", "windows-1252", "Datum"))
        self.assertEqual([(row["row"], row["state"]) for row in preview["rows"]], [(2, "new"), (3, "new"), (4, "refused"), (5, "doubtful"), (6, "skipped")])
        self.assertIn("3 March 2026", next(cell for cell in preview["rows"][3]["cells"] if cell["field"] == "posted")["doubt"])
        self.assertEqual(preview["counts"], {"new": 2, "changed": 0, "same": 0, "doubtful": 1, "refused": 1, "skipped": 1})
        self.assertEqual(self.costs(millrace), [])

        status, taken = self.post(millrace, f"/api/v1/finance/import?apply=1&preview={preview['preview']}&doubtful=take")
        self.assertEqual((status, taken["import"], taken["applied"], taken["left"]), (200, "i1", 3, 1), taken)
        wanted = ["2026-03-03 Diesel 60.00 import", "2026-02-16 Miete 1234.50 import", "2026-02-03 L\u00f6hne 12000.00 import"]
        self.wait_costs(millrace, wanted)
        status, again = self.post(millrace, "/api/v1/finance/import?kind=cost&preview=1", COSTS)
        self.assertEqual((again["counts"]["same"], again["counts"]["new"]), (3, 0))

        millrace.kill()
        millrace = self.serve()
        self.wait_costs(millrace, wanted)
        listed = millrace.get("/api/v1/finance/imports")["imports"]
        self.assertEqual([(row["import"], row["file"], row["by"], row["undoable"]) for row in listed], [("i1", "kosten.csv", "local admin", True)])
        status, undone = self.post(millrace, "/api/v1/finance/imports/i1/undo")
        self.assertEqual((status, undone["undone_by"]), (200, "local admin"), undone)
        self.wait_costs(millrace, [])
        self.assertEqual(self.post(millrace, "/api/v1/finance/imports/i1/undo")[0], 409)

    def test_two_people_who_write_one_cost_see_each_other(self):
        millrace = self.serve()
        cost = {"posted": "2026-02-01", "category": "Rent", "amount": "900.50", "currency": "EUR"}
        status, headers, made = self.put(millrace, "cost/C-17", cost)
        self.assertEqual((status, made["document"]["amount"]), (201, {"minor": 90050, "currency": "EUR"}), made)
        etag = headers["ETag"]
        self.assertEqual(self.put(millrace, "cost/C-17", cost)[0], 428)
        status, headers, _ = self.put(millrace, "cost/C-17", {**cost, "amount": {"minor": 91000, "currency": "EUR"}}, etag)
        self.assertEqual(status, 200)
        status, _, problem = self.put(millrace, "cost/C-17", {**cost, "amount": "1.00"}, etag)
        self.assertEqual((status, problem["current"]["amount"]["minor"]), (412, 91000), problem)
        self.wait_costs(millrace, ["2026-02-01 Rent 910.00 entered"])
        for wrong in ({**cost, "amount": "1.234"}, {**cost, "amount": 5}, {**cost, "posted": "2026-02-30"}, {**cost, "colour": "red"}, {**cost, "amount": "-1.00"}):
            self.assertEqual(self.put(millrace, "cost/C-18", wrong)[0], 400, wrong)
        sent = millrace.get("/api/v1/finance/cost/C-17")["document"]
        self.assertEqual(self.put(millrace, "cost/C-17", {**sent, "comment": "until autumn"}, "*")[2]["document"]["comment"], "until autumn")  # as it came, one word more
        status, _, _ = millrace.request("DELETE", "/api/v1/finance/cost/C-17", headers={"If-Match": etag})
        self.assertEqual(status, 412)
        status, _, _ = millrace.request("DELETE", "/api/v1/finance/cost/C-17", headers={"If-Match": "*"})
        self.assertEqual(status, 200)
        self.wait_costs(millrace, [])
        self.assertEqual(millrace.request("GET", "/api/v1/finance/cost/C-17")[0], 404)

    def test_undo_is_refused_for_what_was_changed_since_and_names_it(self):
        millrace = self.serve()
        book = workbook([["No", "Date", "Category", "Amount (EUR)"], ["A-1", "2026-02-01", "Rent", 900], ["A-2", "2026-02-02", "Fuel", 60.5]])
        status, preview = self.post(millrace, "/api/v1/finance/import?preview=1&name=costs.xlsx", book)
        self.assertEqual((status, preview["kind"], preview["format"], preview["counts"]["new"]), (200, "cost", "xlsx", 2), preview)
        self.assertEqual(self.post(millrace, f"/api/v1/finance/import?apply=1&preview={preview['preview']}")[0], 200)
        self.put(millrace, "cost/A-2", {"posted": "2026-02-02", "category": "Fuel", "amount": "61.00", "currency": "EUR"}, "*")
        status, refused = self.post(millrace, "/api/v1/finance/imports/i1/undo")
        self.assertEqual((status, [row["number"] for row in refused["conflicts"]]), (409, ["A-2"]), refused)
        self.wait_costs(millrace, ["2026-02-02 Fuel 61.00 import", "2026-02-01 Rent 900.00 import"])

    def test_the_command_shows_what_it_would_do_and_does_it(self):
        millrace = self.serve()
        path = self.folder / "kosten.csv"
        path.write_bytes(COSTS)
        where = ["--data", self.data, "--listen", f"127.0.0.1:{millrace.port}"]
        tried = self.run_command("import", path, "--dry-run", *where)
        self.assertEqual(tried.returncode, 6, tried.stderr)
        self.assertIn("cost: 2 new, 0 changed, 0 same, 1 doubtful, 1 refused, 1 skipped", tried.stdout.decode())
        self.assertEqual(self.costs(millrace), [])
        done = self.run_command("import", path, *where)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("import i1: 2 new, 0 changed, 2 rows left", done.stdout.decode())
        self.wait_costs(millrace, ["2026-02-16 Miete 1234.50 import", "2026-02-03 L\u00f6hne 12000.00 import"])
        self.assertIn("nothing to take", self.run_command("import", path, *where).stdout.decode())
        self.assertEqual(self.run_command("import", self.folder / "none.csv", *where).returncode, 4)
