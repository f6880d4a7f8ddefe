#include "ingest/internal/finance_words.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"

namespace millrace::ingest {
namespace {

using F = ImportField;
using K = FinanceKind;

constexpr std::array<std::string_view, import_field_count> field_words{
    "number", "posted", "due",         "until",   "paid",  "amount",  "tax",   "currency", "party",      "party_name", "reference", "category", "account",
    "salesperson", "country", "terms", "comment", "every", "order", "order_line", "quantity", "settles", "from", "to", "rate"};

struct FieldWords {
  ImportField field;
  std::vector<std::string_view> words;  // English, German, Spanish, French, Italian, Dutch
};
// Read from the top: the first field that the kind has and whose words fit counts.
const std::vector<FieldWords>& field_table() {
  static const std::vector<FieldWords> table{
      {F::settles, {"settles", "invoice", "invoice no", "invoice number", "for invoice", "bill", "bill no", "applied to", "Rechnung", "Rechnungsnummer", "Rechnungs-Nr", "RE-Nr",
                    "zu Rechnung", "Factura", "Número de factura", "Nº factura", "Facture", "Numéro de facture", "N° facture", "Fattura", "Numero fattura", "Factuur", "Factuurnummer"}},
      {F::number, {"number", "no", "nr", "id", "document", "document no", "document number", "doc no", "docnum", "voucher", "voucher no", "receipt no", "invoice", "invoice no",
                   "invoice number", "inv no", "bill", "bill no", "bill number", "payment no", "po", "po number", "purchase order", "delivery note", "delivery no", "Nummer", "Belegnummer",
                   "Beleg-Nr", "Beleg", "Rechnung", "Rechnungsnummer", "Rechnungs-Nr", "RE-Nr", "Lieferschein", "Lieferscheinnummer", "Bestellung", "Bestellnummer", "Número", "Núm", "Nº",
                   "Número de documento", "Factura", "Número de factura", "Nº factura", "Pedido", "Albarán", "Numéro", "N°", "Pièce", "Facture", "Numéro de facture", "N° facture", "Commande",
                   "Bon de livraison", "Numero", "Fattura", "Numero fattura", "Factuur", "Factuurnummer", "Stuknummer"}},
      {F::due, {"due", "due date", "due on", "pay by", "payable on", "delivery date", "expected", "maturity", "fällig", "Fälligkeit", "fällig am", "Fälligkeitsdatum", "zahlbar bis", "Liefertermin",
                "Vencimiento", "Fecha de vencimiento", "Fecha vencimiento", "Échéance", "Date d'échéance", "Scadenza", "Data scadenza", "Vervaldatum", "Vervaldag"}},
      {F::paid, {"paid", "paid on", "date paid", "payment date", "bezahlt", "bezahlt am", "Zahldatum", "Zahlungsdatum", "Pagado", "Fecha de pago", "Payé le", "Date de paiement", "Pagato",
                 "Data pagamento", "Betaald", "Betaald op"}},
      {F::until, {"until", "end", "ends", "end date", "last day", "valid to", "bis", "Ende", "Enddatum", "gültig bis", "hasta", "Fecha fin", "jusqu'au", "Date de fin", "fino al", "Data fine", "tot",
                  "Einddatum"}},
      {F::posted, {"posted", "date", "day", "posting date", "document date", "invoice date", "bill date", "booking date", "transaction date", "payment date", "value date", "start", "start date", "month",
                   "as of", "Datum", "Tag", "Buchungsdatum", "Belegdatum", "Rechnungsdatum", "Zahlungsdatum", "Zahldatum", "Valuta", "Stichtag", "Beginn", "Startdatum", "Monat", "Lieferdatum",
                   "Fecha", "Día", "Fecha de factura", "Fecha factura", "Fecha contable", "Fecha de pago", "Fecha inicio", "Mes", "Jour", "Date comptable", "Date de facture", "Date facture",
                   "Date de paiement", "Mois", "Data", "Giorno", "Data fattura", "Data registrazione", "Data pagamento", "Mese", "Datum factuur", "Factuurdatum", "Boekdatum", "Maand", "Dag"}},
      {F::tax, {"tax", "vat", "vat amount", "tax amount", "sales tax", "gst", "Steuer", "MwSt", "USt", "Mehrwertsteuer", "Umsatzsteuer", "Steuerbetrag", "IVA", "Impuesto", "TVA", "Taxe", "Imposta",
                "BTW", "BTW bedrag"}},
      {F::amount, {"amount", "value", "total", "gross", "gross amount", "total amount", "balance", "closing balance", "limit", "credit line", "cost", "price", "sum", "budget", "Betrag", "Wert", "Summe",
                   "Brutto", "Bruttobetrag", "Gesamtbetrag", "Saldo", "Kontostand", "Kosten", "Kreditlinie", "Kreditlimit", "Importe", "Valor", "Importe total", "Monto", "Total factura", "Coste", "Costo",
                   "Presupuesto", "Montant", "Montant TTC", "Valeur", "Solde", "Coût", "Importo", "Totale", "Bedrag", "Totaal", "Waarde"}},
      {F::currency, {"currency", "ccy", "cur", "currency code", "Währung", "Whg", "Moneda", "Divisa", "Devise", "Monnaie", "Valuta", "Munt"}},
      {F::party_name, {"name", "customer name", "supplier name", "vendor name", "party name", "company", "Kundenname", "Lieferantenname", "Firma", "Nombre", "Nombre del cliente", "Razón social", "Nom",
                       "Nom du client", "Société", "Nome", "Ragione sociale", "Naam", "Klantnaam"}},
      {F::party, {"party", "customer", "customer no", "customer number", "customer code", "customer id", "supplier", "supplier no", "supplier code", "vendor", "vendor no", "vendor code", "account no", "payer",
                  "payee", "Kunde", "Kundennummer", "Kunden-Nr", "Debitor", "Lieferant", "Lieferantennummer", "Lieferanten-Nr", "Kreditor", "Cliente", "Código cliente", "Proveedor", "Client", "Code client",
                  "Fournisseur", "Fornitore", "Codice cliente", "Klant", "Klantnummer", "Debiteur", "Leverancier", "Crediteur"}},
      {F::category, {"category", "cost category", "type", "kind", "cost type", "group", "Kategorie", "Kostenart", "Art", "Kostenkategorie", "Categoría", "Tipo", "Concepto de gasto", "Catégorie", "Type de coût",
                     "Categoria", "Categorie", "Kostensoort"}},
      {F::account, {"account", "bank", "bank account", "iban", "ledger account", "Konto", "Bankkonto", "Sachkonto", "Cuenta", "Cuenta bancaria", "Compte", "Compte bancaire", "Conto", "Rekening",
                    "Bankrekening"}},
      {F::reference, {"reference", "ref", "your reference", "customer reference", "Referenz", "Ihre Referenz", "Referencia", "Référence", "Riferimento", "Referentie", "Kenmerk"}},
      {F::terms, {"terms", "payment terms", "terms code", "Zahlungsbedingung", "Zahlungsbedingungen", "Zahlungsziel", "Condiciones de pago", "Conditions de paiement", "Condizioni di pagamento",
                  "Betalingsconditie"}},
      {F::salesperson, {"salesperson", "sales rep", "salesman", "Verkäufer", "Vertreter", "Vendedor", "Vendeur", "Commercial", "Venditore", "Verkoper"}},
      {F::country, {"country", "country code", "Land", "País", "Pays", "Paese"}},
      {F::order, {"order", "order no", "order number", "sales order", "so", "Auftrag", "Auftragsnummer", "Auftrags-Nr", "Pedido", "Número de pedido", "Commande", "Numéro de commande", "Ordine", "Order nr",
                  "Ordernummer"}},
      {F::order_line, {"order line", "line", "line no", "position", "pos", "Auftragsposition", "Línea", "Ligne", "Riga", "Regel"}},
      {F::quantity, {"quantity", "qty", "delivered", "Menge", "Liefermenge", "Cantidad", "Quantité", "Quantità", "Aantal"}},
      {F::every, {"every", "frequency", "interval", "recurrence", "period", "Rhythmus", "Turnus", "Intervall", "Häufigkeit", "Frecuencia", "Periodicidad", "Fréquence", "Périodicité", "Frequenza", "Frequentie"}},
      {F::from, {"from", "from currency", "base", "base currency", "von", "Ausgangswährung", "de", "desde", "da", "van"}},
      {F::to, {"to", "to currency", "quote", "quote currency", "nach", "Zielwährung", "a", "hacia", "vers", "naar"}},
      {F::rate, {"rate", "exchange rate", "fx rate", "Kurs", "Wechselkurs", "Tipo de cambio", "Cambio", "Taux", "Taux de change", "Tasso", "Koers", "Wisselkoers"}},
      {F::comment, {"comment", "description", "text", "note", "memo", "details", "Bemerkung", "Beschreibung", "Buchungstext", "Verwendungszweck", "Notiz", "Concepto", "Descripción", "Comentario", "Nota",
                    "Libellé", "Commentaire", "Descrizione", "Causale", "Omschrijving", "Opmerking"}},
  };
  return table;
}

// The same, folded once.
const std::vector<std::pair<ImportField, std::vector<std::string>>>& folded_table() {
  static const auto table = [] {
    std::vector<std::pair<ImportField, std::vector<std::string>>> made;
    for (const FieldWords& row : field_table()) {
      auto& [field, words] = made.emplace_back(row.field, std::vector<std::string>());
      words.push_back(folded_word(word(field)));
      for (const std::string_view text : row.words) words.push_back(folded_word(text));
    }
    return made;
  }();
  return table;
}

const std::vector<ImportKind>& kind_table() {
  static const std::vector<ImportKind> table{
      {K::invoice, {F::posted, F::party, F::amount}, {F::number, F::due, F::tax, F::currency, F::party_name, F::order, F::order_line, F::quantity, F::reference, F::terms, F::salesperson, F::country, F::comment}},
      {K::credit_note, {F::posted, F::party, F::amount}, {F::number, F::settles, F::tax, F::currency, F::party_name, F::order, F::order_line, F::reference, F::salesperson, F::country, F::comment}},
      {K::payment, {F::posted, F::party, F::amount}, {F::number, F::settles, F::currency, F::party_name, F::account, F::reference, F::comment}},
      {K::write_off, {F::posted, F::party, F::amount}, {F::number, F::settles, F::currency, F::party_name, F::comment}},
      {K::bill, {F::posted, F::party, F::amount}, {F::number, F::due, F::tax, F::currency, F::party_name, F::reference, F::terms, F::country, F::comment}},
      {K::supplier_credit, {F::posted, F::party, F::amount}, {F::number, F::settles, F::tax, F::currency, F::party_name, F::reference, F::comment}},
      {K::supplier_payment, {F::posted, F::party, F::amount}, {F::number, F::settles, F::currency, F::party_name, F::account, F::reference, F::comment}},
      {K::purchase_order, {F::number, F::party, F::amount}, {F::posted, F::due, F::currency, F::party_name, F::reference, F::terms, F::comment}},
      {K::delivery, {F::number, F::posted, F::party, F::order, F::quantity}, {F::order_line, F::party_name, F::comment}},
      {K::cost, {F::posted, F::category, F::amount}, {F::number, F::due, F::paid, F::tax, F::currency, F::account, F::reference, F::comment}},
      {K::recurring_cost, {F::posted, F::category, F::amount, F::every}, {F::number, F::until, F::currency, F::account, F::comment}},
      {K::budget, {F::posted, F::category, F::amount}, {F::currency, F::comment}},
      {K::tax, {F::due, F::amount}, {F::number, F::posted, F::paid, F::category, F::currency, F::account, F::comment}},
      {K::balance, {F::posted, F::amount}, {F::account, F::currency, F::comment}},
      {K::credit_line, {F::posted, F::amount}, {F::account, F::until, F::currency, F::comment}},
      {K::rate, {F::posted, F::from, F::to, F::rate}, {F::comment}},
  };
  return table;
}

// "Betrag (EUR)", "Amount USD", "Betrag in €": the words without the currency behind them.
std::string_view without_currency(std::string_view header, Currency& currency) {
  std::string_view text = trim(header);
  if (text.ends_with(')') || text.ends_with(']')) {
    const std::size_t open = text.find_last_of("([");
    if (open == std::string_view::npos) return text;
    if (const auto found = Currency::from_source_word(trim(text.substr(open + 1, text.size() - open - 2)))) currency = *found;
    return trim(text.substr(0, open));
  }
  const std::size_t blank = text.find_last_of(" /");
  if (blank == std::string_view::npos) return text;
  const std::string_view last = trim(text.substr(blank + 1));
  const bool capitals = last.size() == 3 && std::ranges::all_of(last, [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool sign = !last.empty() && static_cast<unsigned char>(last.front()) >= 0x80;
  const auto found = capitals || sign ? Currency::from_source_word(last) : std::nullopt;
  if (!found) return text;
  currency = *found;
  text = trim(text.substr(0, blank));
  return text.ends_with(" in") ? trim(text.substr(0, text.size() - 3)) : text;
}

// Words by their folded form.
template <class Value>
class Words {
 public:
  struct Row {
    Value value;
    std::vector<std::string_view> words;
  };
  Words(std::initializer_list<Row> rows) {
    for (const Row& row : rows)
      for (const std::string_view word : row.words) by_word_.try_emplace(folded_word(word), row.value);
  }
  std::optional<Value> find(std::string_view text) const {
    const auto found = by_word_.find(folded_word(text));
    return found == by_word_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<std::string, Value> by_word_;
};

}  // namespace

std::string_view word(ImportField field) { return field_words[static_cast<std::size_t>(field)]; }
std::optional<ImportField> parse_import_field(std::string_view text) {
  const auto found = std::ranges::find(field_words, text);
  if (found == field_words.end()) return std::nullopt;
  return static_cast<ImportField>(found - field_words.begin());
}

std::string folded_word(std::string_view text) {
  std::string out;
  for (const char c : search_fold(trim(text))) {
    const auto byte = static_cast<unsigned char>(c);
    const bool kept = byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (kept) out += c;
  }
  return out;
}

bool ImportKind::has(ImportField field) const { return std::ranges::find(needed, field) != needed.end() || std::ranges::find(optional, field) != optional.end(); }

const ImportKind* import_kind(FinanceKind kind) {
  const auto found = std::ranges::find(kind_table(), kind, &ImportKind::kind);
  return found == kind_table().end() ? nullptr : &*found;
}

HeaderMeaning header_meaning(std::string_view header, const ImportKind& kind) {
  const auto field_of = [&](std::string_view text) -> std::optional<ImportField> {
    const std::string folded = folded_word(text);
    if (folded.empty()) return std::nullopt;
    for (const auto& [field, words] : folded_table())
      if (kind.has(field) && std::ranges::find(words, folded) != words.end()) return field;
    return std::nullopt;
  };
  HeaderMeaning meaning;
  meaning.field = field_of(header);  // "Total factura" and "Date USD" as they are, before anything is taken off
  if (meaning.field) return meaning;
  const std::string_view bare = without_currency(header, meaning.currency);
  meaning.field = field_of(bare);
  if (!meaning.field) meaning.currency = {};
  return meaning;
}

std::size_t known_columns(std::span<const std::string> headers) {
  std::size_t most = 0;
  for (const ImportKind& kind : kind_table()) {
    std::uint32_t seen = 0;
    for (const std::string& header : headers)
      if (const auto meaning = header_meaning(header, kind); meaning.field) seen |= 1u << static_cast<unsigned>(*meaning.field);
    most = std::max<std::size_t>(most, static_cast<std::size_t>(std::popcount(seen)));
  }
  return most;
}

bool is_sum_word(std::string_view text) {
  static const Words<bool> table{
      {true, {"total", "totals", "grand total", "sum", "subtotal", "sub total", "Summe", "Gesamt", "Gesamtsumme", "Endsumme", "Zwischensumme", "Suma", "Suma total", "Total general", "Somme", "Total général",
              "Sous-total", "Totale", "Totaal", "Subtotaal"}}};
  std::string_view bare = trim(text);
  if (bare.ends_with(':')) bare.remove_suffix(1);
  return table.find(bare).has_value();
}

std::optional<Every> every_of(std::string_view text) {
  static const Words<Every> table{
      {Every::week, {"week", "weekly", "w", "Woche", "wöchentlich", "semana", "semanal", "semaine", "hebdomadaire", "settimana", "settimanale", "week", "wekelijks"}},
      {Every::month, {"month", "monthly", "m", "Monat", "monatlich", "mes", "mensual", "mois", "mensuel", "mese", "mensile", "maand", "maandelijks"}},
      {Every::quarter, {"quarter", "quarterly", "q", "Quartal", "vierteljährlich", "quartalsweise", "trimestre", "trimestral", "trimestriel", "trimestrale", "kwartaal"}},
      {Every::year, {"year", "yearly", "annual", "annually", "y", "Jahr", "jährlich", "año", "anual", "année", "annuel", "anno", "annuale", "jaar", "jaarlijks"}}};
  return table.find(text);
}

std::optional<unsigned> month_of(std::string_view text) {
  static const Words<unsigned> table{
      {1, {"jan", "january", "januar", "jänner", "ene", "enero", "janv", "janvier", "gen", "gennaio", "januari"}},
      {2, {"feb", "february", "februar", "febrero", "févr", "février", "febbraio", "februari"}},
      {3, {"mar", "march", "mär", "mrz", "märz", "marzo", "mars", "mrt", "maart"}},
      {4, {"apr", "april", "abr", "abril", "avr", "avril", "aprile"}},
      {5, {"may", "mai", "mayo", "mag", "maggio", "mei"}},
      {6, {"jun", "june", "juni", "junio", "juin", "giu", "giugno"}},
      {7, {"jul", "july", "juli", "julio", "juil", "juillet", "lug", "luglio"}},
      {8, {"aug", "august", "ago", "agosto", "août", "augustus"}},
      {9, {"sep", "sept", "september", "septiembre", "septembre", "set", "settembre"}},
      {10, {"oct", "october", "okt", "oktober", "octubre", "octobre", "ott", "ottobre"}},
      {11, {"nov", "november", "noviembre", "novembre"}},
      {12, {"dec", "december", "dez", "dezember", "dic", "diciembre", "déc", "décembre", "dicembre"}}};
  return table.find(text);
}

std::optional<FinanceKind> kind_in_name(std::string_view file_name) {
  struct Row {
    FinanceKind kind;
    std::vector<std::string_view> words;
  };
  // The longer words first: "supplier payments" are not payments.
  static const std::vector<Row> table{
      {K::supplier_payment, {"supplierpayment", "outgoingpayment", "zahlungsausgang", "ausgangszahlung"}},
      {K::supplier_credit, {"suppliercredit", "vendorcredit", "lieferantengutschrift"}},
      {K::credit_note, {"creditnote", "creditmemo", "gutschrift", "notadecredito", "avoir"}},
      {K::credit_line, {"creditline", "kreditlinie", "lineadecredito"}},
      {K::write_off, {"writeoff", "ausbuchung"}},
      {K::purchase_order, {"purchaseorder", "bestellung", "ordencompra", "ordenesdecompra"}},
      {K::recurring_cost, {"recurring", "fixkosten", "fixcost", "dauerbuchung"}},
      {K::bill, {"bill", "eingangsrechnung", "lieferantenrechnung", "supplierinvoice", "vendorinvoice", "facturasproveedor"}},
      {K::invoice, {"invoice", "rechnung", "factura", "facture", "fattur", "factuur"}},
      {K::payment, {"payment", "zahlung", "pago", "paiement", "pagament", "betaling"}},
      {K::delivery, {"deliver", "lieferschein", "lieferung", "albaran"}},
      {K::budget, {"budget", "presupuesto"}},
      {K::balance, {"balance", "kontostand", "saldo", "solde"}},
      {K::rate, {"rate", "kurse", "wechselkurs", "tiposdecambio"}},
      {K::tax, {"tax", "steuer", "impuesto"}},
      {K::cost, {"cost", "kosten", "expense", "gasto", "coste", "ausgaben", "depense"}}};
  // What follows each word of the name, without what stands between them: "supplier_payments" begins as "supplierpayment",
  // "corporate" does not begin as "rate".
  std::vector<std::string> begins;
  for (std::size_t at = 0; at < file_name.size(); ++at) {
    const auto is_word = [&](std::size_t place) { return !folded_word(file_name.substr(place, 1)).empty() || static_cast<unsigned char>(file_name[place]) >= 0x80; };
    if (is_word(at) && (at == 0 || !is_word(at - 1))) begins.push_back(folded_word(file_name.substr(at)));
  }
  for (const Row& row : table)
    for (const std::string& begin : begins)
      if (std::ranges::any_of(row.words, [&](std::string_view word) { return begin.starts_with(word); })) return row.kind;
  return std::nullopt;
}

}  // namespace millrace::ingest
