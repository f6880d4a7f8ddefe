#include "columns/table.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "columns/scan.h"

namespace millrace::columns {

Table::Table(Shape shape) : shape_(std::make_shared<const Shape>(std::move(shape))), encoder_(*shape_) {
  check(shape_->column_count() > 0 && shape_->column_count() <= columns_max, "a table has 1 to columns_max columns");
  check(shape_->derivations.size() == shape_->column_count(), "a shape says for each column whether it is derived");
  orders_.resize(shape_->column_count());
  for (std::size_t column = 0; column < orders_.size(); ++column) {
    orders_[column].ascends = !shape_->columns[column].is_text();
    orders_[column].last = absent;
  }
  work_.shape_ = shape_;
  work_.first_values_.resize(shape_->column_count());
  start_tail(0);
  publish();
}

void Table::append(std::span<const std::int64_t* const> columns, std::size_t count) {
  check(columns.size() == shape_->column_count(), "a row has a value for each column");
  note_order(columns, count);
  std::vector<const std::int64_t*> from(columns.begin(), columns.end());
  for (std::size_t done = 0; done < count;) {
    const bool whole = work_.tail_rows_ == 0 && count - done >= block_rows && work_.missing_rows() == 0;
    const std::size_t room = work_.missing_rows() > 0 ? work_.missing_rows() : block_rows - work_.tail_rows_;
    const std::size_t now = whole ? block_rows : std::min(count - done, room);
    if (whole) {
      for (std::size_t column = 0; column < columns.size(); ++column) from[column] = columns[column] + done;
      add_block(encoder_.encode(from, block_rows));
    } else {
      append_to_tail(columns, done, now);
    }
    done += now;
  }
  for (Total& total : totals_) {
    const TotalQuestion& question = total.kept.question();
    for (std::size_t row = 0; row < count; ++row)
      total.kept.add({columns[question.amount][row], question.condition ? columns[question.condition->column][row] : 0,
                      question.grouping ? columns[question.grouping->column][row] : 0});
    total.changed = true;
  }
}

// Rows after those that readers know are written in place: nobody looks there yet.
void Table::append_to_tail(std::span<const std::int64_t* const> columns, std::size_t from, std::size_t count) {
  if (work_.missing_rows() > 0) unpack_last_block();
  if (tail_->numbers.empty()) start_tail(columns.size());
  for (std::size_t column = 0; column < columns.size(); ++column)
    std::copy_n(columns[column] + from, count, tail_->column(column) + work_.tail_rows_);
  work_.tail_rows_ += count;
  if (work_.tail_rows_ == block_rows) pack_tail();
}

void Table::add_block(std::shared_ptr<const Block> block) {
  block_bytes_ += block->bytes();
  blocks_.push_back(std::make_shared<BlockState>(BlockState{std::move(block), {}}));
  work_.blocks_.push_back(blocks_.back());
}

void Table::pack_tail() {
  if (work_.tail_rows_ == 0) return;
  std::vector<const std::int64_t*> columns(shape_->column_count());
  for (std::size_t column = 0; column < columns.size(); ++column) columns[column] = work_.tail_->column(column);
  add_block(encoder_.encode(columns, work_.tail_rows_));
  start_tail(0);
}

void Table::start_tail(std::size_t columns) {
  tail_ = std::make_shared<Tail>(columns);
  tail_rows_seen_ = 0;
  work_.tail_ = tail_;
  work_.tail_rows_ = 0;
}

void Table::unpack_last_block() {
  start_tail(shape_->column_count());
  const std::size_t last = work_.blocks_.size() - 1;
  for (std::size_t column = 0; column < shape_->column_count(); ++column)
    work_.decode(last, column, tail_->column(column));
  work_.tail_rows_ = work_.blocks_[last]->main->rows();
  block_bytes_ -= work_.blocks_[last]->main->bytes();
  work_.blocks_.pop_back();
  blocks_.pop_back();
}

Result<void> Table::check_value(std::size_t column, std::int64_t value) const {
  const Column& described = shape_->columns[column];
  if (described.is_text()) {
    if (value >= 0 && static_cast<std::uint64_t>(value) < described.dictionary->size()) return {};
    return fail(ErrorCode::invalid_input,
                "column " + printable(described.name) + " has no text number " + std::to_string(value));
  }
  if (value == absent || described.format->fits(value)) return {};
  return fail(ErrorCode::invalid_input,
              "column " + printable(described.name) + " does not write numbers like " + std::to_string(value));
}

Result<std::int64_t> Table::value_of(std::size_t column, std::string_view cell) {
  const Column& described = shape_->columns[column];
  if (described.is_text()) return std::int64_t{described.dictionary->code(cell)};
  if (cell.empty()) return absent;
  const auto value = described.format->parse(cell);
  if (value) return *value;
  std::string sample;
  described.format->print(described.format->kind == NumberKind::plain ? 12 : 1, sample);
  return fail(ErrorCode::invalid_input, "column " + printable(described.name) + " holds values like " +
                                            printable(sample) + ", not \"" + printable(cell) + "\"");
}

Result<void> Table::set_cell(std::uint64_t row, std::size_t column, std::string_view cell) {
  if (column >= shape_->column_count() || row >= rows()) return set(row, column, 0);
  const auto value = value_of(column, cell);
  if (!value) return pass_on(value);
  return set(row, column, *value);
}

Result<void> Table::set(std::uint64_t row, std::size_t column, std::int64_t value) {
  if (column >= shape_->column_count())
    return fail(ErrorCode::not_found, "there is no column " + std::to_string(column));
  if (row >= rows())
    return fail(ErrorCode::not_found,
                "there is no row " + std::to_string(row) + "; the table has " + std::to_string(rows()));
  if (auto checked = check_value(column, value); !checked) return checked;
  note_order_of(row, column, value);
  for (Total& total : totals_)
    if (total.kept.concerns(column)) total.kept.take_away(facts_of(total.kept.question(), row));
  write_cell(row, column, value);
  for (Total& total : totals_) {
    if (!total.kept.concerns(column)) continue;
    total.kept.add(facts_of(total.kept.question(), row));
    total.changed = true;
  }
  return {};
}

void Table::write_cell(std::uint64_t row, std::size_t column, std::int64_t value) {
  const auto block = static_cast<std::size_t>(row / block_rows);
  const auto place = static_cast<std::uint16_t>(row % block_rows);
  if (block >= blocks_.size()) {
    writable_tail(place).column(column)[place] = value;
    return;
  }
  BlockState& state = writable(block);
  const ChangedCell cell{static_cast<std::uint16_t>(column), place, value};
  const auto at = std::lower_bound(
      state.delta.begin(), state.delta.end(), cell, [](const ChangedCell& left, const ChangedCell& right) {
        return left.column != right.column ? left.column < right.column : left.row < right.row;
      });
  if (at != state.delta.end() && at->column == cell.column && at->row == cell.row)
    at->value = value;
  else
    state.delta.insert(at, cell);
  if (state.delta.size() >= delta_cells_max) fold(block);
}

BlockState& Table::writable(std::size_t block) {
  if (!blocks_[block]) {
    blocks_[block] = std::make_shared<BlockState>(*work_.blocks_[block]);
    work_.blocks_[block] = blocks_[block];
  }
  return *blocks_[block];
}

Tail& Table::writable_tail(std::size_t row) {
  if (row < tail_rows_seen_) {
    tail_ = std::make_shared<Tail>(*tail_);
    tail_rows_seen_ = 0;
    work_.tail_ = tail_;
  }
  return *tail_;
}

void Table::fold(std::size_t block) {
  const std::size_t rows = work_.rows_of_block(block);
  std::vector<std::int64_t> numbers(shape_->column_count() * block_rows);
  std::vector<const std::int64_t*> columns(shape_->column_count());
  for (std::size_t column = 0; column < columns.size(); ++column) {
    work_.decode(block, column, numbers.data() + column * block_rows);
    columns[column] = numbers.data() + column * block_rows;
  }
  block_bytes_ -= work_.blocks_[block]->main->bytes();
  blocks_[block] = std::make_shared<BlockState>(BlockState{encoder_.encode(columns, rows), {}});
  work_.blocks_[block] = blocks_[block];
  block_bytes_ += blocks_[block]->main->bytes();
}

void Table::compact() {
  for (std::size_t block = 0; block < work_.blocks_.size(); ++block)
    if (!work_.blocks_[block]->delta.empty()) fold(block);
  pack_tail();
}

void Table::note_order(std::span<const std::int64_t* const> columns, std::size_t count) {
  const std::uint64_t before = rows();
  for (std::size_t column = 0; column < columns.size(); ++column) {
    Order& order = orders_[column];
    if (!order.ascends) continue;
    for (std::size_t row = 0; row < count && order.ascends; ++row) {
      const std::int64_t value = columns[column][row];
      if (value == absent || value < order.last) {
        order = {};
        break;
      }
      order.last = value;
      if ((before + row) % block_rows == 0) order.first_values.push_back(value);
    }
    order.changed = true;
  }
}

void Table::note_order_of(std::uint64_t row, std::size_t column, std::int64_t value) {
  Order& order = orders_[column];
  if (!order.ascends) return;
  order.changed = true;
  const bool above_left = row == 0 || work_.value(column, row - 1) <= value;
  const bool below_right = row + 1 == rows() || value <= work_.value(column, row + 1);
  if (value == absent || !above_left || !below_right) {
    order = {};
    return;
  }
  if (row % block_rows == 0) order.first_values[static_cast<std::size_t>(row / block_rows)] = value;
  if (row + 1 == rows()) order.last = value;
}

RowFacts Table::facts_of(const TotalQuestion& question, std::uint64_t row) const {
  return {work_.value(question.amount, row), question.condition ? work_.value(question.condition->column, row) : 0,
          question.grouping ? work_.value(question.grouping->column, row) : 0};
}

std::size_t Table::keep_total(TotalQuestion question) {
  auto groups = totals(work_, question);
  totals_.push_back({KeptTotal(std::move(question), std::move(groups)), true});
  work_.totals_.emplace_back();
  return totals_.size() - 1;
}

void Table::publish() {
  for (std::size_t column = 0; column < orders_.size(); ++column) {
    Order& order = orders_[column];
    if (!order.changed) continue;
    work_.first_values_[column] =
        order.ascends ? std::make_shared<const std::vector<std::int64_t>>(order.first_values) : nullptr;
    order.changed = false;
  }
  for (std::size_t index = 0; index < totals_.size(); ++index) {
    if (!totals_[index].changed) continue;
    work_.totals_[index] = std::make_shared<const KeptTotal>(totals_[index].kept);
    totals_[index].changed = false;
  }
  auto snapshot = std::make_shared<const Snapshot>(work_);
  // From here on readers know these states: the next change copies them.
  std::fill(blocks_.begin(), blocks_.end(), nullptr);
  tail_rows_seen_ = work_.tail_rows_;
  const std::lock_guard lock(mutex_);
  published_.swap(snapshot);
}

std::uint64_t Table::bytes() const {
  std::uint64_t bytes = block_bytes_ + tail_->numbers.capacity() * sizeof(std::int64_t) +
                        work_.blocks_.size() * (sizeof(BlockState) + 2 * sizeof(std::shared_ptr<BlockState>));
  for (const auto& state : work_.blocks_) bytes += state->delta.capacity() * sizeof(ChangedCell);
  for (const auto& derivation : shape_->derivations)
    if (derivation) bytes += derivation->by_code.bytes();
  for (const Order& order : orders_) bytes += 2 * order.first_values.capacity() * sizeof(std::int64_t);
  for (const Total& total : totals_) bytes += 2 * total.kept.groups().capacity() * sizeof(GroupTotal);
  return bytes;
}

SnapshotPtr Table::snapshot() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace millrace::columns
