#include "columns/csv_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <variant>

#include "base/fd.h"
#include "base/text.h"
#include "columns/column_guess.h"

namespace millrace::columns {
namespace {

constexpr std::size_t sample_rows = 1 << 16;
constexpr std::uint64_t rows_max = std::uint64_t{1} << 40;

using Fields = std::vector<std::string_view>;

Failure wrong_width(const CsvReader& reader, std::size_t fields, std::size_t wanted) {
  return fail(ErrorCode::invalid_input, "row " + std::to_string(reader.row()) + " has " + std::to_string(fields) +
                                            (fields == 1 ? " field" : " fields") + ", the first row has " +
                                            std::to_string(wanted));
}

bool stopped(const LoadOptions& options) {
  return options.stop != nullptr && options.stop->load(std::memory_order_relaxed);
}

// What is known about a file before its rows are read.
struct Plan {
  bool keep_carriage_returns = false;
  std::vector<std::optional<NumberFormat>> formats;
};

struct Guesses {
  std::vector<ColumnGuess> columns;
  bool mixed_line_ends = false;

  Plan plan(bool keep_carriage_returns) const {
    Plan plan;
    plan.keep_carriage_returns = keep_carriage_returns;
    for (const ColumnGuess& column : columns) plan.formats.push_back(column.format());
    return plan;
  }
};

// Looks at the first `rows_wanted` rows without keeping them.
Result<Guesses> guess(const OpenFile& open, const LoadOptions& options, bool keep_carriage_returns,
                      std::uint64_t rows_wanted) {
  auto source = open();
  if (!source) return pass_on(source);
  CsvReader reader(std::move(*source), options.limits, keep_carriage_returns);
  const auto head = reader.head();
  if (!head) return pass_on(head);
  Guesses guesses;
  guesses.columns.resize(head->size());
  Fields fields;
  for (std::uint64_t row = 0; row < rows_wanted; ++row) {
    const auto answer = reader.next(fields);
    if (!answer) return pass_on(answer);
    if (*answer == CsvReader::Answer::end) break;
    guesses.mixed_line_ends = *answer == CsvReader::Answer::mixed_line_ends;
    if (guesses.mixed_line_ends) break;
    if (fields.size() != head->size()) return wrong_width(reader, fields.size(), head->size());
    for (std::size_t column = 0; column < fields.size(); ++column) guesses.columns[column].see(fields[column]);
    if (row % block_rows == 0 && stopped(options)) return fail(ErrorCode::cancelled, "stopped while reading");
  }
  return guesses;
}

// Collects rows column by column, and hands whole blocks to the table.
class Filler {
 public:
  Filler(const Plan& plan, std::vector<std::string> head, const LoadOptions& options)
      : options_(options), columns_(head.size()) {
    result_.head = std::move(head);
    result_.text.resize(columns_.size());
    for (std::size_t index = 0; index < columns_.size(); ++index) {
      Column& column = columns_[index];
      column.format = plan.formats[index];
      if (!column.format) column.dictionary = std::make_shared<Dictionary>();
      column.is_whole = column.format == NumberFormat{};
    }
  }

  // False: a cell contradicts the plan.
  bool take(const Fields& fields) {
    for (std::size_t index = 0; index < fields.size(); ++index) {
      Column& column = columns_[index];
      const std::string_view cell = fields[index];
      column.bytes += cell.size();
      if (column.dictionary) {
        column.numbers.push_back(column.code_of(cell));
        column.outside += cell.size() > 15 ? cell.size() + 1 : 0;
      } else if (cell.empty()) {
        column.numbers.push_back(absent);
      } else {
        const auto number = column.is_whole ? whole_number(cell) : column.format->parse(cell);
        if (!number) return false;
        column.numbers.push_back(*number);
      }
    }
    ++rows_;
    return true;
  }

  std::uint64_t rows() const { return rows_; }

  // Called after each row: moves what is complete into the table.
  Result<void> settle() {
    const std::size_t waiting = columns_.front().numbers.size();
    if (waiting < (table_ ? block_rows : sample_rows)) return {};
    return hand_over();
  }

