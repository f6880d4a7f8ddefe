// `millrace cash --payments-in F --out G`: when invoices will be paid, from a history in a file.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>

#include "app/commands.h"
#include "app/payment_file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "planning/payment_score.h"

namespace millrace::app {
namespace {

using planning::DelayDistribution;
using planning::PaymentCase;

constexpr std::size_t rejections_shown = 20;
constexpr std::uint32_t threads = 2;

struct CashWish {
  std::string in, out;
  bool walk_forward = false, score = false;
  std::string empty;  // auto, open, held-out
  std::optional<std::int32_t> as_of, from;
};

Result<std::optional<std::int32_t>> day_option(const Invocation& invocation, std::string_view flag) {
  const std::string text = invocation.option(flag);
  if (text.empty()) return std::optional<std::int32_t>();
  const auto day = parse_iso_day(text);
  if (!day) return fail(ErrorCode::invalid_input, std::string(flag) + " " + printable(text) + ": write a day as 2026-11-22");
  return std::optional(day_number(*day));
}

Result<CashWish> wish_of(const Invocation& invocation) {
  CashWish wish;
  wish.in = invocation.option("--payments-in");
  wish.out = invocation.option("--out");
  wish.walk_forward = invocation.has("--walk-forward");
  wish.score = invocation.has("--score");
  wish.empty = invocation.option("--empty", "auto");
  if (wish.in.empty()) return fail(ErrorCode::invalid_input, "--payments-in is missing: name the CSV file with the history");
  if (wish.out.empty() && !wish.score)
    return fail(ErrorCode::invalid_input, "--out is missing: name the CSV file to write, or ask for --score");
  if (wish.empty != "auto" && wish.empty != "open" && wish.empty != "held-out")
    return fail(ErrorCode::invalid_input, "--empty " + printable(wish.empty) + ": one of auto, open, held-out");
  const auto as_of = day_option(invocation, "--as-of"), from = day_option(invocation, "--from");
  if (!as_of) return pass_on(as_of);
  if (!from) return pass_on(from);
  wish.as_of = *as_of;
  wish.from = *from;
  return wish;
}

// The last day that is known to have happened: the last payment, or without any the last invoice.
std::int32_t last_known_day(const std::vector<PaymentCase>& cases) {
  std::int32_t paid = INT32_MIN, posted = INT32_MIN;
  for (const PaymentCase& one : cases) {
    posted = std::max(posted, one.posted);
    if (one.paid != planning::not_paid) paid = std::max(paid, one.paid);
  }
  return paid == INT32_MIN ? posted : paid;
}

std::vector<PaymentCase> paid_only(const std::vector<PaymentCase>& cases) {
  std::vector<PaymentCase> paid;
  for (const PaymentCase& one : cases)
    if (one.paid != planning::not_paid) paid.push_back(one);
  return paid;
}

// Rows without a payment are open invoices or held out by somebody who wants to see them predicted. Open ones lie among paid ones
// and are about as many as would still be open on that day.
bool look_held_out(Console& console, const std::vector<PaymentCase>& cases, std::int32_t as_of) {
  std::int32_t last_paid = INT32_MIN, first_empty = INT32_MAX;
  for (const PaymentCase& one : cases)
    if (one.paid == planning::not_paid) first_empty = std::min(first_empty, one.posted);
    else last_paid = std::max(last_paid, one.posted);
  if (first_empty == INT32_MAX) return false;
  const auto told = [&](const std::string& why, bool held_out) {
    console.note(why + ": taken as " + (held_out ? "held out" : "open") + " (--empty says it otherwise)");
    return held_out;
  };
  if (first_empty >= last_paid)
    return told("all invoices without a payment were posted after all that have one", true);
  const auto behaviour = planning::PaymentBehaviour::learn(paid_only(cases), as_of, {threads});
  double expected = 0;
  std::size_t seen = 0;
  for (const PaymentCase& one : cases) {
    if (one.posted > as_of) continue;
    const double open = 1 - behaviour.usual(one.party).paid_by(as_of - one.due);
    if (open > 0.5) continue;  // nobody would wonder about these
    expected += open;
    seen += one.paid == planning::not_paid ? 1 : 0;
  }
  return told(std::to_string(seen) + " invoices have no payment though they would mostly be paid by " + iso(day_from_number(as_of)) +
                  ", where about " + std::to_string(std::lround(expected)) + " are usual",
              static_cast<double>(seen) > 2 * expected + 3 * std::sqrt(expected) + 3);
}

struct Prediction {
  std::size_t row = 0;
  DelayDistribution delay;
};

class CashRun {
 public:
  CashRun(const CommandContext& context, const CashWish& wish, const PaymentFile& file)
      : context_(context), wish_(wish), file_(file) {
    for (const PaymentRow& row : file.rows) cases_.push_back(row.facts);
    as_of_ = wish.as_of.value_or(last_known_day(cases_));
  }

