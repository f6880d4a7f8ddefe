#include "ingest/intake.h"

namespace millrace::ingest {

Intake::Intake(store::Record& record, LayoutProfile profile)
    : record_(record),
      book_(std::move(profile), [this](const std::string& source, const std::string& path,
                                       std::uint32_t ordinal) -> Result<std::shared_ptr<const SalesOrder>> {
        auto candidate = record_.candidate(source, path, ordinal);
        if (!candidate) return pass_on(candidate);
        return std::move(candidate->order);
      }) {}

Result<void> Intake::restore(const std::vector<std::string>& sources) {
  const std::lock_guard lock(mutex_);
  for (const std::string& source : sources) {
    auto files = record_.files(source);
    if (!files) return pass_on(files);
    for (store::FileRecord& file : *files) book_.restore_file(source, std::move(file));
    const auto read = record_.candidates(source, [&](const store::Candidate& candidate) {
      book_.restore_candidate(source, candidate);
      return true;
    });
    if (!read) return pass_on(read);
  }
  auto rejections = record_.rejections();
  if (!rejections) return pass_on(rejections);
  for (feed::Rejection& rejection : *rejections) book_.restore_rejection(std::move(rejection));
  book_.finish_restore();
  return {};
}

Result<bool> Intake::commit(const std::string& source) {
  const std::lock_guard lock(mutex_);
  bool wrote = false;
  if (unsent_) {
    if (const auto sent = record_.commit(*unsent_); !sent) return pass_on(sent);
    unsent_.reset();
    wrote = true;
  }
  auto batch = book_.finish(source);
  if (!batch) return pass_on(batch);
  if (batch->empty()) return wrote;
  unsent_ = std::move(*batch);
  if (const auto sent = record_.commit(*unsent_); !sent) return pass_on(sent);
  unsent_.reset();
  return true;
}

}  // namespace millrace::ingest
