#include "planning/payment_levels.h"

#include <algorithm>
#include <cmath>

namespace millrace::planning {
namespace {

struct ModelRule {
  double wander;         // variance of the level's walk per day, in spreads squared
  double slope_start;    // standard deviation of the slope at the start, spreads per day
};
// Standing still; 0.1, 0.35 and 0.9 spreads a month; a steady trend.
constexpr std::array<ModelRule, level_model_count> rules = {
    {{0, 0}, {0.0004, 0}, {0.004, 0}, {0.027, 0}, {0.0001, 0.008}}};

constexpr double slope_memory_days = 240;  // a trend does not go on for ever
constexpr double days_ahead_max = 180;     // after a long silence the level is as unsure as after this
constexpr double step_max = 1.8;           // deviations: farther out moves the level no more than this
constexpr double outlier_from = 6;         // deviations: moves nothing
constexpr double outlier_days = 10;        // ... and at least so many days: a week later is no quarrel, however punctual he was
constexpr double far_from = 3.5;           // deviations: two in a row are a change of habit
constexpr double forgotten = 0.01;         // per payment: what a model foretold long ago counts less
constexpr double doubt_max = 12.5;         // deviations squared: farther out speaks against a model no more than this

}  // namespace

Levels::Levels(LevelGuess start, double spread, const ModelWeights& weights)
    : weights_(weights), start_weights_(weights), spread_(spread) {
  for (std::size_t index = 0; index < level_model_count; ++index) {
    Model& model = models_[index];
    model.level = start.level;
    model.level_variance = start.variance;
    model.slope_variance = rules[index].slope_start * rules[index].slope_start * spread * spread;
  }
}

void Levels::move(double days) {
  const double ahead = std::min(days, days_ahead_max);
  if (ahead <= 0) return;
  for (std::size_t index = 0; index < level_model_count; ++index) {
    Model& model = models_[index];
    model.level_variance += rules[index].wander * spread_ * spread_ * ahead;
    if (rules[index].slope_start <= 0) continue;
    const double kept = std::exp(-ahead / slope_memory_days);
    const double reach = slope_memory_days * (1 - kept);
    const double start = rules[index].slope_start * spread_;
    model.level += model.slope * reach;
    model.slope *= kept;
    model.level_variance += 2 * reach * model.both + reach * reach * model.slope_variance;
    model.both = kept * (model.both + reach * model.slope_variance);
    model.slope_variance = kept * kept * model.slope_variance + (1 - kept * kept) * start * start;
  }
}

LevelGuess Levels::guess() const {
  LevelGuess guess;
  for (std::size_t index = 0; index < level_model_count; ++index) guess.level += weights_[index] * models_[index].level;
  for (std::size_t index = 0; index < level_model_count; ++index) {
    const double apart = models_[index].level - guess.level;
    guess.variance += weights_[index] * (models_[index].level_variance + apart * apart);
  }
  return guess;
}

// By how likely each model thought this delay.
void Levels::weigh(double delay, double noise) {
  double total = 0;
  for (std::size_t index = 0; index < level_model_count; ++index) {
    const double variance = models_[index].level_variance + noise, error = delay - models_[index].level;
    weights_[index] *= std::exp(-0.5 * std::min(error * error / variance, doubt_max)) / std::sqrt(variance);
    total += weights_[index];
  }
  for (std::size_t index = 0; index < level_model_count; ++index)
    weights_[index] = (1 - forgotten) * weights_[index] / total + forgotten * start_weights_[index];
}

Surprise Levels::learn(double day, double delay, double trust) {
  if (started_) move(day - day_);
  day_ = started_ ? std::max(day_, day) : day;
  started_ = true;
  const double noise = spread_ * spread_ / trust;
  const LevelGuess before = guess();
  Surprise surprise{delay - before.level, before.variance + noise, false, false};
  const double far = surprise.error / std::sqrt(surprise.variance);
  // About as far as the one before: between 0.4 and 2.5 times.
  const double likeness = far_error_ == 0 ? 0 : surprise.error / far_error_;
  const bool is_far = std::abs(far) >= far_from;
  surprise.habit = is_far && likeness > 0.4 && likeness < 2.5;
  far_error_ = is_far ? surprise.error : 0;
  surprise.outlier = std::abs(far) >= outlier_from && std::abs(surprise.error) >= outlier_days && !surprise.habit;
  if (surprise.outlier) return surprise;
  if (trust >= 1) weigh(delay, noise);
  for (Model& model : models_) {
    // After a change of habit nobody knows how far it went: the new payments decide.
    if (surprise.habit) model.level_variance += surprise.error * surprise.error;
    const double variance = model.level_variance + noise;
    const double reach = step_max * std::sqrt(variance);
    const double step = std::clamp(delay - model.level, -reach, reach);
    const double gain = model.level_variance / variance, slope_gain = model.both / variance;
    model.level += gain * step;
    model.slope += slope_gain * step;
    model.slope_variance -= slope_gain * model.both;
    model.both -= gain * model.both;
    model.level_variance -= gain * model.level_variance;
  }
  return surprise;
}

LevelGuess Levels::at(double day) const {
  Levels ahead = *this;
  if (started_) ahead.move(day - day_);
  return ahead.guess();
}

double Levels::slope() const {
  double slope = 0;
  for (std::size_t index = 0; index < level_model_count; ++index) slope += weights_[index] * models_[index].slope;
  return slope;
}

}  // namespace millrace::planning