  Result<void> run() {
    held_out_ = wish_.empty == "held-out" || (wish_.empty == "auto" && look_held_out(context_.console, cases_, as_of_));
    history_ = held_out_ ? paid_only(cases_) : cases_;
    if (wish_.walk_forward || wish_.score || held_out_) {
      if (auto walked = walk(); !walked) return walked;
    }
    if (!wish_.out.empty())
      if (auto written = write(predictions()); !written) return written;
    if (wish_.score) tell_score();
    return {};
  }

 private:
  // Every row that is asked for, as of the day before it was posted.
  Result<void> walk() {
    std::vector<PaymentCase> asked;
    for (std::size_t row = 0; row < cases_.size(); ++row)
      if (wish_.walk_forward || wish_.score || cases_[row].paid == planning::not_paid) {
        walked_rows_.push_back(row);
        asked.push_back(cases_[row]);
      }
    Progress progress(context_.console, "predicting", "invoices", Stopwatch::now());
    planning::WalkOptions options;
    options.threads = threads;
    options.progress = [&](std::size_t done, std::size_t all) {
      progress.update(done, all, Stopwatch::now());
      return !context_.stop;
    };
    auto delays = planning::walk_forward(history_, asked, options);
    progress.finish();
    if (!delays) return fail(ErrorCode::cancelled, "stopped: nothing was written");
    walked_ = std::move(*delays);
    return {};
  }

  std::vector<Prediction> predictions() const {
    std::vector<Prediction> all;
    if (wish_.walk_forward || held_out_) {
      for (std::size_t index = 0; index < walked_rows_.size(); ++index)
        if (wish_.walk_forward || cases_[walked_rows_[index]].paid == planning::not_paid)
          all.push_back({walked_rows_[index], walked_[index]});
      return all;
    }
    const auto behaviour = planning::PaymentBehaviour::learn(history_, as_of_, {threads});
    for (std::size_t row = 0; row < cases_.size(); ++row) {
      const PaymentCase& one = cases_[row];
      if (one.paid != planning::not_paid) continue;
      const DelayDistribution delay = behaviour.expected(one.party, {one.posted, one.due, one.amount});
      all.push_back({row, one.posted <= as_of_ ? delay.still_open(as_of_ - one.due) : delay});
    }
    return all;
  }

  Result<void> write(const std::vector<Prediction>& predictions) const {
    const std::string temporary = wish_.out + ".part";  // a half file never looks like a whole one
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out)
      return fail(ErrorCode::unavailable, printable(temporary) + ": cannot be created; does the folder exist and may you write there?");
    out << "customer,invoice_date,due_date,amount,predicted_date,p10,p50,p90,p05,p25,p75,p95\n";
    for (const Prediction& one : predictions) {
      const PaymentRow& row = file_.rows[one.row];
      const auto day = [&](double level) { return iso(day_from_number(row.facts.due + one.delay.told(level))); };
      out << csv_field(row.customer) << ',' << iso(day_from_number(row.facts.posted)) << ',' << iso(day_from_number(row.facts.due)) << ','
          << csv_field(row.amount) << ',' << day(0.5);
      for (const double level : {0.1, 0.5, 0.9, 0.05, 0.25, 0.75, 0.95}) out << ',' << day(level);
      out << '\n';
    }
    out.close();
    if (!out || std::rename(temporary.c_str(), wish_.out.c_str()) != 0) {
      std::remove(temporary.c_str());
      return fail(ErrorCode::unavailable, printable(wish_.out) + ": could not be written; is the disk full?");
    }
    context_.console.note("wrote " + std::to_string(predictions.size()) + " predictions to " + printable(wish_.out));
    return {};
  }

