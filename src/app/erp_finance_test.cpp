#include "erp/finance_sync.h"

#include <doctest/doctest.h>

#include "domain/finance_codec.h"
#include "erp/service_source.h"
#include "ingest/layout_profile.h"
#include "simulator/in_process.h"
#include "testing/convergence/fake_time.h"
#include "testing/temporary_folder.h"

using namespace millrace;
using namespace millrace::erp;
using namespace std::chrono_literals;

namespace {

using simulator::one;

std::int32_t day(int month, unsigned of_month) {
  return day_number(std::chrono::year(2026) / month / static_cast<int>(of_month));
}

std::string text(const FinanceDocument& document) {
  std::string out = std::string(word(document.kind)) + " " + document.number + " " + document.party_code + " " +
                    decimal_text(Money{document.amount, document.currency}) + " " + document.currency.code();
  if (document.posted) out += " posted " + iso(*document.posted);
  if (document.due) out += " due " + iso(*document.due);
  for (const FinanceLine& line : document.lines)
    out += " | " + line.order.text + "/" + (line.order_line ? std::to_string(*line.order_line) : "-") + " " + decimal_text(line.quantity) + " " +
           decimal_text(Money{line.amount, document.currency});
  for (const Allocation& part : document.allocations)
    out += " settles " + std::string(word(part.kind)) + " " + part.number + " " + decimal_text(Money{part.amount, document.currency});
  return out + (document.closed ? " closed" : "") + (document.cancelled ? " cancelled" : "") + "\n";
}

// An ERP, the source that reads it, and a record; syncs run when the test says so.
struct Plant {
  testing::FakeTime time{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + 8h};
  testing::FakeTime::Waiting waiting{time};
  simulator::ServiceLayer server{{}, {}, time};
  testing::TemporaryFolder folder;
  metrics::Registry metrics;
  ServiceSourceOptions options;
  std::unique_ptr<simulator::InProcess> transport;
  std::unique_ptr<store::Record> record;
  std::unique_ptr<ingest::Intake> intake;
  std::unique_ptr<ingest::Source> source;

  Plant() {
    options.id = "sap";
    options.connect.url = "https://sap.test:50000/b1s/v2";
    options.connect.company = "NORDWERK";
    options.connect.user = options.connect.password = "manager";
    options.seed = 1;
    enter_order();
  }
  void open() {
    source.reset();
    intake.reset();
    record.reset();
    transport = std::make_unique<simulator::InProcess>(server);
    store::SqliteOptions with;
    with.path = folder.path() + "/record.db";
    with.clock = &time;
    record = *store::open_sqlite_record(std::move(with));
    intake = std::make_unique<ingest::Intake>(*record, ingest::built_in_profile());
    REQUIRE(intake->restore({"sap"}, nullptr, [](const Error&) {}));
    source = make_service_source(options, *intake, *record, metrics, time, *transport, waiting);
  }
  void sync() {
    if (source == nullptr) open();
    time.pass(40min);
    source->request_refresh(false);
    for (int i = 0; i < 1'000 && source->step(0ms); ++i) {}
    INFO(source->status().message);
    CHECK(source->status().state == ingest::SourceState::polling);
  }
  template <class Work>
  void change(Work work) {
    server.with_company([&](simulator::Company& company) {
      work(company);
      return 0;
    });
  }

  // Order 40007: 10 of 12.50 and 4 of 5.00.
  void enter_order() {
    change([&](simulator::Company& company) {
      simulator::Document order;
      order.entry = 7;
      order.number = 40'007;
      order.card_code = "C1";
      order.card_name = "Smith";
      order.posted_day = day(2, 20);
      order.due_day = day(3, 20);
      for (const auto& [number, quantity, price] : {std::tuple{0, 10, 12'500'000}, std::tuple{2, 4, 5'000'000}})
        order.lines.push_back({.number = number, .item_code = "A1", .description = "Bolt", .warehouse = "1", .unit = "pcs", .currency = "EUR", .quantity = quantity * one,
                               .open = quantity * one, .price = price, .ship_day = day(3, 20)});
      company.enter(std::move(order), server.local_time());
    });
  }
  // Four of its first line, 50.00 and 9.50 of tax.
  void enter_invoice(std::int32_t entry, std::int32_t number) {
    change([&](simulator::Company& company) {
      simulator::Document invoice = company.orders.at(7);
      invoice.entry = entry;
      invoice.number = number;
      invoice.posted_day = day(3, 1);
      invoice.due_day = day(3, 31);
      invoice.tax = 9'500'000;
      invoice.lines.resize(1);
      invoice.lines[0].quantity = 4 * one;
      invoice.lines[0].base_entry = 7;
      invoice.lines[0].base_line = 0;
      invoice.stamp = server.local_time();
      company.invoices[entry] = std::move(invoice);
    });
  }
  void change_invoice(std::int32_t entry, const std::function<void(simulator::Document&)>& work) {
    change([&](simulator::Company& company) {
      simulator::Document& invoice = company.invoices.at(entry);
      work(invoice);
      invoice.stamp = server.local_time();
      ++invoice.version;
    });
  }
  void enter_payment(std::int32_t entry, std::int32_t invoice, std::int64_t micros) {
    change([&](simulator::Company& company) {
      company.payments[entry] = {.entry = entry, .number = 300 + entry, .day = day(3, 20), .card_code = "C1", .invoices = {{invoice, micros}}};
    });
  }
  std::string documents() {
    std::string out;
    for (std::uint8_t kind = 1; kind < finance_kind_count; ++kind) {
      const auto read = record->kept(ingest::finance_space("sap", static_cast<FinanceKind>(kind)), [&](const store::KeptRow& row) {
        const auto document = decode_finance_document(row.content);
        REQUIRE(document);
        CHECK(finance_key(*document) == row.key);
        out += text(*document);
        return true;
      });
      REQUIRE(read);
    }
    return out;
  }
  std::string rejections() {
    std::string out;
    const auto rejections = record->rejections();
    REQUIRE(rejections);
    for (const feed::Rejection& rejection : *rejections) out += rejection.path + ": " + rejection.reason + "\n";
    return out;
  }
  std::uint64_t revision() { return record->position()->revision; }
};

}  // namespace

TEST_CASE("an invoice of an ERP appears, is paid in part, is cancelled and goes") {
  Plant plant;
  plant.enter_invoice(11, 9001);
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n");

  plant.enter_payment(5, 11, 20 * one);
  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.paid = 20 * one; });
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                             "payment 305 C1 20.00 EUR posted 2026-03-20 settles invoice 9001 20.00\n");

  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.cancelled = true, invoice.open = false; });
  plant.change([](simulator::Company& company) { company.payments.at(5).cancelled = true; });
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00 closed cancelled\n"
                             "payment 305 C1 20.00 EUR posted 2026-03-20 settles invoice 9001 20.00 cancelled\n");

  plant.change([](simulator::Company& company) { company.invoices.erase(11), company.payments.erase(5); });
  plant.sync();
  plant.sync();
  CHECK(plant.documents() == "");
  CHECK(plant.rejections() == "");
}

