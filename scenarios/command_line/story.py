"""Every command explains itself and answers bad input with exit code 2 and a sentence that names the fix."""
import json

from story import Story, order_csv, order_json


class CommandLine(Story):
    def test_scan_writes_the_orders_that_count(self):
        self.write("Open/SO7.json", order_json(7))
        self.write("Shipped/all.csv", order_csv(("SO10", 3, 0, "10.00", "30.00"), ("SO9", 1, 1, "5.00", "5.00")))
        out = self.folder / "orders.csv"
        run = self.run_command("scan", self.orders, "--orders-csv", out, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(out.read_text(encoding="utf-8").splitlines(), [
            "order,status,customer,currency,order_date,due_date,lines,net,tax,freight,total,open,updated,format,path",
            "7,Open,C1,EUR,2026-10-01,2026-11-30,1,100.00,0.00,0.00,100.00,100.00,2026-11-01 08:00:00,json,Open/SO7.json",
            "9,Shipped,C2,EUR,2026-10-01,2026-11-30,1,5.00,0.00,0.00,5.00,5.00,2026-11-01 08:00:00,csv,Shipped/all.csv",
            "10,Shipped,C2,EUR,2026-10-01,2026-11-30,1,30.00,0.00,0.00,30.00,0.00,2026-11-01 08:00:00,csv,Shipped/all.csv",
        ])
        self.assertEqual(json.loads(run.stdout)["orders"], 3)

    def test_a_second_scan_of_the_same_data_folder_opens_only_what_changed(self):
        self.write("Open/SO7.json", order_json(7))
        self.write("Open/SO8.json", order_json(8))
        first = self.run_command("scan", self.orders, "--data", self.folder / "book", "--json")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual({name: json.loads(first.stdout)[name] for name in ("orders", "lines", "net", "open", "files_read")},
                         {"orders": 2, "lines": 2, "net": 20000, "open": 20000, "files_read": 2})
        self.write("Open/SO9.json", order_json(9))
        out = self.folder / "orders.csv"
        second = self.run_command("scan", self.orders, "--data", self.folder / "book", "--orders-csv", out, "--json")
        self.assertEqual({name: json.loads(second.stdout)[name] for name in ("orders", "files_read", "files_unchanged")},
                         {"orders": 3, "files_read": 1, "files_unchanged": 2})
        self.assertEqual([row.split(",")[0] for row in out.read_text(encoding="utf-8").splitlines()[1:]], ["7", "8", "9"])

    def test_scan_says_which_files_were_refused(self):
        self.write("Open/SO7.json", "{")
        out = self.folder / "rejections.csv"
        run = self.run_command("scan", self.orders, "--rejections", out)
        self.assertEqual(run.returncode, 6)
        head, row = out.read_text(encoding="utf-8").splitlines()
        self.assertEqual(head, "path,place,reason,outcome")
        self.assertTrue(row.startswith("Open/SO7.json,"))
        self.assertTrue(row.endswith(",reject"))

    def test_bad_input_gets_exit_code_2_and_a_sentence(self):
        for words, sentence in (
                (["sevre"], b"serve"),
                (["serve", "--lisen", "x"], b"--listen"),
                (["serve", "--auth", "none", "--listen", "0.0.0.0:80", "--orders", self.orders, "--data", self.data], b"127.0.0.1"),
                (["serve", "--listen", "nonsense", "--orders", self.orders, "--data", self.data], b"nonsense"),
                (["serve", "--refresh-interval", "soon"], b"soon"),
                (["scan"], b"DIR"),
                (["export", "rivers"], b"orders"),
                (["export", "orders", "--format", "docx"], b"docx"),
                (["demo", "--orders", "many"], b"many"),
                (["config"], b"show"),
        ):
            with self.subTest(words=words):
                run = self.run_command(*words)
                self.assertEqual(run.returncode, 2, (words, run.stderr))
                self.assertIn(sentence, run.stderr)
                self.assertEqual(run.stdout, b"")

    def test_a_folder_that_is_not_there_is_named(self):
        run = self.run_command("scan", self.folder / "nowhere")
        self.assertNotIn(run.returncode, (0, 2))
        self.assertIn(b"nowhere", run.stderr)

    def test_help_shows_examples_first(self):
        for command in ("serve", "demo", "scan", "export", "pack", "status", "doctor", "version", "config"):
            run = self.run_command(command, "-h")
            self.assertEqual(run.returncode, 0)
            self.assertIn(b"millrace " + command.encode(), run.stdout)
            self.assertLessEqual(len(run.stdout.splitlines()), 40)

    def test_status_asks_the_running_server(self):
        self.write("Open/SO7.json", order_json(7))
        millrace = self.serve()
        run = self.run_command("status", "--listen", f"127.0.0.1:{millrace.port}", "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        json.loads(run.stdout)
        millrace.stop()
        self.assertEqual(self.run_command("status", "--listen", f"127.0.0.1:{millrace.port}").returncode, 3)

    def test_pack_holds_any_table_in_few_bytes_and_gives_it_back_to_the_byte(self):
        lines = ["order,line,item,price,customer,day,note"]
        for order in range(1, 1201):
            for line in range(1, 6):
                item = (order * 31 + line * 17) % 97
                note = '"late, call ""Ms. Ray"""' if order % 100 == 0 else ""
                lines.append(f"{order},{line},P-{item:04},{199 + item * 71}.50,C{order % 60},2026-{1 + order % 12:02}-03,{note}")
        source, copy = self.folder / "lines.csv", self.folder / "copy.csv"
        source.write_bytes("\r\n".join(lines).encode())
        run = self.run_command("pack", source, "--json", "--out", copy)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(copy.read_bytes(), source.read_bytes())
        report = json.loads(run.stdout)
        self.assertTrue(report["lossless"])
        self.assertEqual(report["rows"], 6000)
        self.assertLess(report["packed_bytes"] * 20, report["plain_bytes"])
        self.assertEqual([column["type"] for column in report["columns"]],
                         ["number", "number", "text", "number with 2 decimals", "text", "date", "text"])
        self.assertIn(b"Lossless", self.run_command("pack", source).stdout)

    def test_pack_refuses_what_is_no_table_with_row_and_reason(self):
        source = self.folder / "broken.csv"
        for content, sentence in ((b"a,b\n1,2\n3\n", b"row 3 has 1 field, the first row has 2"), (b'a\n"open', b"row 2: a quote is opened"),
                                  (b"", b"the first line must name the columns")):
            source.write_bytes(content)
            run = self.run_command("pack", source)
            self.assertEqual((run.returncode, run.stdout), (2, b""))
            self.assertIn(sentence, run.stderr)
        self.assertEqual(self.run_command("pack", self.folder / "nowhere.csv").returncode, 4)

    def test_doctor_version_and_config_tell_what_is(self):
        self.assertIn(self.run_command("doctor", "--data", self.data, "--json").returncode, (0, 1))
        version = json.loads(self.run_command("version", "--json").stdout)
        self.assertTrue(version["version"])
        shown = self.run_command("config", "show", "--origin")
        self.assertEqual(shown.returncode, 0)
        self.assertIn(b"default", shown.stdout)