  // The second half of the history, or what was posted from --from on.
  std::vector<bool> counted() const {
    std::vector<std::int32_t> posted;
    for (const PaymentCase& one : cases_) posted.push_back(one.posted);
    std::sort(posted.begin(), posted.end());
    const std::int32_t from = wish_.from.value_or(posted.empty() ? 0 : posted[posted.size() / 2]);
    std::vector<bool> counted;
    for (const PaymentCase& one : cases_) counted.push_back(one.posted >= from && one.paid != planning::not_paid);
    return counted;
  }

  void tell_score() const {
    std::vector<planning::ToldDays> told(cases_.size());
    for (std::size_t index = 0; index < walked_rows_.size(); ++index) told[walked_rows_[index]] = planning::told_days(walked_[index]);
    const auto scored = counted();
    std::vector<std::pair<std::string, planning::PaymentScore>> scores;
    for (const planning::Baseline baseline : planning::baselines)
      scores.emplace_back(planning::name(baseline), planning::score(cases_, planning::baseline_days(cases_, baseline), scored));
    scores.emplace_back("millrace", planning::score(cases_, told, scored));
    if (context_.invocation.json) tell_json(scores);
    else tell_table(scores);
  }

  void tell_table(const std::vector<std::pair<std::string, planning::PaymentScore>>& scores) const {
    const auto number = [](double value, int digits) {
      char text[48];
      std::snprintf(text, sizeof text, "%.*f", digits, value);
      return std::string(text);
    };
    Table table({{"predicted by", false}, {"invoices", true}, {"MAE days", true}, {"to last 12", true}, {"weekly WAPE", true},
                 {"by count", true}, {"80 % covers", true}, {"width", true}, {"pinball", true}});
    const double last_12 = scores[3].second.mean_error;
    for (const auto& [who, one] : scores)
      table.row({who, std::to_string(one.cases), number(one.mean_error, 2), last_12 > 0 ? number(one.mean_error / last_12, 3) : "-",
                 number(one.weekly_error, 3), number(one.weekly_error_count, 3), number(100 * one.covered, 1) + " %", number(one.width, 1),
                 number(one.pinball, 3)});
    context_.console.out() << table.text() << "\nEach invoice predicted as of the day before it was posted; scored: "
                           << (wish_.from ? "posted from " + iso(day_from_number(*wish_.from)) + " on" : std::string("the second half")) << ".\n"
                           << std::flush;
  }

  void tell_json(const std::vector<std::pair<std::string, planning::PaymentScore>>& scores) const {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("scores").begin_array();
    for (const auto& [who, one] : scores) {
      json.begin_object().field("by", who).field("invoices", static_cast<std::uint64_t>(one.cases));
      json.key("mae_days").ratio(one.mean_error, 4);
      json.key("weekly_wape").ratio(one.weekly_error, 4);
      json.key("weekly_wape_count").ratio(one.weekly_error_count, 4);
      json.key("covered_80").ratio(one.covered, 4);
      json.key("width_days").ratio(one.width, 3);
      json.key("pinball").ratio(one.pinball, 4);
      json.end_object();
    }
    json.end_array().end_object();
    context_.console.out() << text << "\n" << std::flush;
  }

  const CommandContext& context_;
  const CashWish& wish_;
  const PaymentFile& file_;
  std::vector<PaymentCase> cases_, history_;
  std::int32_t as_of_ = 0;
  bool held_out_ = false;
  std::vector<std::size_t> walked_rows_;
  std::vector<DelayDistribution> walked_;
};

void tell_rejections(Console& console, const PaymentFile& file) {
  std::size_t shown = 0;
  for (const PaymentRejection& one : file.rejections) {
    if (++shown > rejections_shown) break;
    console.error("row " + std::to_string(one.row) + ": " + one.reason);
  }
  if (file.rejections.size() > rejections_shown)
    console.error("and " + std::to_string(file.rejections.size() - rejections_shown) + " more rows that cannot be read");
}

}  // namespace

int run_cash(const CommandContext& context) {
  const auto wish = wish_of(context.invocation);
  if (!wish) return report(context.console, wish.error());
  const auto file = read_payment_file(columns::file_opener(wish->in));
  if (!file) return report(context.console, file.error().with_context(printable(wish->in)));
  tell_rejections(context.console, *file);
  if (file->rows.empty())
    return report(context.console, Error(ErrorCode::invalid_input, printable(wish->in) + " has no row that can be read; see the rows above"));
  if (auto done = CashRun(context, *wish, *file).run(); !done) return report(context.console, done.error());
  return file->rejections.empty() ? exit_ok : exit_partial;
}

}  // namespace millrace::app
