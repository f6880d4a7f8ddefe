// One order while a parser reads it: fields in any order, amounts still decimals, the first problem remembered.
//
// Invariants
//   * `finish` hands on either a complete settled order with what should be looked at, or one rejection.
//   * Amounts are rounded to the currency only in `finish`, when the currency is known.
//   * Where a document states a line total, the stated total counts and a disagreement is a finding.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/document.h"
#include "ingest/internal/fields.h"
#include "ingest/internal/values.h"

namespace millrace::ingest {

struct DraftLine {
  OrderLine line;
  std::optional<Decimal> quantity;
  std::optional<Decimal> quantity_open;
  std::optional<Decimal> quantity_delivered;
  std::optional<Decimal> unit_price;
  std::optional<Decimal> discount;
  std::optional<Decimal> total;
  std::optional<Decimal> open_amount;
  std::string status_word;
  std::string currency_word;
  bool cancelled = false;
};

// What a printed sum that disagrees with the lines means. Structured data is complete by construction, so the lines
// count and somebody should look; a page may have lost a row or a digit, so nothing may count.
enum class Disagreement : std::uint8_t { flag, reject };

class OrderDraft {
 public:
  explicit OrderDraft(const CompiledLayout& layout) : layout_(&layout) { order_ranks_.fill(rank_none); }

  // Both answer "" or what is wrong with the value. Empty values are skipped.
  std::string set(FieldMatch match, const FieldValue& value, TextStyle style = {});
  std::string set_on_line(FieldMatch match, const FieldValue& value, TextStyle style = {});
  void add_extra(std::string_view name, std::string value);
  void add_line(Place place);
  void add_expense(const Decimal& amount) { expenses_.push_back(amount); }

  // The first problem stays; the order will be refused.
  void refuse(std::string place, std::string reason, std::string_view value = {});
  bool refused() const { return !problem_.empty(); }

  const std::string& number() const { return order_.number.text; }
  bool has(Field field) const { return order_ranks_[static_cast<std::size_t>(field)] != rank_none; }
  std::size_t line_count() const { return lines_.size(); }
  DraftLine* last_line() { return lines_.empty() ? nullptr : &lines_.back(); }
  bool document_kind_is_other() const { return document_kind_is_other_; }

  void finish(ParsedDocument& document, Disagreement disagreement);

 private:
  static constexpr std::uint16_t rank_none = 0xFFFF;
  using Ranks = std::array<std::uint16_t, field_count>;

  bool outranked(Ranks& ranks, FieldMatch match, const FieldValue& value, TextStyle style) const;
  std::string set_text(Field field, std::string text);
  std::string set_day(Field field, const FieldValue& value, TextStyle style);
  std::string set_amount(Field field, const FieldValue& value, TextStyle style);
  std::string set_line_number(FieldMatch match, const FieldValue& value, TextStyle style);
  std::string set_line_text(Field field, std::string text);
  void finish_order();
  void finish_line(DraftLine& draft, std::vector<Finding>& flags);
  void compare(std::vector<Finding>& flags) const;
  std::optional<std::int64_t> minor(const Decimal& amount, std::string_view what);
  void flag(std::vector<Finding>& flags, std::string place, std::string reason, std::string value = {}) const;

  const CompiledLayout* layout_;
  SalesOrder order_;
  std::vector<DraftLine> lines_;
  Ranks order_ranks_{};
  Ranks line_ranks_{};
  std::string currency_word_;
  std::optional<Decimal> tax_, freight_, net_total_, document_total_, open_total_;
  std::vector<Decimal> expenses_;
  std::optional<Day> document_date_, updated_date_;
  std::optional<std::chrono::seconds> updated_time_;
  bool document_kind_is_other_ = false;
  std::string problem_, problem_place_, problem_value_;
};

}  // namespace millrace::ingest
