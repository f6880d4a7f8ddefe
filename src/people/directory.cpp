#include "people/directory.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "people/internal/live.h"

namespace millrace::people {
namespace {

constexpr std::size_t field_bytes_max = 200;

// Texts that people give: one line, readable, bounded. They end in logs, headers and pages.
Result<std::string> clean(std::string_view field, std::string_view typed) {
  const std::string text(trim(typed));
  if (text.size() > field_bytes_max) return fail(ErrorCode::invalid_input, std::string(field) + " is over " + std::to_string(field_bytes_max) + " bytes; shorten it");
  if (!is_valid_utf8(text) || printable(text) != text) return fail(ErrorCode::invalid_input, std::string(field) + " holds characters that cannot be shown; type it anew");
  return text;
}

Result<std::string> clean_email(std::string_view typed) {
  auto text = clean("the e-mail address", typed);
  if (!text || text->empty()) return text;
  const auto at = text->find('@');
  if (at == 0 || at == std::string::npos || at + 1 == text->size() || text->find_first_of(" <>,;\"", 0) != std::string::npos || text->find('@', at + 1) != std::string::npos)
    return fail(ErrorCode::invalid_input, "\"" + printable(*text) + "\" is no e-mail address");
  return text;
}

Failure no_such_user(UserId id) { return fail(ErrorCode::not_found, "there is no user number " + std::to_string(id.value)); }

}  // namespace

Directory::Directory(store::Record& record, Audit& audit, const Clock& clock, metrics::Registry& metrics, DirectoryOptions options)
    : record_(record),
      audit_(audit),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      nobody_(nobody_hash(options_.cost)),
      throttle_(options_.throttle),
      desk_(options_.desk) {
  check(options_.outside_role != Role::admin, "people from outside never become administrators by themselves");
}

Directory::~Directory() { stop(); }

Result<std::unique_ptr<Directory>> Directory::open(store::Record& record, Audit& audit, const Clock& clock, metrics::Registry& metrics,
                                                   DirectoryOptions options) {
  std::unique_ptr<Directory> directory(new Directory(record, audit, clock, metrics, std::move(options)));
  if (const auto loaded = directory->load(); !loaded) return pass_on(loaded, "reading the users");
  return directory;
}

Result<void> Directory::load() {
  Result<void> readable;
  const auto users = record_.kept(users_space, [&](store::KeptRow row) {
    auto found = decode_account(row);
    if (!found) readable = pass_on(found);
    else {
      by_name_.emplace(found->user.name, found->user.id);
      accounts_.emplace(found->user.id, std::move(*found));
    }
    return readable.has_value();
  });
  if (!users) return pass_on(users);
  if (!readable) return readable;
  if (const auto read = load_sessions(); !read) return read;
  if (const auto read = load_tokens(); !read) return read;
  const auto setup = record_.kept_one(state_space, setup_key);
  if (!setup) return pass_on(setup);
  if (*setup) {
    auto link = decode_setup_link({state_space, setup_key, **setup});
    if (!link) return pass_on(link);
    setup_ = std::make_unique<SetupLink>(*link);
  }
  const auto numbers = record_.kept_one(state_space, numbers_key);
  if (!numbers) return pass_on(numbers);
  if (*numbers) {
    const auto newest = decode_numbers({state_space, numbers_key, **numbers});
    if (!newest) return pass_on(newest);
    newest_token_ = *newest;
  }
  if (const auto ended = end_sessions_of_another_record(); !ended) return ended;
  set_gauges();
  return {};
}

Result<void> Directory::end_sessions_of_another_record() {
  const auto position = record_.position();
  if (!position) return pass_on(position);
  const auto& bytes = position->identity.bytes;
  const std::string identity(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto begun_on = record_.kept_one(state_space, record_key);
  if (!begun_on) return pass_on(begun_on);
  if (*begun_on == identity) return {};
  std::lock_guard writing(writing_);
  Write write;
  write.batch.kept_put.push_back({state_space, record_key, identity});
  for (const auto& [digest, session] : sessions_) write.end(session->kept);
  if (!write.sessions_ended.empty())
    write.tell({"restore", "server", "", {}}, "session.end", "", "{\"sessions\":" + std::to_string(write.sessions_ended.size()) + "}");
  if (const auto stored = commit(std::move(write)); !stored) {
    // A record that takes no changes now is served all the same; the next start ends them for good.
    log_warning("sessions_not_ended", {{"error", stored.error().text()}});
    sessions_.clear();
  }
  return {};
}

Result<void> Directory::load_sessions() {
  Result<void> readable;
  const Instant now = clock_.now();
  const auto read = record_.kept(sessions_space, [&](store::KeptRow row) {
    auto kept = decode_session(row);
    if (!kept) {
      readable = pass_on(kept);
      return false;
    }
    if (const auto owner = accounts_.find(kept->session.user); owner != accounts_.end())
      throttle_.known(owner->second.user.name, kept->session.address, now);
    const Digest digest = kept->digest;
    sessions_.emplace(digest, std::make_unique<LiveSession>(std::move(*kept)));
    return true;
  });
  if (!read) return pass_on(read);
  return readable;
}

Result<void> Directory::load_tokens() {
  Result<void> readable;
  const auto read = record_.kept(tokens_space, [&](store::KeptRow row) {
    auto kept = decode_token(row);
    if (!kept) {
      readable = pass_on(kept);
      return false;
    }
    const Digest digest = kept->digest;
    tokens_.emplace(digest, std::make_unique<LiveToken>(std::move(*kept)));
    return true;
  });
  if (!read) return pass_on(read);
  return readable;
}

void Directory::set_gauges() const {
  metrics_.gauge("millrace_people_sessions").set(static_cast<std::int64_t>(sessions_.size()));
  metrics_.gauge("millrace_people_users").set(static_cast<std::int64_t>(accounts_.size()));
}

// ---- reading

std::vector<User> Directory::users() const {
  std::vector<User> list;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [id, account] : accounts_) list.push_back(account.user);
  }
  std::ranges::sort(list, natural_less, &User::name);
  return list;
}

