#include "jobs/result_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/log.h"

namespace millrace::jobs {
namespace {

Failure refused(std::string_view doing, const std::string& path, int error) {
  return fail(error == ENOSPC || error == EDQUOT ? ErrorCode::storage_full : ErrorCode::unavailable,
              std::string(doing) + " " + path + ": " + std::strerror(error));
}

Result<void> sync_path(const std::string& path, int flags) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!file || ::fsync(file.get()) != 0) return refused("syncing the result", path, errno);
  return {};
}

void remove_path(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) log_warning("result_not_removed", {{"path", path}, {"reason", std::strerror(errno)}});
}

}  // namespace

Result<void> ResultFiles::open() const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return fail(ErrorCode::unavailable, "cannot create the folder for results " + folder_ + ": " + error.message());
  return {};
}

std::string ResultFiles::part_path(const std::string& job, std::uint64_t lease) const { return path(job) + "." + std::to_string(lease) + ".part"; }

Result<std::uint64_t> ResultFiles::keep(const std::string& job, std::uint64_t lease) const {
  const std::string part = part_path(job, lease);
  struct stat status {};
  if (::lstat(part.c_str(), &status) != 0) return refused("the result of the job", part, errno);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::unavailable, "the result of the job " + part + " is no file");
  if (auto synced = sync_path(part, O_NOFOLLOW); !synced) return pass_on(synced);
  if (::rename(part.c_str(), path(job).c_str()) != 0) return refused("naming the result", part, errno);
  if (auto synced = sync_path(folder_, O_DIRECTORY); !synced) return pass_on(synced);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<UniqueFd> ResultFiles::read(const std::string& job) const {
  UniqueFd file(::open(path(job).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return fail(ErrorCode::not_found, "the result file of job " + job + " is gone; run the job again");
  if (!file) return refused("reading the result", path(job), errno);
  return file;
}

void ResultFiles::remove_part(const std::string& job, std::uint64_t lease) const { remove_path(part_path(job, lease)); }
void ResultFiles::remove(const std::string& job) const { remove_path(path(job)); }

std::size_t ResultFiles::remove_orphans(const std::function<bool(const std::string& job)>& wanted) const {
  std::error_code error;
  std::vector<std::string> orphans;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (!wanted(entry.path().filename().string())) orphans.push_back(entry.path().string());
  }
  if (error) log_warning("results_not_listed", {{"folder", folder_}, {"reason", error.message()}});
  for (const std::string& orphan : orphans) remove_path(orphan);
  return orphans.size();
}

}  // namespace millrace::jobs