  Result<CsvTable> finish(const CsvReader& reader) {
    if (auto handed = hand_over(); !handed) return pass_on(handed);
    table_->compact();
    table_->publish();
    for (std::size_t index = 0; index < columns_.size(); ++index) {
      const Column& column = columns_[index];
      result_.text[index] = {column.bytes,
                             rows_ * (column.dictionary ? sizeof(std::string) : sizeof(std::int64_t)) + column.outside};
    }
    result_.dialect = reader.dialect();
    result_.file_bytes = reader.bytes();
    result_.table = std::move(table_);
    return std::move(result_);
  }

 private:
  struct Column {
    std::optional<NumberFormat> format;
    std::shared_ptr<Dictionary> dictionary;
    bool is_whole = false;
    std::vector<std::int64_t> numbers;
    std::string_view last_text;  // in the dictionary: neighbouring rows often say the same
    std::int64_t last_code = -1;
    std::uint64_t bytes = 0;
    std::uint64_t outside = 0;

    std::int64_t code_of(std::string_view cell) {
      if (last_code < 0 || !same_text(cell, last_text)) {
        last_code = dictionary->code(cell);
        last_text = dictionary->text(static_cast<std::uint32_t>(last_code));
      }
      return last_code;
    }
  };

  // The first rows are in: what they say about columns that belong together makes the table.
  void make_table() {
    std::vector<SampleColumn> sample;
    for (const Column& column : columns_) sample.push_back({column.numbers.data(), column.dictionary != nullptr});
    const Relations relations = find_relations(sample, columns_.front().numbers.size());
    Shape shape;
    shape.run_key = relations.run_key;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
      shape.columns.push_back({result_.head[index], columns_[index].format, columns_[index].dictionary});
      shape.derivations.emplace_back();
      if (relations.sources[index]) {
        shape.derivations.back() = std::make_shared<Derivation>();
        shape.derivations.back()->source = *relations.sources[index];
      }
    }
    table_ = std::make_unique<Table>(std::move(shape));
  }

  Result<void> hand_over() {
    if (stopped(options_)) return fail(ErrorCode::cancelled, "stopped while reading");
    if (!table_) make_table();
    std::vector<const std::int64_t*> from;
    for (const Column& column : columns_) from.push_back(column.numbers.data());
    table_->append(from, columns_.front().numbers.size());
    for (Column& column : columns_) {
      if (column.numbers.capacity() > block_rows) column.numbers = {};
      column.numbers.reserve(block_rows);
      column.numbers.clear();
    }
    std::uint64_t texts = 0;
    for (const Column& column : columns_) texts += column.dictionary ? column.dictionary->bytes() : 0;
    if (table_->bytes() + texts > options_.memory_max)
      return fail(ErrorCode::limit_reached, "after row " + std::to_string(rows_ + 1) +
                                                " the packed table is over its bound of " +
                                                std::to_string(options_.memory_max) + " bytes");
    return {};
  }