std::optional<Account> Directory::account(UserId id) const {
  std::shared_lock lock(mutex_);
  const auto found = accounts_.find(id);
  return found == accounts_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<User> Directory::user(UserId id) const {
  const auto found = account(id);
  return found ? std::optional(found->user) : std::nullopt;
}

std::optional<User> Directory::find_user(std::string_view login) const {
  const auto name = login_name(login);
  if (!name) return std::nullopt;
  std::shared_lock lock(mutex_);
  const auto found = by_name_.find(*name);
  return found == by_name_.end() ? std::nullopt : std::optional(accounts_.at(found->second).user);
}

bool Directory::nobody_yet() const {
  std::shared_lock lock(mutex_);
  return accounts_.empty();
}

// An active administrator who has a way to sign in.
bool Directory::administers(const Account& account) {
  return account.user.active && account.user.role == Role::admin && (account.user.has_password || account.user.has_outside_sign_in);
}

bool Directory::has_administrator() const {
  std::shared_lock lock(mutex_);
  return std::ranges::any_of(accounts_, [](const auto& entry) { return administers(entry.second); });
}

// ---- writing users

void Directory::hash_new_password(Secret password, std::string login, std::string address, std::function<void(Result<PasswordHash>)> done) {
  if (const auto checked = check_new_password(password, login); !checked) return done(pass_on(checked));
  const auto taken = desk_.take(throttle_address(address), [this, password = std::move(password), done](bool stopping) {
    if (stopping) return done(fail(ErrorCode::cancelled, "the server is stopping; try again in a moment"));
    done(people::hash_password(password, options_.cost));
  });
  if (!taken) done(pass_on(taken));
}

Result<void> Directory::check_name_free(const std::string& name) const {
  std::shared_lock lock(mutex_);
  if (by_name_.contains(name)) return fail(ErrorCode::conflict, "there is a user " + name + " already; choose another login or change that user");
  if (accounts_.size() >= options_.users_max) return fail(ErrorCode::limit_reached, "there are " + std::to_string(options_.users_max) + " users, the most there can be");
  return {};
}

Result<Account> Directory::made_account(NewUser wanted) const {
  Account made;
  auto name = login_name(wanted.name);
  if (!name) return pass_on(name);
  auto display_name = clean("the name", wanted.display_name);
  if (!display_name) return pass_on(display_name);
  auto email = clean_email(wanted.email);
  if (!email) return pass_on(email);
  auto own_orders = clean("the salesperson", wanted.own_orders);
  if (!own_orders) return pass_on(own_orders);
  if (wanted.role == Role::admin && !own_orders->empty())
    return fail(ErrorCode::invalid_input, "an administrator sees all orders; choose another role, or no salesperson");
  if (const auto is_free = check_name_free(*name); !is_free) return pass_on(is_free);
  User& user = made.user;
  {
    std::shared_lock lock(mutex_);
    user.id.value = accounts_.empty() ? 1 : accounts_.rbegin()->first.value + 1;
  }
  user.name = std::move(*name);
  user.display_name = std::move(*display_name);
  user.email = std::move(*email);
  user.own_orders = std::move(*own_orders);
  user.role = wanted.role;
  user.created = clock_.now();
  made.password = std::move(wanted.password);
  user.has_password = !made.password.empty();
  return made;
}

Result<User> Directory::create(NewUser wanted, const Actor& actor) {
  std::lock_guard writing(writing_);
  auto made = made_account(std::move(wanted));
  if (!made) return pass_on(made);
  Write write;
  write.put(*made);
  write.tell(actor, "user.create", object_of(made->user.id), "", json_of(made->user));
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return made->user;
}

Result<Account> Directory::account_to_change(UserId id, std::uint64_t version) const {
  auto found = account(id);
  if (!found) return no_such_user(id);
  if (version != 0 && version != found->user.version) {
    return fail(ErrorCode::conflict, "user " + found->user.name + " was changed meanwhile: it is version " + std::to_string(found->user.version) +
                                         " now and you looked at version " + std::to_string(version) + "; look again");
  }
  return *found;
}

bool Directory::leaves_an_administrator(const Account& changed) const {
  std::shared_lock lock(mutex_);
  if (!administers(accounts_.at(changed.user.id)) || administers(changed)) return true;  // nothing is lost
  return std::ranges::any_of(accounts_, [&](const auto& entry) { return entry.first != changed.user.id && administers(entry.second); });
}

Result<User> Directory::change(UserId id, const UserChange& change, const Actor& actor) {
  std::lock_guard writing(writing_);
  auto found = account_to_change(id, change.version);
  if (!found) return pass_on(found);
  User& user = found->user;
  const User before = user;
  const auto set = [](Result<std::string> cleaned, std::string& field) -> Result<void> {
    if (!cleaned) return pass_on(cleaned);
    field = std::move(*cleaned);
    return {};
  };
  if (change.display_name)
    if (const auto done = set(clean("the name", *change.display_name), user.display_name); !done) return pass_on(done);
  if (change.email)
    if (const auto done = set(clean_email(*change.email), user.email); !done) return pass_on(done);
  if (change.own_orders)
    if (const auto done = set(clean("the salesperson", *change.own_orders), user.own_orders); !done) return pass_on(done);
  user.role = change.role.value_or(user.role);
  user.active = change.active.value_or(user.active);
  if (user == before) return user;
  if (user.role == Role::admin && !user.own_orders.empty())
    return fail(ErrorCode::invalid_input, "an administrator sees all orders; take the limit to " + printable(user.own_orders) + " away first");
  if (!leaves_an_administrator(*found))
    return fail(ErrorCode::conflict, "user " + user.name + " is the last active administrator; make somebody else one first");
  ++user.version;
  Write write;
  write.put(*found);
  if (user.role != before.role || user.active != before.active || user.own_orders != before.own_orders) {
    end_sessions(id, write);
    tell_tokens(id, write);
  }
  const std::string_view verb = user.active == before.active ? "user.change" : user.active ? "user.activate" : "user.deactivate";
  write.tell(actor, std::string(verb), object_of(id), json_of(before), json_of(user));
  const User after = user;
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return after;
}

Result<User> Directory::set_password(UserId id, PasswordHash password, const Actor& actor) {
  std::lock_guard writing(writing_);
  auto found = account_to_change(id, 0);
  if (!found) return pass_on(found);
  const User before = found->user;
  found->password = std::move(password);
  found->user.has_password = !found->password.empty();
  if (!leaves_an_administrator(*found))
    return fail(ErrorCode::conflict, "user " + before.name + " is the last administrator who can sign in and needs a password");
  ++found->user.version;
  Write write;
  write.put(*found);
  end_sessions(id, write);
  write.tell(actor, "user.password", object_of(id), json_of(before), json_of(found->user));
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return found->user;
}

// ---- one write

void Directory::end_sessions(UserId id, Write& write) const {
  std::shared_lock lock(mutex_);
  for (const auto& [digest, session] : sessions_)
    if (session->kept.session.user == id) write.end(session->kept);
}

void Directory::tell_tokens(UserId id, Write& write) const {
  std::shared_lock lock(mutex_);
  for (const auto& [digest, token] : tokens_)
    if (token->kept.token.user == id) write.revoked.tokens.push_back(token->kept.token.id);
}

Result<void> Directory::commit(Write write) {
  write.batch.source = "people";
  const auto stored = audit_.commit(std::move(write.batch), std::move(write.entries));
  if (!stored) return pass_on(stored);
  publish(write);
  if (on_revoked_ && !(write.revoked.sessions.empty() && write.revoked.tokens.empty())) on_revoked_(write.revoked);
  return {};
}

void Directory::publish(Write& write) {
  std::unique_lock lock(mutex_);
  for (Account& changed : write.accounts) {
    by_name_[changed.user.name] = changed.user.id;
    accounts_.insert_or_assign(changed.user.id, std::move(changed));
  }
  publish_sessions(write);
  for (const KeptToken& ended : write.tokens_ended) tokens_.erase(ended.digest);
  for (KeptToken& made : write.tokens_new) {
    newest_token_ = std::max(newest_token_, made.token.id.value);
    const Digest digest = made.digest;
    tokens_.insert_or_assign(digest, std::make_unique<LiveToken>(std::move(made)));
  }
  if (write.setup_ended) setup_.reset();
  if (write.setup_new) setup_ = std::make_unique<SetupLink>(*write.setup_new);
  set_gauges();
}

void Directory::publish_sessions(Write& write) {
  for (const KeptSession& ended : write.sessions_ended) sessions_.erase(ended.digest);
  for (KeptSession& made : write.sessions_new) {
    const Digest digest = made.digest;
    sessions_.insert_or_assign(digest, std::make_unique<LiveSession>(std::move(made)));
  }
}

}  // namespace millrace::people
