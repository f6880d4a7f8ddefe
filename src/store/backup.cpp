#include "store/backup.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "store/internal/backup_file.h"
#include "store/internal/migrations.h"
#include "store/internal/open_record.h"
#include "store/internal/sqlite_rows.h"

namespace millrace::store {
namespace {

namespace fs = std::filesystem;

constexpr int pages_at_once = 256;

// A folder of our own that goes away with everything in it.
class ScratchFolder {
 public:
  static Result<ScratchFolder> below(const std::string& folder) {
    std::string path = (fs::path(folder.empty() ? "." : folder) / ".millrace-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return Failure(storage_error(errno, "creating a temporary folder in " + folder));
    return ScratchFolder(path);
  }
  ~ScratchFolder() {
    std::error_code ignored;  // what is left is found by its name
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::string folder_of(const std::string& file) {
  const std::string folder = fs::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

// One committed state of the record, page by page; commits meanwhile do not disturb it.
Result<void> copy_database(const std::string& from, const std::string& to, const BackupProgress& progress) {
  bool stopped = false;
  const auto copied = answer_of("copying the record", [&] {
    SqliteConnection source(from, SqliteConnection::Mode::read);
    SQLite::Transaction moment(source.database());
    read_state(source);
    SQLite::Database target(to, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    target.exec("PRAGMA synchronous=OFF");  // packed and flushed later
    sqlite3_backup* const copy = sqlite3_backup_init(target.getHandle(), "main", source.database().getHandle(), "main");
    if (copy == nullptr) throw SQLite::Exception(target.getHandle());
    int code = SQLITE_OK;
    while (!stopped && (code = sqlite3_backup_step(copy, pages_at_once)) == SQLITE_OK) {
      const int total = sqlite3_backup_pagecount(copy), left = sqlite3_backup_remaining(copy);
      stopped = progress && !progress("copying", static_cast<std::uint64_t>(total - left), static_cast<std::uint64_t>(total));
    }
    sqlite3_backup_finish(copy);
    if (!stopped && code != SQLITE_DONE) throw SQLite::Exception(target.getHandle(), code);
    return true;
  });
  if (stopped) return fail(ErrorCode::cancelled, "the backup was stopped");
  if (!copied) return pass_on(copied);
  return {};
}

auto verifying(const BackupProgress& progress) {
  return [&progress](std::uint64_t done, std::uint64_t total) { return !progress || progress("verifying", done, total); };
}

// The database alone, without log and shared memory: what is verified must be what is packed.
Result<void> settle(const std::string& database) {
  const auto settled = answer_of("closing " + database, [&] {
    SqliteConnection connection(database, SqliteConnection::Mode::write);
    sqlite3_wal_checkpoint_v2(connection.database().getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    return true;
  });
  if (!settled) return pass_on(settled);
  return {};
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return Failure(storage_error(errno, "renaming " + from + " to " + to));
  return {};
}

// Unpacked, brought up to date, verified and equal to its manifest, with an identity of its own.
Result<BackupManifest> unpack_whole(const std::string& file, const std::string& database, const BackupProgress& progress) {
  const auto manifest = unpack_database(file, database, progress);
  if (!manifest) return pass_on(manifest);
  const auto prepared = answer_of("opening the unpacked record", [&]() -> Result<void> {
    SqliteConnection connection(database, SqliteConnection::Mode::write);
    if (const auto migrated = migrate(connection); !migrated) return pass_on(migrated);
    RecordState state = read_state(connection);
    if (manifest->schema_version == schema_version_newest() && !(state == manifest->state))
      return fail(ErrorCode::corrupt, "the backup " + file + " does not hold what its manifest says");
    std::random_device random;
    for (std::uint8_t& byte : state.identity.bytes) byte = static_cast<std::uint8_t>(random());
    SQLite::Transaction transaction(connection.database());
    write_state(connection, state);
    transaction.commit();
    return {};
  });
  if (!prepared) return pass_on(prepared);
  if (!*prepared) return pass_on(*prepared);
  if (const auto settled = settle(database); !settled) return pass_on(settled);
  auto report = verify_sqlite_record(database, verifying(progress));
  if (!report) return pass_on(report, "the backup " + file + " cannot be restored");
  report->position.identity = manifest->state.identity;
  std::error_code unknown;
  return BackupManifest{manifest->made_at, std::move(*report), manifest->database_bytes, fs::file_size(file, unknown)};
}

// The record that is there gets other names, one file after the other; the new mark is in place first, so that whatever
// is left half-way is refused by the next start and not taken for a record.
Result<void> put_in_place(const ScratchFolder& made, const std::string& record_path, const std::string& aside) {
  const auto move_aside = [&](const std::string& suffix) -> Result<void> {
    if (::access((record_path + suffix).c_str(), F_OK) != 0) return {};
    return rename_file(record_path + suffix, aside + suffix);
  };
  if (const auto moved = move_aside(".mark"); !moved) return moved;
  if (const auto moved = rename_file(made / "record.mark", record_path + ".mark"); !moved) return moved;
  for (const char* suffix : {"-wal", "-shm", ""})
    if (const auto moved = move_aside(suffix); !moved) return moved;
  if (const auto moved = rename_file(made / "record", record_path); !moved) return moved;
  return flush_folder_of(record_path);
}

}  // namespace

Result<BackupManifest> write_backup(const std::string& record_path, const std::string& file, Instant now, const BackupProgress& progress) {
  if (const auto checked = check_before_reading(record_path); !checked) return pass_on(checked);
  const auto scratch = ScratchFolder::below(folder_of(file));
  if (!scratch) return pass_on(scratch);
  const std::string copy = *scratch / "record", packed = *scratch / "backup";
  if (const auto copied = copy_database(record_path, copy, progress); !copied) return pass_on(copied);
  if (const auto settled = settle(copy); !settled) return pass_on(settled);
  auto report = verify_sqlite_record(copy, verifying(progress));
  if (!report) return pass_on(report, "the record cannot be backed up");
  const auto state = answer_of("reading the copy", [&] {
    SqliteConnection connection(copy, SqliteConnection::Mode::read);
    return read_state(connection);
  });
  if (!state) return pass_on(state);
  const PackedManifest manifest{now, *state, report->schema_version, 0, 0, 0};
  if (const auto done = pack_database(copy, packed, manifest, progress); !done) return pass_on(done);
  std::error_code unknown;
  BackupManifest answer{now, std::move(*report), fs::file_size(copy, unknown), fs::file_size(packed, unknown)};
  if (const auto named = rename_file(packed, file); !named) return pass_on(named);
  if (const auto flushed = flush_folder_of(file); !flushed) return pass_on(flushed);
  return answer;
}

Result<BackupManifest> verify_backup(const std::string& file, const std::string& scratch_folder, const BackupProgress& progress) {
  const auto scratch = ScratchFolder::below(scratch_folder);
  if (!scratch) return pass_on(scratch);
  return unpack_whole(file, *scratch / "record", progress);
}

Result<Restored> restore_backup(const std::string& file, const std::string& record_path, bool force, Instant now,
                                const BackupProgress& progress) {
  std::error_code error;
  fs::create_directories(folder_of(record_path), error);
  if (error) return fail(ErrorCode::read_only, "cannot create the data folder " + folder_of(record_path) + ": " + error.message());
  const auto lock = hold_record(record_path);
  if (!lock) return pass_on(lock);
  const bool there = fs::exists(record_path, error) || fs::exists(mark_path(record_path), error);
  if (there && !force)
    return fail(ErrorCode::conflict, "there is a record at " + record_path + "; --force moves it aside and puts the backup in its place");
  const auto scratch = ScratchFolder::below(folder_of(record_path));
  if (!scratch) return pass_on(scratch);
  auto manifest = unpack_whole(file, *scratch / "record", progress);
  if (!manifest) return pass_on(manifest);
  const auto state = answer_of("reading the unpacked record", [&] {
    SqliteConnection connection(*scratch / "record", SqliteConnection::Mode::read);
    return read_state(connection);
  });
  if (!state) return pass_on(state);
  if (const auto mark = CommitMark::create(*scratch / "record.mark", *state); !mark) return pass_on(mark);
  std::string stamp = rfc3339(now).substr(0, 19);
  std::erase(stamp, ':');
  const std::string aside = record_path + ".before-restore-" + stamp;
  if (const auto placed = put_in_place(*scratch, record_path, aside); !placed) return pass_on(placed);
  return Restored{std::move(*manifest), there ? aside : ""};
}

}  // namespace millrace::store