  const LoadOptions& options_;
  std::vector<Column> columns_;
  std::unique_ptr<Table> table_;
  std::uint64_t rows_ = 0;
  CsvTable result_;
};

enum class Contradiction : std::uint8_t { notation, line_ends };

// Reads the file under a plan; answers what contradicts it, if something does.
Result<std::variant<CsvTable, Contradiction>> read_as_planned(const OpenFile& open, const LoadOptions& options,
                                                              const Plan& plan) {
  auto source = open();
  if (!source) return pass_on(source);
  CsvReader reader(std::move(*source), options.limits, plan.keep_carriage_returns);
  auto head = reader.head();
  if (!head) return pass_on(head);
  const std::size_t width = head->size();
  if (width != plan.formats.size()) return fail(ErrorCode::conflict, "the file changed while it was read");
  Filler filler(plan, std::move(*head), options);
  Fields fields;
  for (;;) {
    const auto answer = reader.next(fields);
    if (!answer) return pass_on(answer);
    if (*answer == CsvReader::Answer::end) break;
    if (*answer == CsvReader::Answer::mixed_line_ends) return Contradiction::line_ends;
    if (fields.size() != width) return wrong_width(reader, fields.size(), width);
    if (!filler.take(fields)) return Contradiction::notation;
    if (filler.rows() == rows_max) return fail(ErrorCode::limit_reached, "the file has too many rows");
    if (auto settled = filler.settle(); !settled) return pass_on(settled);
  }
  auto table = filler.finish(reader);
  if (!table) return pass_on(table);
  return std::move(*table);
}

Failure cannot_read(const std::string& path, const char* doing) {
  const int reason = errno;
  const ErrorCode code = reason == ENOENT   ? ErrorCode::not_found
                         : reason == EACCES ? ErrorCode::denied
                                            : ErrorCode::unavailable;
  return fail(code, printable(path) + ": " + doing + ": " + std::strerror(reason));
}

}  // namespace

OpenFile file_opener(std::string path) {
  return [path = std::move(path)]() -> Result<ByteSource> {
    auto fd = std::make_shared<UniqueFd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!*fd) return cannot_read(path, "cannot be opened");
    struct stat status{};
    if (::fstat(fd->get(), &status) != 0) return cannot_read(path, "cannot be looked at");
    if (!S_ISREG(status.st_mode))
      return fail(ErrorCode::invalid_input, printable(path) + " is no regular file: it is read more than once");
    return ByteSource([fd, path](std::span<char> buffer) -> Result<std::size_t> {
      for (;;) {
        const ssize_t got = ::read(fd->get(), buffer.data(), buffer.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return cannot_read(path, "cannot be read");
      }
    });
  };
}

Result<CsvTable> load_csv(const OpenFile& open, const LoadOptions& options) {
  bool keep_carriage_returns = false;
  std::uint64_t rows_seen = sample_rows;
  // A contradiction is found at most once for the line ends and once for the notations of the whole file.
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto guesses = guess(open, options, keep_carriage_returns, rows_seen);
    if (!guesses) return pass_on(guesses);
    if (guesses->mixed_line_ends) {
      keep_carriage_returns = true;
      continue;
    }
    auto read = read_as_planned(open, options, guesses->plan(keep_carriage_returns));
    if (!read) return pass_on(read);
    if (auto* table = std::get_if<CsvTable>(&*read)) return std::move(*table);
    if (std::get<Contradiction>(*read) == Contradiction::line_ends) keep_carriage_returns = true;
    rows_seen = rows_max;  // the start was not like the rest
  }
  return fail(ErrorCode::conflict, "the file changed while it was read");
}

Result<void> write_csv(const Snapshot& snapshot, const CsvDialect& dialect, const std::vector<std::string>& head,
                       const std::function<bool(std::string_view)>& sink) {
  const std::string line_end = dialect.crlf ? "\r\n" : "\n";
  std::string out = dialect.byte_order_mark;
  const std::size_t width = head.size();
  for (std::size_t column = 0; column < width; ++column) {
    if (column > 0) out.push_back(dialect.delimiter);
    out += head[column];
  }
  std::vector<std::int64_t> numbers(width * block_rows);
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    for (std::size_t column = 0; column < width; ++column)
      snapshot.decode(block, column, numbers.data() + column * block_rows);
    for (std::size_t row = 0; row < snapshot.rows_of_block(block); ++row) {
      out += line_end;
      for (std::size_t column = 0; column < width; ++column) {
        if (column > 0) out.push_back(dialect.delimiter);
        snapshot.append_cell(column, numbers[column * block_rows + row], out);
      }
    }
    if (!sink(out)) return fail(ErrorCode::cancelled, "stopped while writing");
    out.clear();
  }
  if (dialect.last_line_ends) out += line_end;
  if (!sink(out)) return fail(ErrorCode::cancelled, "stopped while writing");
  return {};
}

}  // namespace millrace::columns
