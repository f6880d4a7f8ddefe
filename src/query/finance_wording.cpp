#include "query/finance_wording.h"

#include "base/text.h"

namespace millrace::query {
namespace {

constexpr std::size_t fields_max = 20;

std::string spoken(FinanceKind kind, const std::string& number) {
  std::string text(word(kind));
  for (char& c : text)
    if (c == '_') c = ' ';
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text + " " + printable(number);
}

std::string amount_text(const FinanceDocument& document) {
  if (document.currency.empty()) return "";
  return document.currency.code() + " " + decimal_text(Money{document.amount, document.currency});
}

std::string day_text(const std::optional<Day>& day) { return day ? iso(*day) : ""; }

std::string settled_text(const FinanceDocument& document) {
  std::string text;
  for (const Allocation& part : document.allocations) {
    if (text.size() > 80) return text + ", …";
    text += (text.empty() ? "" : ", ") + std::string(word(part.kind)) + " " + printable(part.number);
  }
  return text;
}

std::string state_text(const FinanceDocument& document) { return document.cancelled ? "cancelled" : document.closed ? "closed" : "open"; }

// Name for screens, word for the sentence, text.
struct Shown {
  std::string name, words, text;
};
std::vector<Shown> shown(const FinanceDocument& document) {
  return {{"amount", "amount", amount_text(document)},
          {"posted", "posted", day_text(document.posted)},
          {"due", "due", day_text(document.due)},
          {"until", "until", day_text(document.until)},
          {"paid", "paid", day_text(document.paid)},
          {"party", "party", printable(document.party_name.empty() ? document.party_code : document.party_name)},
          {"category", "category", printable(document.category)},
          {"account", "account", printable(document.account)},
          {"settles", "settles", settled_text(document)},
          {"state", "state", state_text(document)}};
}

void word_new(WordedChange& worded, const FinanceDocument& document) {
  worded.kind = "finance_new";
  worded.text = spoken(document.kind, document.number) + ": new";
  for (const Shown& value : shown(document)) {
    if (value.text.empty() || value.name == "state") continue;
    worded.fields.push_back({value.name, {"", value.text}});
    worded.text += value.name == "amount" || value.name == "party" ? ", " + value.text : value.name == "due" || value.name == "settles" ? ", " + value.words + " " + value.text : "";
  }
}

void word_changed(WordedChange& worded, const FinanceDocument& before, const FinanceDocument& document) {
  worded.kind = "finance_changed";
  const auto earlier = shown(before), now = shown(document);
  std::string parts;
  for (std::size_t i = 0; i < now.size() && worded.fields.size() < fields_max; ++i) {
    if (earlier[i].text == now[i].text) continue;
    worded.fields.push_back({now[i].name, {earlier[i].text, now[i].text}});
    const auto or_none = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
    parts += (parts.empty() ? "" : ", ") + now[i].words + " " + or_none(earlier[i].text) + " → " + or_none(now[i].text);
  }
  worded.text = spoken(document.kind, document.number) + ": " + (parts.empty() ? "lines or details changed" : parts);
}

}  // namespace

void word_finance(WordedChange& worded, const feed::Change& change, const feed::Change* before) {
  const bool was = before != nullptr && before->kind == feed::ChangeKind::finance_put && before->finance_put.document != nullptr;
  if (change.kind == feed::ChangeKind::finance_put) {
    const FinanceDocument& document = *change.finance_put.document;
    worded.customer_name = document.party_name.empty() ? document.party_code : document.party_name;
    worded.salesman = document.salesperson;
    worded.by = change.finance_put.by;
    if (was) word_changed(worded, *before->finance_put.document, document);
    else word_new(worded, document);
  } else {
    worded.kind = "finance_removed";
    worded.by = change.finance_removed.by;
    worded.text = spoken(change.finance_removed.kind, was ? before->finance_put.document->number : change.finance_removed.key) + ": removed";
    if (was) {
      worded.customer_name = before->finance_put.document->party_name;
      worded.salesman = before->finance_put.document->salesperson;
    }
    if (!change.finance_removed.reason.empty()) worded.text += ", " + printable(change.finance_removed.reason);
  }
  if (!worded.by.empty()) worded.text += "; by " + printable(worded.by);
}

}  // namespace millrace::query