TEST_CASE("a sync that finds nothing new changes no finance document, also after a restart") {
  Plant plant;
  plant.enter_invoice(11, 9001);
  plant.enter_payment(5, 11, 20 * one);
  plant.sync();
  plant.sync();
  const std::uint64_t before = plant.revision();
  const std::string documents = plant.documents();
  plant.sync();
  CHECK(plant.revision() == before);
  plant.open();
  plant.sync();
  CHECK(plant.revision() == before);
  CHECK(plant.documents() == documents);
}

TEST_CASE("a payment that comes before its invoice is on account, and settles it when it comes") {
  Plant plant;
  plant.enter_payment(5, 11, 20 * one);
  plant.sync();
  CHECK(plant.documents() == "payment 305 C1 20.00 EUR posted 2026-03-20\n");
  plant.enter_invoice(11, 9001);
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                             "payment 305 C1 20.00 EUR posted 2026-03-20 settles invoice 9001 20.00\n");
}

TEST_CASE("a purchase order counts with what is not received, and is closed with its last part") {
  Plant plant;
  plant.change([&](simulator::Company& company) {
    simulator::Document purchase = company.orders.at(7);
    purchase.number = 800;
    purchase.card_code = "V1";
    purchase.lines.resize(1);
    purchase.tax = 25 * one;
    company.purchase_orders[7] = std::move(purchase);
  });
  plant.sync();
  CHECK(plant.documents() == "purchase_order 800 V1 150.00 EUR posted 2026-02-20 due 2026-03-20\n");
  const auto change = [&](const std::function<void(simulator::Document&)>& work) {
    plant.change([&](simulator::Company& company) {
      simulator::Document& purchase = company.purchase_orders.at(7);
      work(purchase);
      purchase.stamp = plant.server.local_time();
      ++purchase.version;
    });
    plant.sync();
  };
  change([](simulator::Document& purchase) { purchase.lines[0].open = 4 * one; });
  CHECK(plant.documents() == "purchase_order 800 V1 60.00 EUR posted 2026-02-20 due 2026-03-20\n");
  change([](simulator::Document& purchase) { purchase.open = false; });
  CHECK(plant.documents() == "purchase_order 800 V1 150.00 EUR posted 2026-02-20 due 2026-03-20 closed\n");
}

