#include "query/cash_keeper.h"

#include <algorithm>

namespace millrace::query {
namespace {

bool less(const planning::SimulationItem& left, const planning::SimulationItem& right) {
  return std::pair(left.party, left.day) < std::pair(right.party, right.day);
}

// What one list has and the other has not; both are sorted by party and day, each once.
void differences(const std::vector<planning::SimulationItem>& before, const std::vector<planning::SimulationItem>& after,
                 std::vector<planning::SimulationItem>& gone, std::vector<planning::SimulationItem>& come) {
  auto left = before.begin();
  auto right = after.begin();
  while (left != before.end() || right != after.end()) {
    if (right == after.end() || (left != before.end() && less(*left, *right))) gone.push_back(*left++);
    else if (left == before.end() || less(*right, *left)) come.push_back(*right++);
    else {
      if (left->amount != right->amount) gone.push_back(*left), come.push_back(*right);
      ++left, ++right;
    }
  }
}

}  // namespace

std::shared_ptr<const CashMoves> CashKeeper::moves_locked(const readmodel::SnapshotPtr& snapshot, Day today) {
  const readmodel::FinanceBook& book = snapshot->finance();
  const bool same_day = finance_ && finance_->today == day_number(today);
  if (moves_ && same_day && moves_->snapshot->as_of() == snapshot->as_of()) return moves_;
  if (moves_ && moves_->snapshot->as_of() > snapshot->as_of()) return cash_moves(snapshot, book, cash_finance(book, today));  // somebody still asks an older state
  if (!same_day || finance_->version != book.version()) {
    finance_ = cash_finance(book, today);
    ++statistics_.finance_made;
  }
  moves_ = cash_moves(snapshot, book, finance_);
  ++statistics_.moves_made;
  boards_.clear();
  return moves_;
}

std::shared_ptr<const CashMoves> CashKeeper::moves(const readmodel::SnapshotPtr& snapshot, Day today) {
  const std::lock_guard lock(mutex_);
  return moves_locked(snapshot, today);
}

Result<std::shared_ptr<const CashBoard>> CashKeeper::board(const readmodel::SnapshotPtr& snapshot, Day today, Currency currency) {
  const std::lock_guard lock(mutex_);
  auto moves = moves_locked(snapshot, today);
  const bool newest = moves == moves_;
  if (const auto found = boards_.find(currency); newest && found != boards_.end()) return found->second;
  auto made = cash_board(std::move(moves), currency);
  if (!made) return pass_on(made);
  auto board = std::make_shared<const CashBoard>(std::move(*made));
  if (newest) {
    if (boards_.size() >= boards_max) boards_.clear();
    boards_[currency] = board;
  }
  return board;
}

bool CashKeeper::bring_up(Band& band, CashBandInput& next) {
  const CashBandInput& before = band.input;
  if (!band.simulation || before.first_day != next.first_day || before.day_count != next.day_count || before.parties.size() != next.parties.size()) return false;
  std::vector<std::uint32_t> other_delays;
  for (std::uint32_t i = 0; i < next.parties.size(); ++i) {
    if (before.parties[i].key != next.parties[i].key) return false;
    if (!(before.parties[i].delays == next.parties[i].delays)) other_delays.push_back(i);
  }
  std::vector<planning::SimulationItem> gone, come;
  differences(before.items, next.items, gone, come);
  // Beyond some share, drawing all anew costs no more.
  if ((gone.size() + come.size()) * 8 > next.items.size() + 1024 || other_delays.size() * 8 > next.parties.size() + 64) return false;
  for (const std::uint32_t party : other_delays)
    if (!band.simulation->change_delays(party, next.parties[party].delays)) return false;
  return band.simulation->change(gone, come).has_value();
}

Result<std::vector<planning::BandDay>> CashKeeper::band(const CashBoard& board, const CashQuestion& question) {
  CashBandInput input = cash_band_input(board, question);
  const std::lock_guard lock(mutex_);
  const auto fits = [&](const Band& band) { return band.currency == board.currency && band.layers == question.layers && band.input.day_count == input.day_count; };
  auto place = std::ranges::find_if(bands_, fits);
  Band band;
  if (place != bands_.end()) {
    band = std::move(*place);
    bands_.erase(place);
  }
  if (bring_up(band, input)) {
    ++statistics_.bands_changed;
  } else {
    auto run = planning::CashSimulation::run(input.first_day, input.day_count, input.parties, input.items, {});
    if (!run) return pass_on(run);
    band.simulation.emplace(std::move(*run));
    ++statistics_.bands_run;
  }
  band.currency = board.currency;
  band.layers = question.layers;
  band.input = std::move(input);
  auto days = band.simulation->band(board.opening);
  if (bands_.size() >= bands_max) bands_.erase(bands_.begin());
  bands_.push_back(std::move(band));
  return days;
}

CashKeeper::Statistics CashKeeper::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace millrace::query
