#include "app/demo_company.h"

#include <algorithm>
#include <array>
#include <set>

#include "app/internal/demo_formats.h"
#include "base/check.h"
#include "domain/order_rules.h"

namespace millrace::app {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr int history_days = 420;
constexpr std::uint64_t first_number = 100001;

struct Country {
  std::string_view code;
  std::string_view currency;
  unsigned weight;
  std::array<std::string_view, 12> names;
  std::array<std::string_view, 6> trades;
  std::array<std::string_view, 2> forms;
};

// Names are made up from parts; no real company is meant.
constexpr std::array countries = std::to_array<Country>({
    {"DE",
     "EUR",
     46,
     {"Müller & Söhne", "Brückner", "Schäfer", "Voßkamp", "Großmann", "Jürgens", "Petersen", "Weserland", "Niederrhein",
      "Holstein", "Harzer", "Köhler"},
     {"Wassertechnik", "Anlagenbau", "Klärwerke", "Brauerei", "Papierfabrik", "Chemie"},
     {"GmbH", "GmbH & Co. KG"}},
    {"AT",
     "EUR",
     7,
     {"Tiroler", "Grüninger", "Salzach", "Steirische", "Wachauer", "Obermoser", "Kärntner", "Donautal", "Lechner",
      "Enzinger", "Murtal", "Zillertaler"},
     {"Wasserwerke", "Molkerei", "Pumpenservice", "Bergbahnen", "Energie", "Maschinenbau"},
     {"GesmbH", "AG"}},
    {"CH",
     "CHF",
     7,
     {"Zürcher", "Glarner", "Bündner", "Thurgauer", "Rüegg", "Emmentaler", "Hürlimann", "Aarauer", "Engadiner", "Rhône",
      "Jura", "Säntis"},
     {"Wasserversorgung", "Verfahrenstechnik", "Käserei", "Pharma", "Kraftwerke", "Anlagen"},
     {"AG", "Sàrl"}},
    {"NL",
     "EUR",
     7,
     {"Van der Meer", "De Vries", "Waterland", "Zuiderzee", "IJssel", "Van den Berg", "Scheldemond", "Noordhoek",
      "Polder", "Kuipers", "Drentse", "Maasvlakte"},
     {"Pompen", "Waterbeheer", "Tuinbouw", "Scheepswerf", "Zuivel", "Techniek"},
     {"B.V.", "N.V."}},
    {"FR",
     "EUR",
     7,
     {"Société des Eaux de Vézère", "Léman", "Charente", "Bézier & Fils", "Loire", "Garonne", "Sévérac", "Côte d'Opale",
      "Lefèvre", "Ardèche", "Vosges", "Noël"},
     {"Hydraulique", "Assainissement", "Procédés", "Sucrerie", "Énergie", "Chantiers"},
     {"S.A.", "SARL"}},
    {"SE",
     "SEK",
     7,
     {"Åkesson", "Västkusten", "Öresund", "Norrland", "Lindqvist", "Sjöberg", "Mälardalen", "Håkansson", "Bergslagen",
      "Skåne", "Dalälven", "Gränna"},
     {"Vatten", "Pappersbruk", "Fjärrvärme", "Gruv", "Mejeri", "Industri"},
     {"AB", "Aktiebolag"}},
    {"DK",
     "EUR",
     4,
     {"Ørsund", "Jensen & Sønner", "Limfjord", "Skagerrak", "Bornholm", "Kjær", "Sjælland", "Mols", "Nørgaard", "Fyn",
      "Esbjerg Havn", "Vestjysk"},
     {"Vandværk", "Mejeri", "Skibsværft", "Bryggeri", "Energi", "Maskinfabrik"},
     {"A/S", "ApS"}},
    {"PL",
     "EUR",
     4,
     {"Łódzkie", "Śląskie", "Wisła", "Gdańskie", "Mazurskie", "Kowalczyk", "Wójcik", "Podhale", "Odra",
      "Świętokrzyskie", "Bałtyk", "Poznańskie"},
     {"Wodociągi", "Zakłady Chemiczne", "Energetyka", "Cukrownia", "Stocznia", "Pompy"},
     {"Sp. z o.o.", "S.A."}},
    {"US",
     "USD",
     7,
     {"Great Lakes", "O'Neil", "Blue Ridge", "Cascade", "Delaware Valley", "Prairie", "Chesapeake", "Lone Pine",
      "Harper & Sons", "Twin Rivers", "Granite State", "Bayou"},
     {"Water Works", "Process Equipment", "Irrigation", "Brewing", "Paper Mills", "Utilities"},
     {"Inc.", "LLC"}},
    {"JP",
     "JPY",
     4,
     {"Kobe", "Tokai", "Setouchi", "Hokuriku", "Aoyama", "Yodogawa", "Kitakami", "Sagami", "Minato", "Tamagawa",
      "Chikugo", "Fujikawa"},
     {"Suido", "Seishi", "Kagaku", "Zosen", "Shokuhin", "Kikai"},
     {"K.K.", "Co., Ltd."}},
});

struct Finish {
  std::string_view code, name;
  std::int64_t percent;  // of the family's price
};
using Finishes = std::array<Finish, 4>;
constexpr Finishes metals = {
    {{"GG", "cast iron", 100}, {"BZ", "bronze", 135}, {"VA", "stainless steel", 190}, {"DX", "duplex steel", 260}}};
constexpr Finishes electric = {
    {{"S", "IP55", 100}, {"F", "forced cooling", 118}, {"T", "tropical", 132}, {"EX", "explosion-proof", 205}}};
constexpr Finishes rubber = {{{"NB", "NBR", 100}, {"EP", "EPDM", 115}, {"VI", "FKM", 180}, {"FF", "FFKM", 410}}};

struct Family {
  std::string_view code, name;
  std::int64_t price;  // EUR, of the smallest size
  std::array<std::string_view, 6> sizes;
  std::string_view manufacturer;
  bool bulk, halves;
  std::string_view unit;
  const Finishes* finishes;
};

constexpr std::array families = std::to_array<Family>({
    {"NKP",
     "Standard pump",
     1180,
     {"32-125", "40-160", "50-200", "65-250", "80-315", "100-400"},
     "Nordwerk",
     false,
     false,
     "pcs",
     &metals},
    {"NBL",
     "Block pump",
     740,
     {"25-100", "32-125", "40-160", "50-160", "65-200", "80-200"},
     "Nordwerk",
     false,
     false,
     "pcs",
     &metals},
    {"NTS",
     "Submersible pump",
     1960,
     {"50-4", "65-6", "80-8", "100-10", "150-12", "200-14"},
     "Nordwerk",
     false,
     false,
     "pcs",
     &metals},
    {"NHD",
     "High-pressure pump",
     4350,
     {"25/6", "32/8", "40/8", "50/10", "65/10", "80/12"},
     "Nordwerk",
     false,
     false,
     "pcs",
     &metals},
    {"NDA", "Dosing pump", 890, {"1.5", "4", "8", "15", "40", "120"}, "Nordwerk", false, false, "pcs", &metals},
    {"MOT",
     "Motor IE4",
     310,
     {"1.1 kW", "3 kW", "7.5 kW", "15 kW", "30 kW", "75 kW"},
     "Brandt Motoren",
     false,
     false,
     "pcs",
     &electric},
    {"FUM",
     "Frequency converter",
     420,
     {"1.5 kW", "4 kW", "11 kW", "18.5 kW", "37 kW", "90 kW"},
     "Halden Elektronik",
     false,
     false,
     "pcs",
     &electric},
    {"GLR",
     "Mechanical seal",
     64,
     {"20 mm", "28 mm", "33 mm", "43 mm", "53 mm", "65 mm"},
     "Steinhoff Dichtungen",
     true,
     false,
     "pcs",
     &rubber},
    {"LAG",
     "Deep groove bearing",
     7,
     {"6204", "6206", "6308", "6310", "6313", "6316"},
     "Lindqvist Lager",
     true,
     false,
     "pcs",
     &metals},
    {"LFR", "Impeller", 95, {"D125", "D160", "D200", "D250", "D315", "D400"}, "Nordwerk", true, false, "pcs", &metals},
    {"ORG",
     "O-ring set",
     2,
     {"NKP S", "NKP M", "NKP L", "NBL S", "NBL M", "NBL L"},
     "Steinhoff Dichtungen",
     true,
     false,
     "set",
     &rubber},
    {"SLA",
     "Suction hose",
     18,
     {"DN25", "DN32", "DN50", "DN65", "DN80", "DN100"},
     "Ravel Industrie",
     true,
     true,
     "m",
     &rubber},
});

constexpr std::array<std::string_view, 9> salespersons = {"Petra Jansen",  "Jörg Bäumler",  "Aylin Demir",
                                                          "Lars Nyström",  "Claire Dubois", "Tomasz Zieliński",
                                                          "Ingrid Köster", "Mark O'Brien",  "Yuki Tanaka"};

sys_days weekday_at_or_before(sys_days day) {
  const unsigned weekday = std::chrono::weekday(day).iso_encoding();
  return weekday > 5 ? day - days(weekday - 5) : day;
}

sys_days weekday_at_or_after(sys_days day) {
  const unsigned weekday = std::chrono::weekday(day).iso_encoding();
  return weekday > 5 ? day + days(8 - weekday) : day;
}

std::string two_digits(std::uint64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

// EUR price in 1/10000 to micros of the currency, with the decimals people of that currency use in price lists.
std::int64_t price_in(Currency currency, std::int64_t eur_price) {
  const std::string code = currency.code();
  std::int64_t per_mille = 1000;
  if (code == "USD")
    per_mille = 1085;
  else if (code == "CHF")
    per_mille = 945;
  else if (code == "SEK")
    per_mille = 11250;
  else if (code == "JPY")
    per_mille = 162000;
  const std::int64_t grain = currency.decimals() == 0 ? 1'000'000 : 100;  // micros: whole yen, else 1/10000
  const Int128 micros = Int128{eur_price} * 100 * per_mille;
  return static_cast<std::int64_t>(divide_half_away(micros, Int128{1000} * grain)) * grain;
}

Currency currency_of(std::string_view code) {
  const auto currency = Currency::parse(code);
  check(currency.has_value(), "a currency of the demo company is not ISO 4217");
  return *currency;
}

std::string file_safe(std::string_view name) {
  std::string safe(name);
  std::ranges::replace(safe, '/', '-');
  while (safe.ends_with('.')) safe.pop_back();  // Windows shares cannot keep a dot at the end
  if (safe.starts_with('.')) safe.front() = '-';
  return safe;
}

ingest::Format choose_format(Dice& dice) {
  const auto roll = dice.below(100);
  if (roll < 55) return ingest::Format::json;
  if (roll < 75) return ingest::Format::csv;
  return roll < 90 ? ingest::Format::xlsx : ingest::Format::pdf;
}

std::int64_t whole_delivery(std::int64_t ordered_micros, Dice& dice) {
  const std::int64_t whole = ordered_micros / micros_per_one;
  return whole <= 1 ? 0 : dice.between(1, whole - 1) * micros_per_one;
}

}  // namespace

Dice::Dice(std::uint64_t seed, std::uint64_t stream) : state_(seed) {
  state_ = next() ^ (stream * 0x9e3779b97f4a7c15ull);
  state_ = next();
}

std::uint64_t Dice::next() {
  state_ += 0x9e3779b97f4a7c15ull;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return mixed ^ (mixed >> 31);
}

std::uint64_t Dice::below(std::uint64_t bound) {
  check(bound > 0, "dice need at least one side");
  // Multiply and shift: the bias is below 2^-40 for our bounds, and it is the same on every machine.
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

std::int64_t Dice::between(std::int64_t least, std::int64_t most) {
  check(least <= most, "dice need least <= most");
  return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
}

bool Dice::chance(unsigned per_mille) { return below(1000) < per_mille; }

std::uint64_t Dice::low_below(std::uint64_t bound, int rolls) {
  std::uint64_t least = below(bound);
  for (int i = 1; i < rolls; ++i) least = std::min(least, below(bound));
  return least;
}

DemoCompany::DemoCompany(DemoOptions options) : options_(options) {
  check(options_.today.ok(), "the demo company needs a day");
  check(options_.order_count > 0, "the demo company needs orders");
  make_customers();
  make_items();
}

void DemoCompany::make_customers() {
  Dice dice(options_.seed, 0x637573746f6d6572);
  const std::size_t count = std::clamp<std::size_t>(options_.order_count / 12, 24, 412);
  std::set<std::string> taken;
  while (customers_.size() < count) {
    auto roll = dice.below(100);
    const Country* country = &countries.front();
    for (const Country& candidate : countries) {
      country = &candidate;
      if (roll < candidate.weight) break;
      roll -= candidate.weight;
    }
    const auto part = [&](const auto& parts) { return std::string(parts[dice.below(parts.size())]); };
    const std::string name = part(country->names) + " " + part(country->trades);
    if (!taken.insert(name).second) continue;
    DemoCustomer customer;
    customer.code = "C" + std::to_string(10001 + customers_.size());
    customer.name = name + " " + part(country->forms);
    customer.country = country->code;
    customer.currency = currency_of(country->currency);
    customer.discount = dice.chance(600) ? 0 : dice.between(1, 5) * 2'500'000;
    customers_.push_back(std::move(customer));
  }
}

void DemoCompany::make_items() {
  Dice dice(options_.seed, 0x6974656d);
  for (const Family& family : families) {
    for (std::size_t size = 0; size < family.sizes.size(); ++size) {
      for (const Finish& finish : *family.finishes) {
        DemoItem item;
        item.code = std::string(family.code) + "-" + two_digits(size + 1) + "-" + std::string(finish.code);
        item.name = std::string(family.name) + " " + std::string(family.sizes[size]) + ", " + std::string(finish.name);
        item.manufacturer = family.manufacturer;
        item.unit = family.unit;
        item.bulk = family.bulk;
        item.halves = family.halves;
        const std::int64_t growth = 100 + static_cast<std::int64_t>(size) * 55;  // percent of the smallest size
        // The last factor makes prices crooked, as real price lists are.
        item.price = family.price * growth * finish.percent * dice.between(91, 109) / 100;
        item.price = item.price / (family.bulk ? 1 : 100) * (family.bulk ? 1 : 100);
        items_.push_back(std::move(item));
      }
    }
  }
}

Day DemoCompany::order_day(std::size_t index) const {
  const sys_days today(options_.today);
  if (index >= options_.order_count) return options_.today;
  const std::uint64_t remaining = options_.order_count - 1 - index;
  const std::uint64_t age = remaining * history_days / options_.order_count;
  return Day(weekday_at_or_before(today - days(1 + static_cast<int>(age))));
}

void DemoCompany::choose_status(SalesOrder& order, Dice& dice, int days_of_lead) const {
  const sys_days today(options_.today);
  const int elapsed = static_cast<int>((today - sys_days(*order.order_date)).count());
  const int overdue = static_cast<int>((today - sys_days(*order.requested_date)).count());
  std::string_view status = demo_status::open;
  if (elapsed > 3 && dice.chance(40)) {
    status = demo_status::cancelled;
  } else if (overdue <= 0) {
    const int progress = elapsed * 100 / std::max(days_of_lead, 1);
    if (progress >= 75)
      status = dice.chance(600)   ? demo_status::ready
               : dice.chance(600) ? demo_status::in_production
                                  : demo_status::shipped;
    else if (progress >= 30)
      status = demo_status::in_production;
  } else {
    const unsigned late = overdue <= 3 ? 450 : overdue <= 10 ? 220 : overdue <= 30 ? 80 : overdue <= 90 ? 20 : 3;
    if (dice.chance(late))
      status = dice.chance(600)   ? demo_status::in_production
               : dice.chance(600) ? demo_status::ready
                                  : demo_status::open;
    else
      status = overdue <= 30 ? demo_status::shipped : demo_status::closed;
  }
  order.status = status;
  order.cancelled = status == demo_status::cancelled;
}

void DemoCompany::add_lines(SalesOrder& order, const DemoCustomer& customer, Dice& dice) const {
  std::size_t count = 1 + dice.low_below(8, 2);
  if (dice.chance(120)) count += dice.below(20);
  if (dice.chance(10)) count += dice.below(90);
  for (std::size_t i = 0; i < count; ++i) {
    const DemoItem& item = items_[dice.chance(300) ? dice.below(items_.size()) : dice.low_below(items_.size(), 3)];
    OrderLine line;
    line.line_number = static_cast<std::int32_t>(i + 1);
    line.item_code = item.code;
    line.item_name = item.name;
    line.manufacturer = item.manufacturer;
    line.warehouse_code = item.bulk ? "02" : "01";
    line.unit = item.unit;
    std::int64_t quantity = 1 + static_cast<std::int64_t>(item.bulk ? dice.low_below(120, 3) : dice.low_below(12, 3));
    if (item.bulk && dice.chance(30)) quantity *= 10;
    line.quantity_ordered.micros = quantity * micros_per_one;
    if (item.halves && dice.chance(500)) line.quantity_ordered.micros += micros_per_one / 2;
    line.unit_price.micros = price_in(order.currency, item.price);
    line.discount.micros = customer.discount + (dice.chance(150) ? 2'000'000 : 0);
    line.requested_date = order.requested_date;
    if (dice.chance(150))
      line.requested_date = Day(weekday_at_or_after(sys_days(*order.requested_date) + days(dice.between(1, 12))));
    order.lines.push_back(std::move(line));
  }
}

void DemoCompany::deliver(SalesOrder& order, Dice& dice) const {
  const bool active = is_active(order.status);
  const bool partly = active && order.status != demo_status::open && dice.chance(280);
  for (OrderLine& line : order.lines) {
    line.status = active ? LineStatus::open : LineStatus::closed;
    line.quantity_open = active ? line.quantity_ordered : Quantity{};
    if (!partly || dice.chance(450)) continue;
    line.quantity_open.micros -=
        dice.chance(400) ? line.quantity_ordered.micros : whole_delivery(line.quantity_ordered.micros, dice);
    if (line.quantity_open.micros == 0) line.status = LineStatus::closed;
  }
  OrderLine& first = order.lines.front();
  const bool backorder = order.status == demo_status::shipped && dice.chance(40);
  if (backorder || (active && std::ranges::none_of(
                                  order.lines, [](const OrderLine& line) { return line.quantity_open.micros > 0; }))) {
    first.quantity_open = first.quantity_ordered;
    first.status = LineStatus::open;
  }
  if (active && order.lines.size() >= 3 && dice.chance(25)) {
    order.lines.back().status = LineStatus::cancelled;
    order.lines.back().quantity_open = {};
  }
  order.document_status = active || backorder ? DocumentStatus::open : DocumentStatus::closed;
}

void DemoCompany::stamp(SalesOrder& order, Dice& dice) const {
  const sys_days entered(*order.order_date);
  const sys_days newest = std::max(entered, sys_days(options_.today) - days(1));
  sys_days day = entered + days(dice.between(0, 2));
  if (order.status == demo_status::shipped || order.status == demo_status::closed) {
    day = sys_days(*order.requested_date) + days(dice.between(-2, 5));
  } else if (order.status != demo_status::open) {
    day = entered + days(dice.between(2, 16));
  }
  day = std::clamp(day, entered, newest);
  order.updated = Instant(day) + std::chrono::seconds(6 * 3600 + dice.below(12 * 3600));
}

DemoDocument DemoCompany::document(std::size_t index) const {
  Dice dice(options_.seed, index + 1);
  const DemoCustomer& customer = customers_[dice.low_below(customers_.size(), 4)];
  DemoDocument document;
  document.format = choose_format(dice);
  document.german = customer.country == "DE" || customer.country == "AT";
  SalesOrder& order = document.order;
  order.number.text = std::to_string(first_number + index);
  order.source_key = std::to_string(20000 + index);
  order.customer_code = customer.code;
  order.customer_name = customer.name;
  order.customer_reference = dice.chance(120) ? "" : "PO" + std::to_string(4000 + dice.below(90000));
  order.salesperson = salespersons[(dice.chance(850) ? index * 7 : dice.below(1000)) % salespersons.size()];
  order.currency = customer.currency;
  order.order_date = order_day(index);
  const int lead = static_cast<int>(dice.between(12, 48));
  order.requested_date = Day(weekday_at_or_after(sys_days(*order.order_date) + days(lead)));
  order.revision = dice.chance(60) ? (dice.chance(200) ? "C" : "B") : "";
  if (index < options_.order_count)
    choose_status(order, dice, lead);
  else
    order.status = demo_status::open;
  add_lines(order, customer, dice);
  deliver(order, dice);
  const std::int64_t freight_minor = dice.chance(400) ? 0 : dice.between(2, 48) * 1250;  // EUR cents
  order.freight = price_in(order.currency, freight_minor * 100) / (order.currency.decimals() == 0 ? 1'000'000 : 10'000);
  stamp(order, dice);
  reprice(order, tax_percent(customer.country));
  if (document.format == ingest::Format::pdf && !internal::fits_pdf(order)) document.format = ingest::Format::json;
  document.path = demo_path(document);
  return document;
}

std::optional<DemoDocument> DemoCompany::superseded(std::size_t index) const {
  Dice dice(options_.seed, 0x6f6c64000000 + index);
  DemoDocument older = document(index);
  SalesOrder& order = older.order;
  const std::string current_path = older.path;
  const bool former_revision = !order.revision.empty() && dice.chance(600);
  const bool forgotten_copy = !former_revision && order.status == demo_status::shipped && dice.chance(60);
  if (!former_revision && !forgotten_copy) return std::nullopt;
  order.updated = std::max(Instant(sys_days(*order.order_date)),
                           *order.updated - std::chrono::hours(20) - std::chrono::seconds(dice.below(36000)));
  if (former_revision) {
    order.revision = order.revision == "C" ? "B" : "";
    OrderLine& line = order.lines.front();
    line.quantity_ordered.micros += micros_per_one;
    if (line.quantity_open.micros > 0) line.quantity_open.micros += micros_per_one;
  } else {
    order.status = demo_status::ready;
    order.document_status = DocumentStatus::open;
    for (OrderLine& line : order.lines) {
      line.status = LineStatus::open;
      line.quantity_open = line.quantity_ordered;
    }
  }
  const auto customer = std::ranges::find(customers_, order.customer_code, &DemoCustomer::code);
  reprice(order, tax_percent(customer->country));
  older.path = demo_path(older);
  if (older.path == current_path) {
    const auto dot = older.path.rfind('.');
    older.path.insert(dot, order.revision == "B" ? "_rev B" : "_rev A");
  }
  return older;
}

std::string demo_path(const DemoDocument& document) {
  const SalesOrder& order = document.order;
  std::string path = order.status + "/" + std::to_string(static_cast<int>(order.order_date->year())) + "/" +
                     file_safe(order.customer_name) + "/SO" + order.number.text;
  if (document.format == ingest::Format::pdf && !order.customer_reference.empty())
    path += "_" + order.customer_reference;
  return path + "." + std::string(ingest::word(document.format));
}

void reprice(SalesOrder& order, int percent) {
  for (OrderLine& line : order.lines) {
    const auto total = line_total(line.quantity_ordered, line.unit_price, line.discount, order.currency);
    check(total.has_value(), "a line total of the demo company leaves the bounds of amounts");
    line.line_total = *total;
  }
  settle_amounts(order);
  order.tax = static_cast<std::int64_t>(divide_half_away(Int128{amounts(order).net} * percent, 100));
  order.document_total = amounts(order).total;
}

int tax_percent(std::string_view country) {
  if (country == "DE") return 19;
  return country == "AT" ? 20 : 0;  // exports leave without tax
}

bool is_active(std::string_view status) {
  return status == demo_status::open || status == demo_status::in_production || status == demo_status::ready;
}

}  // namespace millrace::app
