// Where a party's delays lie and how they wander: a few models of a moving level side by side, weighed by how well each
// foretold the payments so far (private to payment behaviour).
//
// Each model is a Kalman filter of level and slope. They differ in how fast the level may move: somebody who pays
// alike for years keeps all his history, somebody whose habits change is followed.
//
// Invariants
//   * One payment far outside moves no level (`outlier`); the second in a row, about as far on the same side, is a change of habit.
//   * Pure and deterministic. Times are day numbers and never fall from one call to the next.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::planning {

inline constexpr std::size_t level_model_count = 5;
using ModelWeights = std::array<double, level_model_count>;

struct LevelGuess {
  double level = 0;
  double variance = 0;  // of the level itself, without the spread of single payments
};

// What one payment was against what was expected before it.
struct Surprise {
  double error = 0;     // days, of the models' mean
  double variance = 0;  // expected, of level and payment together
  bool outlier = false;
  bool habit = false;      // the second in a row far outside on one side: a change of habit, and the one before was its beginning
};

class Levels {
 public:
  // `spread`: the standard deviation of single payments around the level.
  Levels(LevelGuess start, double spread, const ModelWeights& weights);

  // `trust` in (0, 1]: an invoice that is still open says less than a payment.
  Surprise learn(double day, double delay, double trust);
  LevelGuess at(double day) const;
  double slope() const;  // days of delay per day
  const ModelWeights& weights() const { return weights_; }

 private:
  struct Model {
    double level = 0, slope = 0;
    double level_variance = 0, both = 0, slope_variance = 0;
  };
  void move(double days);
  LevelGuess guess() const;
  void weigh(double delay, double noise);

  std::array<Model, level_model_count> models_;
  ModelWeights weights_, start_weights_;
  double spread_;
  double day_ = 0;
  bool started_ = false;
  double far_error_ = 0;  // days by which the last payment was far outside, 0 when it was not
};

}  // namespace millrace::planning
