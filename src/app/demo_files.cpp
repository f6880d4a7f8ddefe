#include "app/demo_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/internal/demo_formats.h"
#include "base/check.h"
#include "base/fd.h"
#include "base/text.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

// Counts up when the generator writes other bytes for the same arguments: an older tree is then written anew.
constexpr int generator_version = 1;
constexpr std::string_view note_name = "demo-company.txt";
constexpr std::size_t stray_index = 500'000;  // order numbers that neither the company nor its ticker reaches

std::string system_reason() { return std::strerror(errno); }

// What is in the folder; one line per fact so that a person can read it too.
struct Note {
  std::string identity;
  std::size_t next_index = 0;
  bool complete = false;
};

std::string identity_of(const DemoCompany& company) {
  const DemoOptions& options = company.options();
  return "version " + std::to_string(generator_version) + ", seed " + std::to_string(options.seed) + ", orders " +
         std::to_string(options.order_count) + ", day " + iso(options.today);
}

std::string note_path(const std::string& data) { return data + "/" + std::string(note_name); }

std::optional<Note> read_note(const std::string& data) {
  std::ifstream in(note_path(data));
  std::string title, identity, next, state;
  if (!std::getline(in, title) || !std::getline(in, identity) || !std::getline(in, next) || !std::getline(in, state))
    return std::nullopt;
  Note note;
  note.identity = identity;
  note.complete = state == "complete";
  const auto [end, error] = std::from_chars(next.data(), next.data() + next.size(), note.next_index);
  if (error != std::errc{} || end != next.data() + next.size()) return std::nullopt;
  return note;
}

Result<void> write_note(const std::string& data, const DemoCompany& company, std::size_t next_index, bool complete) {
  const std::string text = std::string(DemoCompany::name()) + ", a made-up company\n" + identity_of(company) + "\n" +
                           std::to_string(next_index) + "\n" + (complete ? "complete" : "being written") + "\n";
  return write_file_whole(data, std::string(note_name), text, SystemClock().now());
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::unavailable, folder.string() + ": cannot be created: " + error.message());
  return {};
}