TEST_CASE("two invoices with one number, of two series, both count") {
  Plant plant;
  plant.enter_invoice(11, 9001);
  plant.enter_invoice(12, 9001);
  plant.enter_payment(5, 12, 20 * one);
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                             "invoice 9001/12 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                             "payment 305 C1 20.00 EUR posted 2026-03-20 settles invoice 9001/12 20.00\n");
  plant.change([](simulator::Company& company) { company.invoices.erase(11); });
  plant.sync();
  plant.sync();
  plant.change_invoice(12, [](simulator::Document& invoice) { invoice.reference = "PO-1"; });
  plant.sync();
  CHECK(plant.documents() == "invoice 9001/12 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                             "payment 305 C1 20.00 EUR posted 2026-03-20 settles invoice 9001/12 20.00\n");
}

TEST_CASE("what cannot be a finance document is listed with its key and reason, and leaves the list when it is corrected") {
  Plant plant;
  plant.enter_invoice(11, 9001);
  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.card_code = ""; });
  plant.enter_invoice(12, 9002);
  plant.sync();
  CHECK(plant.documents() == "invoice 9002 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n");
  CHECK(plant.rejections() == "invoices/Invoices(11): it counts in no figure of money: The invoice 9001 names no customer; give the customer's code.\n");
  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.card_code = "C2"; });
  plant.sync();
  CHECK(plant.rejections() == "");
  CHECK(plant.documents().starts_with("invoice 9001 C2 59.50"));
}

TEST_CASE("a source with finance = false makes no documents; turned off they go, turned on they come, without a call") {
  Plant plant;
  plant.options.finance = false;
  plant.enter_invoice(11, 9001);
  plant.enter_payment(5, 11, 20 * one);
  plant.sync();
  CHECK(plant.documents() == "");
  const std::string expected = "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                               "payment 305 C1 20.00 EUR posted 2026-03-20 settles invoice 9001 20.00\n";
  plant.options.finance = true;
  plant.open();
  plant.sync();
  CHECK(plant.documents() == expected);
  plant.options.finance = false;
  plant.open();
  plant.sync();
  CHECK(plant.documents() == "");
  const std::uint64_t before = plant.revision();
  plant.open();
  plant.sync();
  CHECK(plant.revision() == before);
}

TEST_CASE("where nobody brings payments, what an invoice says is paid is one, of the day that told it") {
  Plant plant;
  plant.options.streams = {"orders", "invoices"};
  plant.enter_invoice(11, 9001);
  plant.sync();
  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.paid = 20 * one; });
  plant.sync();
  const std::string payment = "payment 9001 paid C1 20.00 EUR posted 2026-03-02 settles invoice 9001 20.00\n";
  CHECK(plant.documents().ends_with(payment));
  plant.time.pass(48h);
  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.reference = "PO-1"; });
  plant.sync();
  CHECK(plant.documents().ends_with(payment));
  plant.change_invoice(11, [](simulator::Document& invoice) { invoice.paid = 0; });
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n");
}

TEST_CASE("a credit note takes back the invoice it is based on, and a payment may use up another") {
  Plant plant;
  plant.enter_invoice(11, 9001);
  const auto credit = [&](std::int32_t entry, std::int32_t number, std::int32_t invoice) {
    plant.change([&](simulator::Company& company) {
      simulator::Document note = company.invoices.at(11);
      note.entry = entry;
      note.number = number;
      note.posted_day = day(3, 10);
      note.tax = 0;
      note.lines[0].quantity = one;
      note.lines[0].base_entry = invoice;
      note.lines[0].base_type = 13;
      company.credit_notes[entry] = std::move(note);
    });
  };
  credit(21, 700, 11);
  credit(22, 701, 0);
  plant.change([](simulator::Company& company) {
    company.payments[5] = {.entry = 5, .number = 305, .day = day(3, 20), .card_code = "C1", .invoices = {{11, 47 * one}, {22, -12'500'000, "it_CredItnote"}}};
  });
  plant.sync();
  CHECK(plant.documents() == "invoice 9001 C1 59.50 EUR posted 2026-03-01 due 2026-03-31 | 40007/1 4 50.00\n"
                             "credit_note 700 C1 12.50 EUR posted 2026-03-10 | /- 1 12.50 settles invoice 9001 12.50\n"
                             "credit_note 701 C1 12.50 EUR posted 2026-03-10 | /- 1 12.50\n"
                             "payment 305 C1 34.50 EUR posted 2026-03-20 settles invoice 9001 47.00 settles credit_note 701 12.50\n");
}

TEST_CASE("a bill of a supplier is due and is paid by the payment that names it") {
  Plant plant;
  plant.change([&](simulator::Company& company) {
    simulator::Document bill = company.orders.at(7);
    bill.number = 500;
    bill.card_code = "V1";
    company.bills[7] = std::move(bill);
  });
  plant.sync();
  const std::string bill = "bill 500 V1 145.00 EUR posted 2026-02-20 due 2026-03-20 | /- 10 125.00 | /- 4 20.00";
  CHECK(plant.documents() == bill + "\n");
  plant.change([](simulator::Company& company) {
    company.supplier_payments[3] = {.entry = 3, .number = 88, .day = day(3, 25), .card_code = "V1", .invoices = {{7, 145 * one, "it_PurchaseInvoice"}}};
    company.bills.at(7).open = false;
    ++company.bills.at(7).version;
  });
  plant.sync();
  CHECK(plant.documents() == bill + " closed\nsupplier_payment 88 V1 145.00 EUR posted 2026-03-25 settles bill 500 145.00\n");
}
