// The newest movements, their board and their band, kept from one question to the next and brought up to date by what changed.
//
//   the book stayed    the documents' movements, the payment behaviour and the terms are taken as they are
//   one order moved    its line's movement differs: the band simulates that customer's paths only
//
// Invariants
//   * What is answered is what would be made from nothing: keeping saves time and changes no byte.
//   * One thread works at a time, others wait: these are dear answers, asked on the threads for slow questions.
//   * At most one board per currency and two bands are kept.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "query/cash.h"

namespace millrace::query {

class CashKeeper {
 public:
  std::shared_ptr<const CashMoves> moves(const readmodel::SnapshotPtr& snapshot, Day today);
  // Without a scenario.
  // Errors   those of cash_board
  Result<std::shared_ptr<const CashBoard>> board(const readmodel::SnapshotPtr& snapshot, Day today, Currency currency);
  // Errors   those of planning/cash_simulation.h
  Result<std::vector<planning::BandDay>> band(const CashBoard& board, const CashQuestion& question);

  struct Statistics {
    std::uint64_t finance_made = 0, moves_made = 0, bands_run = 0, bands_changed = 0;
  };
  Statistics statistics() const;

 private:
  struct Band {
    Currency currency;
    planning::LayerSet layers = planning::LayerSet::all();
    CashBandInput input;
    std::optional<planning::CashSimulation> simulation;
  };
  std::shared_ptr<const CashMoves> moves_locked(const readmodel::SnapshotPtr& snapshot, Day today);
  // Whether the kept simulation became that of `next`.
  bool bring_up(Band& band, CashBandInput& next);

  static constexpr std::size_t bands_max = 2, boards_max = 4;

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::shared_ptr<const CashFinance> finance_;
  std::shared_ptr<const CashMoves> moves_;
  std::map<Currency, std::shared_ptr<const CashBoard>> boards_;  // of moves_
  std::vector<Band> bands_;  // newest last
  Statistics statistics_;
};

}  // namespace millrace::query
