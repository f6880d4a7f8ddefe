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
constexpr double step_max = 2.5;           // deviations: farther out moves the level no more than this
constexpr double outlier_from = 6;         // deviations: moves nothing
constexpr double outlier_days = 10;        // ... and at least so many days: a week later is no quarrel, however punctual he was
constexpr double far_from = 3.5;           // deviations: two in a row are a change of habit
constexpr double odds_memory = 0.98;       // per payment: what a model foretold long ago counts less

}  // namespace

Levels::Levels(LevelGuess start, double spread, const ModelWeights& weights) : spread_(spread) {
  for (std::size_t index = 0; index < level_model_count; ++index) {
    Model& model = models_[index];
    model.level = start.level;
    model.level_variance = start.variance;
    model.slope_variance = rules[index].slope_start * rules[index].slope_start * spread * spread;
    model.log_weight = std::log(std::max(weights[index], 1e-6));
  }
}

Levels::Model Levels::moved(const Model& model, std::size_t index, double days) const {
  const double ahead = std::min(days, days_ahead_max);
  Model next = model;
  next.level_variance += rules[index].wander * spread_ * spread_ * ahead;
  if (rules[index].slope_start > 0) {
    const double kept = std::exp(-ahead / slope_memory_days);
    const double reach = slope_memory_days * (1 - kept);
    next.level += model.slope * reach;
    next.slope = model.slope * kept;
    next.level_variance += 2 * reach * model.both + reach * reach * model.slope_variance;
    next.both = kept * (model.both + reach * model.slope_variance);
    const double start = rules[index].slope_start * spread_;
    next.slope_variance = kept * kept * model.slope_variance + (1 - kept * kept) * start * start;
  }
  return next;
}

ModelWeights Levels::weights() const {
  double best = models_[0].log_weight;
  for (const Model& model : models_) best = std::max(best, model.log_weight);
  ModelWeights weights{};
  double total = 0;
  for (std::size_t index = 0; index < level_model_count; ++index)
    total += weights[index] = std::exp(models_[index].log_weight - best);
  for (double& weight : weights) weight /= total;
  return weights;
}

Surprise Levels::learn(double day, double delay, double trust) {
  const double days = started_ ? std::max(0.0, day - day_) : 0;
  started_ = true;
  day_ = std::max(day_, day);
  const double noise = spread_ * spread_ / trust;
  for (std::size_t index = 0; index < level_model_count; ++index) models_[index] = moved(models_[index], index, days);
  const LevelGuess before = at(day_);
  Surprise surprise{delay - before.level, before.variance + noise, false, false};
  const double far = surprise.error / std::sqrt(surprise.variance);
  // About as far as the one before: between 0.4 and 2.5 times.
  const double likeness = far_error_ == 0 ? 0 : surprise.error / far_error_;
  const bool is_far = std::abs(far) >= far_from;
  surprise.habit = is_far && likeness > 0.4 && likeness < 2.5;
  far_error_ = is_far ? surprise.error : 0;
  surprise.outlier = std::abs(far) >= outlier_from && std::abs(surprise.error) >= outlier_days && !surprise.habit;
  if (surprise.outlier) return surprise;
  for (Model& model : models_) {
    // After a change of habit nobody knows how far it went: the new payments decide.
    if (surprise.habit) model.level_variance += surprise.error * surprise.error;
    const double variance = model.level_variance + noise;
    const double deviation = std::sqrt(variance);
    const double error = delay - model.level;
    const double step = std::clamp(error, -step_max * deviation, step_max * deviation);
    model.log_weight = odds_memory * model.log_weight +
                       trust * (-0.5 * std::log(variance) - 0.5 * std::min(error * error / variance, step_max * step_max * 2));
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
  const ModelWeights share = weights();
  const double days = std::max(0.0, day - day_);
  std::array<Model, level_model_count> ahead;
  LevelGuess guess;
  for (std::size_t index = 0; index < level_model_count; ++index) {
    ahead[index] = moved(models_[index], index, started_ ? days : 0);
    guess.level += share[index] * ahead[index].level;
  }
  for (std::size_t index = 0; index < level_model_count; ++index) {
    const double apart = ahead[index].level - guess.level;
    guess.variance += share[index] * (ahead[index].level_variance + apart * apart);
  }
  return guess;
}

double Levels::slope() const {
  const ModelWeights share = weights();
  double slope = 0;
  for (std::size_t index = 0; index < level_model_count; ++index) slope += share[index] * models_[index].slope;
  return slope;
}

}  // namespace millrace::planning