Result<void> write_all(int fd, const std::string& content, const std::string& path) {
  std::string_view rest = content;
  while (!rest.empty()) {
    const auto count = ::write(fd, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::unavailable, path + ": cannot be written: " + system_reason());
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

timespec stamp_of(Instant instant) {
  const auto since = instant.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {seconds.count(), std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count()};
}

// Removes what an earlier run wrote, or refuses to touch what it did not.
Result<void> clear_orders(const std::string& data, const std::string& orders) {
  std::error_code error;
  const bool empty = !fs::exists(orders, error) || fs::is_empty(orders, error);
  if (empty) return {};
  if (!read_note(data)) {
    return fail(ErrorCode::conflict,
                orders + " holds files that are not the demo's: choose another folder with --data");
  }
  fs::remove_all(orders, error);
  if (error)
    return fail(ErrorCode::unavailable, orders + ": the former demo company cannot be removed: " + error.message());
  return {};
}

}  // namespace

Result<std::string> render(const DemoDocument& document) {
  switch (document.format) {
    case ingest::Format::json:
      return internal::demo_json(document.order);
    case ingest::Format::csv:
      return internal::demo_csv(document.order, document.german);
    case ingest::Format::xlsx:
      return internal::demo_xlsx(document.order);
    case ingest::Format::pdf:
      return internal::demo_pdf(document.order);
    case ingest::Format::none:
    case ingest::Format::sap_b1:
    case ingest::Format::odata:
      break;
  }
  check(false, "a demo document needs a format");
  return fail(ErrorCode::internal, "no format");
}

Result<std::vector<DemoStray>> demo_strays(const DemoCompany& company) {
  std::vector<DemoStray> strays;
  const auto sample = [&](std::size_t at, ingest::Format format) {
    DemoDocument document = company.document(company.options().order_count + stray_index + at);
    document.format = format;
    if (format == ingest::Format::pdf && !internal::fits_pdf(document.order))
      document.order.customer_name = "Petersen Wassertechnik GmbH";
    document.german = false;
    document.path = demo_path(document);
    return document;
  };
  const auto add = [&](const DemoDocument& document, std::string content) {
    strays.push_back({document.path, std::move(content), *document.order.updated});
  };
  const DemoDocument half = sample(0, ingest::Format::json);
  const std::string json = internal::demo_json(half.order);
  add(half, json.substr(0, json.size() * 3 / 5));
  add(sample(1, ingest::Format::json), "");
  const DemoDocument printed = sample(2, ingest::Format::pdf);
  const auto pdf = render(printed);
  if (!pdf) return pass_on(pdf);
  add(printed, pdf->substr(0, pdf->size() / 2));
  const DemoDocument table = sample(3, ingest::Format::csv);
  std::string csv = internal::demo_csv(table.order, false);
  const std::string quantity =
      "," + decimal_text(table.order.lines.front().quantity_ordered) + "," + table.order.lines.front().unit + ",";
  if (const auto at = csv.find(quantity); at != std::string::npos)
    csv.replace(at, quantity.size(), ",a dozen," + table.order.lines.front().unit + ",");
  add(table, csv);
  const DemoDocument book = sample(4, ingest::Format::xlsx);
  const auto xlsx = render(book);
  if (!xlsx) return pass_on(xlsx);
  add(book, xlsx->substr(0, xlsx->size() / 3));
  const Instant modified = Instant(std::chrono::sys_days(company.options().today)) - std::chrono::hours(30);
  const std::string folder = book.path.substr(0, book.path.rfind('/') + 1);
  const std::string name = book.path.substr(folder.size());
  strays.push_back({folder + "~$" + name, std::string("\x0cPetra Jansen") + std::string(152, ' '), modified});
  strays.push_back({folder + ".~lock." + name + "#", ",petra,office-pc,20.11.2026 09:12,;", modified});
  strays.push_back({folder + "drawing.json.tmp", "{\"DocNum\": 1", modified});
  strays.push_back({"Thumbs.db", std::string("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") + std::string(504, '\0'), modified});
  strays.push_back({"Open/price list.csv", "Article group,Valid from,Surcharge\r\nPumps,2026-01-01,2.5\r\n", modified});
  strays.push_back({"README.txt", "Please file orders under the right status.\r\n", modified});
  return strays;
}

Result<void> write_file_whole(const std::string& root, const std::string& path, const std::string& content,
                              Instant modified) {
  const fs::path target = fs::path(root) / path;
  const std::string temporary = target.string() + ".tmp";
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd && errno == ENOENT) {
    if (auto made = make_folder(target.parent_path()); !made) return made;
    fd.reset(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  }
  if (!fd) return fail(ErrorCode::unavailable, temporary + ": cannot be created: " + system_reason());
  const auto give_up = [&](std::string text) {
    ::unlink(temporary.c_str());
    return fail(ErrorCode::unavailable, std::move(text));
  };
  if (auto written = write_all(fd.get(), content, temporary); !written) return give_up(written.error().text());
  const timespec times[2] = {stamp_of(modified), stamp_of(modified)};
  if (::futimens(fd.get(), times) != 0) return give_up(temporary + ": its time cannot be set: " + system_reason());
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return give_up(target.string() + ": cannot be renamed into place: " + system_reason());
  return {};
}

Result<void> write_document(const std::string& root, const DemoDocument& document) {
  const auto content = render(document);
  if (!content) return pass_on(content);
  return write_file_whole(root, document.path, *content, *document.order.updated);
}

Result<DemoTree> prepare_demo_tree(const std::string& data, const DemoCompany& company, const std::atomic<bool>& stop,
                                   const std::function<void(std::size_t done, std::size_t total)>& progress) {
  DemoTree tree;
  tree.root = data + "/orders";
  tree.company_day = company.options().today;
  tree.next_index = company.options().order_count;
  if (const auto note = read_note(data);
      note && note->complete && note->identity == identity_of(company) && fs::is_directory(tree.root)) {
    tree.next_index = std::max(tree.next_index, note->next_index);
    return tree;
  }
  if (auto made = make_folder(data); !made) return pass_on(made);
  if (auto cleared = clear_orders(data, tree.root); !cleared) return pass_on(cleared);
  if (auto noted = write_note(data, company, tree.next_index, false); !noted) return pass_on(noted);
  const std::size_t total = company.options().order_count;
  for (std::size_t index = 0; index < total; ++index) {
    if (stop.load(std::memory_order_relaxed))
      return fail(ErrorCode::cancelled, "the demo company was not written to the end");
    if (const auto older = company.superseded(index)) {
      if (auto written = write_document(tree.root, *older); !written) return pass_on(written);
      ++tree.files_written;
    }
    if (auto written = write_document(tree.root, company.document(index)); !written) return pass_on(written);
    ++tree.files_written;
    if (progress) progress(index + 1, total);
  }
  const auto strays = demo_strays(company);
  if (!strays) return pass_on(strays);
  for (const DemoStray& stray : *strays) {
    if (auto written = write_file_whole(tree.root, stray.path, stray.content, stray.modified); !written)
      return pass_on(written);
    ++tree.files_written;
  }
  if (auto noted = write_note(data, company, tree.next_index, true); !noted) return pass_on(noted);
  return tree;
}

Result<void> remember_next_index(const std::string& data, const DemoCompany& company, std::size_t next_index) {
  return write_note(data, company, next_index, true);
}

}  // namespace millrace::app
