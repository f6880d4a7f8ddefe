#include "app/people_desk.h"

#include <filesystem>

#include "app/people_answer.h"
#include "base/json_writer.h"
#include "base/log.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto step_pause = 1s;
constexpr auto order_patience = 60s;  // a password is hashed in between, perhaps behind others; or every audit row is read

// The record holds hashes of passwords and who works here: other accounts of the machine have no business in it. SQLite
// gives its further files the rights of the database.
void keep_from_others(const Settings& settings) {
  using std::filesystem::perms;
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    const std::string path = record_path(settings) + suffix;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;
    std::filesystem::permissions(path, perms::others_all, std::filesystem::perm_options::remove, error);
    if (error) log_warning("record_open_to_others", {{"file", path}, {"reason", error.message()}});
  }
}

}  // namespace

std::string control_path(const Settings& settings) { return settings.data + "/control.sock"; }

Result<std::unique_ptr<PeopleDesk>> PeopleDesk::open(const Settings& settings, store::Record& record, metrics::Registry& metrics, const Clock& clock,
                                                     std::function<void(const people::Revoked&)> on_revoked, people::DirectoryOptions options) {
  keep_from_others(settings);
  std::unique_ptr<PeopleDesk> desk(new PeopleDesk);
  auto audit = people::Audit::open(record, clock);
  if (!audit) return pass_on(audit);
  desk->audit_ = std::move(*audit);
  auto directory = people::Directory::open(record, *desk->audit_, clock, metrics, std::move(options));
  if (!directory) return pass_on(directory);
  desk->directory_ = std::move(*directory);
  if (on_revoked) desk->directory_->on_revoked(std::move(on_revoked));
  desk->address_ = settings.listen;
  desk->public_url_ = settings.public_url;
  auto control = ControlSocket::open(control_path(settings), [raw = desk.get(), &clock](std::string_view request) {
    const auto order = decode_order(request);
    if (!order) return encode_answer(pass_on(order));
    return encode_answer(raw->carry_out(*order, clock));
  });
  if (!control) return pass_on(control);
  desk->control_ = std::move(*control);
  desk->stepper_ = std::thread([raw = desk.get()] { raw->step_until_stopped(); });
  return desk;
}

PeopleDesk::~PeopleDesk() {
  control_.reset();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_news_.notify_all();
  if (stepper_.joinable()) stepper_.join();
}

void PeopleDesk::step_until_stopped() {
  std::unique_lock lock(mutex_);
  while (!stop_news_.wait_for(lock, step_pause, [&] { return stopping_; })) {
    lock.unlock();
    directory_->step();
    lock.lock();
  }
}

void PeopleDesk::listens_on(std::string address, std::string url) {
  std::lock_guard lock(mutex_);
  address_ = std::move(address);
  url_ = std::move(url);
}

std::string PeopleDesk::address() const {
  std::lock_guard lock(mutex_);
  return address_;
}

std::string PeopleDesk::base() const {
  std::lock_guard lock(mutex_);
  return public_url_.empty() ? url_ : public_url_;
}

Result<std::string> PeopleDesk::carry_out(const PeopleOrder& order, const Clock& clock) {
  if (order.verb != "local.pass") return app::carry_out(*directory_, *audit_, order, clock, [this] { return base(); });
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("data").begin_object().field("secret", directory_->new_local_pass().reveal()).field("address", address()).end_object().end_object();
  return text;
}

Result<std::string> PeopleDesk::first_link() {
  if (directory_->has_administrator()) return std::string();
  const auto secret = directory_->new_setup_link({"first start", "server", "", {}});
  if (!secret) return pass_on(secret);
  return setup_address(base(), *secret);
}

namespace {

Result<std::string> on_the_record(const Settings& settings, const PeopleOrder& order, const Clock& clock) {
  auto record = store::open_sqlite_record({.path = record_path(settings), .clock = &clock});
  if (!record) return pass_on(record);
  keep_from_others(settings);
  metrics::Registry metrics;
  const auto audit = people::Audit::open(**record, clock);
  if (!audit) return pass_on(audit);
  const auto directory = people::Directory::open(**record, **audit, clock, metrics);
  if (!directory) return pass_on(directory);
  return app::carry_out(**directory, **audit, order, clock, [&] { return settings.public_url.empty() ? "http://" + settings.listen : settings.public_url; });
}

}  // namespace

Result<std::string> carry_out_here(const Settings& settings, const PeopleOrder& order, const Clock& clock, bool make) {
  std::error_code error;
  const bool there = std::filesystem::exists(record_path(settings), error);
  if (!there && !make)
    return fail(ErrorCode::not_found, "there is no record in " + settings.data + "; name the data folder with --data, or start the server once");
  if (!there) {
    std::filesystem::create_directories(settings.data, error);
    if (error) return fail(ErrorCode::unavailable, "cannot create the data folder " + settings.data + ": " + error.message() + "; choose another one with --data");
  }
  const auto told = ask_control(control_path(settings), encode_order(order), order_patience);
  if (told) return decode_answer(*told);
  if (told.error().code() != ErrorCode::not_found) return pass_on(told);
  return on_the_record(settings, order, clock);
}

bool asks_sign_in(const Settings& settings, const people::Directory& directory) {
  if (settings.auth != "auto") return settings.auth == "sign-in";
  return !is_loopback(settings.listen) || !directory.nobody_yet();
}

namespace {

// Whether who asks `asked` reaches the server that listens on `listening`, and no other program. A server of all addresses is
// reached on loopback too, and nobody else can listen on its port there.
bool is_reached_by(const std::string& asked, const std::string& listening) {
  if (asked == listening) return true;
  const auto port = [](const std::string& address) { return address.substr(address.rfind(':') + 1); };
  const bool on_all = listening.starts_with("0.0.0.0:") || listening.starts_with("[::]:");
  return on_all && is_loopback(asked) && port(asked) == port(listening);
}

}  // namespace

LocalServer local_server(const Settings& settings) {
  LocalServer server{settings.listen};
  PeopleOrder order;
  order.verb = "local.pass";
  const auto told = ask_control(control_path(settings), encode_order(order), order_patience);
  if (!told) return server;  // another folder's server, or none: it is asked as a stranger
  const auto answer = decode_answer(*told);
  if (answer && is_reached_by(settings.listen, field_of(*answer, "address"))) server.pass = people::Secret(field_of(*answer, "secret"));
  return server;
}

}  // namespace millrace::app
