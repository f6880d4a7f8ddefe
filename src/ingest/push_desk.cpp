#include "ingest/push_desk.h"

#include "base/text.h"

namespace millrace::ingest {

void PushDesk::add(const std::string& id, PushSource& source) {
  const std::unique_lock lock(mutex_);
  sources_[id] = &source;
}

void PushDesk::remove(const std::string& id) {
  const std::unique_lock lock(mutex_);
  sources_[id] = nullptr;
}

Result<PushSource*> PushDesk::find(std::string_view id) const {
  const auto found = sources_.find(id);
  if (found != sources_.end() && found->second != nullptr) return found->second;
  if (found != sources_.end())
    return fail(
        ErrorCode::unavailable,
        "The source " + found->first + " takes no batches now, because it cannot start; GET /api/v1/sources says why.");
  std::string there;
  for (const auto& [name, source] : sources_) there += (there.empty() ? "" : ", ") + name;
  return fail(ErrorCode::not_found,
              "There is no source \"" + printable(id.substr(0, 64)) + "\" that takes pushed batches; " +
                  (there.empty() ? "give one a table [source.NAME] with kind = \"push\" in the settings."
                                 : "there is: " + there + "."));
}

Result<BatchReceipt> PushDesk::push(std::string_view source, PushedBatch batch, std::string_view token) {
  const std::shared_lock lock(mutex_);
  const auto found = find(source);
  if (!found) return pass_on(found);
  return (*found)->push(std::move(batch), token);
}

Result<BatchReceipt> PushDesk::receipt(std::string_view source, std::string_view stream, std::string_view id,
                                       std::string_view token) {
  const std::shared_lock lock(mutex_);
  const auto found = find(source);
  if (!found) return pass_on(found);
  return (*found)->receipt(stream, id, token);
}

}  // namespace millrace::ingest
