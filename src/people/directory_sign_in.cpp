// Signing in, in every way there is.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "people/directory.h"
#include "people/internal/live.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

constexpr auto busy_retry = 3s;
constexpr std::size_t agent_bytes_max = 200;
const std::string how_password = "password", how_outside = "oidc", how_setup = "setup link";
const std::string setup_login = "setup link";  // what the throttle counts tries of a setup link under; no login holds a blank

// One text for everything that must not be told apart.
Failure wrong_login() { return fail(ErrorCode::denied, "the login or the password is wrong"); }
Failure wrong_link() {
  return fail(ErrorCode::denied, "this setup link was used, is too old or was replaced; make a new one with `millrace user setup-link`");
}

std::chrono::seconds whole_seconds(std::chrono::milliseconds wait) { return std::chrono::ceil<std::chrono::seconds>(wait); }

Actor person(const User& user, const std::string& how, const std::string& address) { return {user.name, how, address, user.id}; }

std::string session_json(const std::string& how) { return "{\"how\":\"" + how + "\"}"; }

// The throttle and the audit see the same login for all its spellings; what is no login at all is kept apart by its text.
std::string counted_login(const std::string& typed) {
  const auto name = login_name(typed);
  return name ? *name : "? " + typed.substr(0, 256);
}

}  // namespace

bool Directory::admit(const std::string& login, const std::string& address, const SignInDone& done) {
  const auto wait = throttle_.admit(login, address, clock_.now());
  if (wait.count() == 0) return true;
  metrics_.counter("millrace_sign_ins_total", "slowed").add();
  const auto seconds = whole_seconds(wait);
  done(fail(ErrorCode::limit_reached, "too many wrong tries from here; try again in " + std::to_string(seconds.count()) + " s"), seconds);
  return false;
}

bool Directory::enter_desk(const std::string& login, const std::string& address, const SignInDone& done, HashDesk::Task task) {
  const auto taken = desk_.take(throttle_address(address), std::move(task));
  if (taken) return true;
  throttle_.withdraw(login, address);
  metrics_.counter("millrace_sign_ins_total", "busy").add();
  done(pass_on(taken), taken.error().code() == ErrorCode::limit_reached ? busy_retry : 0s);
  return false;
}

void Directory::sign_in(SignIn request, SignInDone done) {
  const std::string login = counted_login(request.name);
  if (!admit(login, request.address, done)) return;
  const std::string address = request.address;
  enter_desk(login, address, done, [this, request = std::move(request), login, done](bool stopping) {
    if (stopping) {
      throttle_.withdraw(login, request.address);
      return done(fail(ErrorCode::cancelled, "the server is stopping; sign in again in a moment"), 0s);
    }
    check_sign_in(request, login, done);
  });
}

void Directory::refuse_sign_in(const std::optional<Account>& meant, const std::string& address, const SignInDone& done) {
  metrics_.counter("millrace_sign_ins_total", "refused").add();
  // A login that nobody has may be a password in the wrong field: it is not written down.
  log_info("sign_in_refused", {{"login", meant ? meant->user.name : "(unknown)"}, {"address", printable(address)}});
  done(wrong_login(), 0s);
}

void Directory::check_sign_in(const SignIn& request, const std::string& login, const SignInDone& done) {
  std::optional<Account> found;
  {
    std::shared_lock lock(mutex_);
    if (const auto name = by_name_.find(login); name != by_name_.end()) found = accounts_.at(name->second);
  }
  // Every try costs one hash over a text of bounded length, whoever is meant.
  const bool possible = found && found->user.active && !found->password.empty();
  const PasswordHash& hash = found && !found->password.empty() ? found->password : nobody_;
  const bool fits = request.password.reveal().size() <= password_bytes_max;
  const bool matches = password_matches(hash, fits ? request.password : Secret());
  if (!possible || !fits || !matches) return refuse_sign_in(found, request.address, done);
  std::optional<PasswordHash> renewed;
  if (needs_rehash(hash, options_.cost)) {
    if (auto made = people::hash_password(request.password, options_.cost)) renewed = std::move(*made);
  }
  auto entered = enter(found->user.id, hash, renewed, request);
  if (!entered && entered.error().code() == ErrorCode::denied) return refuse_sign_in(found, request.address, done);
  throttle_.right(login, request.address, clock_.now());
  metrics_.counter("millrace_sign_ins_total", entered ? "good" : "failed").add();
  done(std::move(entered), 0s);
}

// `proven` is the hash that the password matched: it may be another one by now.
Result<SignedIn> Directory::enter(UserId id, const PasswordHash& proven, const std::optional<PasswordHash>& renewed, const SignIn& request) {
  std::lock_guard writing(writing_);
  auto found = account(id);
  if (!found || !found->user.active || found->password.text != proven.text) return wrong_login();
  if (renewed) found->password = *renewed;
  Write write;
  SignedIn entered = start_session(*found, how_password, request.address, request.agent, write);
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return entered;
}

SignedIn Directory::start_session(Account& account, const std::string& how, const std::string& address, const std::string& agent, Write& write) const {
  const Instant now = clock_.now();
  SignedIn made;
  made.session = new_secret("");
  made.csrf = csrf_of(made.session);
  KeptSession kept;
  kept.digest = digest_of(made.session.reveal());
  kept.session = {SessionId{random_number() >> 11}, account.user.id, now, now, printable(address), printable(agent.substr(0, agent_bytes_max)), how};
  account.user.last_sign_in = now;
  made.identity = identity_of(account.user);
  made.identity.by = Identity::By::session;
  made.identity.credential = kept.session.id.value;
  std::vector<const KeptSession*> open;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [digest, session] : sessions_) {
      const bool ends = std::ranges::any_of(write.sessions_ended, [&](const KeptSession& ended) { return ended.digest == digest; });
      if (session->kept.session.user == account.user.id && !ends) open.push_back(&session->kept);
    }
    std::ranges::sort(open, {}, [](const KeptSession* session) { return session->session.created; });
    for (std::size_t i = 0; i + options_.sessions_per_user_max <= open.size(); ++i) write.end(*open[i]);
  }
  write.put(account);
  write.batch.kept_put.push_back(row_of(kept));
  write.sessions_new.push_back(std::move(kept));
  write.tell(person(account.user, how, address), "sign-in", object_of(account.user.id), "", session_json(how));
  return made;
}

void Directory::change_own_password(const Identity& identity, Secret old_password, Secret new_password, std::string address, std::string agent,
                                    SignInDone done) {
  const auto found = account(identity.user);
  if (!found || identity.by != Identity::By::session) return done(fail(ErrorCode::denied, "only a person who signed in can change his password"), 0s);
  if (const auto checked = check_new_password(new_password, found->user.name); !checked) return done(pass_on(checked), 0s);
  const std::string login = found->user.name;
  if (!admit(login, address, done)) return;
  const UserId id = identity.user;
  const std::string from = address;
  enter_desk(login, from, done, [this, id, login, old_password = std::move(old_password), new_password = std::move(new_password), address = std::move(address),
                                 agent = std::move(agent), done](bool stopping) {
    if (stopping) {
      throttle_.withdraw(login, address);
      return done(fail(ErrorCode::cancelled, "the server is stopping; try again in a moment"), 0s);
    }
    const auto account_now = account(id);
    const PasswordHash hash = account_now && !account_now->password.empty() ? account_now->password : nobody_;
    const bool fits = old_password.reveal().size() <= password_bytes_max;
    if (!password_matches(hash, fits ? old_password : Secret()) || !fits || !account_now)
      return done(fail(ErrorCode::denied, "the password so far is wrong"), 0s);
    throttle_.right(login, address, clock_.now());
    auto made = people::hash_password(new_password, options_.cost);
    if (!made) return done(pass_on(made), busy_retry);
    done(replace_own_password(id, hash, std::move(*made), person(account_now->user, "session", address), agent), 0s);
  });
}

Result<SignedIn> Directory::replace_own_password(UserId id, const PasswordHash& proven, PasswordHash made, const Actor& actor, const std::string& agent) {
  std::lock_guard writing(writing_);
  auto found = account(id);
  if (!found || !found->user.active || found->password.text != proven.text) return fail(ErrorCode::denied, "the password was changed meanwhile");
  const User before = found->user;
  found->password = std::move(made);
  ++found->user.version;
  Write write;
  end_sessions(id, write);
  write.tell(actor, "user.password", object_of(id), json_of(before), json_of(found->user));
  SignedIn entered = start_session(*found, how_password, actor.address, agent, write);
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return entered;
}

// ---- the first administrator

Result<Secret> Directory::new_setup_link(const Actor& actor) {
  std::lock_guard writing(writing_);
  Secret secret = new_secret("setup_");
  Write write;
  write.setup_new = SetupLink{digest_of(secret.reveal()), clock_.now() + options_.setup_link_life};
  write.batch.kept_put.push_back(row_of(*write.setup_new));
  write.tell(actor, "setup-link.create", "", "", "{\"expires\":\"" + rfc3339(write.setup_new->expires) + "\"}");
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  return secret;
}

bool Directory::setup_link_holds(std::string_view secret) const {
  const Digest digest = digest_of(secret);
  const Instant now = clock_.now();
  std::shared_lock lock(mutex_);
  return setup_ && setup_->digest == digest && now < setup_->expires;
}

void Directory::finish_setup(Secret link, NewUser wanted, Secret password, std::string address, std::string agent, SignInDone done) {
  if (!admit(setup_login, address, done)) return;
  if (!setup_link_holds(link.reveal())) return done(wrong_link(), 0s);
  throttle_.right(setup_login, address, clock_.now());
  if (const auto name = login_name(wanted.name); !name) return done(pass_on(name), 0s);
  if (const auto checked = check_new_password(password, wanted.name); !checked) return done(pass_on(checked), 0s);
  const std::string from = address;
  enter_desk(setup_login, from, done, [this, link = std::move(link), wanted = std::move(wanted), password = std::move(password), address = std::move(address),
                                       agent = std::move(agent), done](bool stopping) {
    if (stopping) return done(fail(ErrorCode::cancelled, "the server is stopping; the link still holds, use it again in a moment"), 0s);
    auto hash = people::hash_password(password, options_.cost);
    if (!hash) return done(pass_on(hash), busy_retry);
    NewUser administrator = wanted;
    administrator.password = std::move(*hash);
    administrator.role = Role::admin;
    administrator.own_orders.clear();
    done(set_up(link, std::move(administrator), address, agent), 0s);
  });
}

Result<SignedIn> Directory::set_up(const Secret& link, NewUser wanted, const std::string& address, const std::string& agent) {
  std::lock_guard writing(writing_);
  if (!setup_link_holds(link.reveal())) return wrong_link();
  auto made = made_account(std::move(wanted));
  if (!made) return pass_on(made);
  Write write;
  write.batch.kept_removed.push_back({state_space, setup_key});
  write.setup_ended = true;
  write.tell({"setup link", "setup link", address, {}}, "user.create", object_of(made->user.id), "", json_of(made->user));
  SignedIn entered = start_session(*made, how_setup, address, agent, write);
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  throttle_.known(made->user.name, address, clock_.now());
  return entered;
}

// ---- people whom a provider vouches for

Result<SignedIn> Directory::sign_in_outside(const OutsideUser& outside, const std::string& address, const std::string& agent) {
  const std::string key = outside.issuer + "\n" + outside.subject;
  const auto refused = [&](std::string text) -> Result<SignedIn> {
    metrics_.counter("millrace_sign_ins_total", "refused").add();
    log_info("sign_in_refused", {{"subject", printable(outside.subject)}, {"issuer", printable(outside.issuer)}, {"address", printable(address)}});
    return fail(ErrorCode::denied, std::move(text));
  };
  std::lock_guard writing(writing_);
  std::vector<Account> by_subject, by_email;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [id, account] : accounts_) {
      if (account.outside == key) by_subject.push_back(account);
      const bool same = !outside.email.empty() && lower_ascii(account.user.email) == lower_ascii(outside.email);
      if (same && outside.email_verified && account.outside.empty()) by_email.push_back(account);
    }
  }
  Write write;
  Account account;
  if (!by_subject.empty()) {
    account = by_subject.front();
  } else if (by_email.size() == 1) {
    account = by_email.front();
    const User before = account.user;
    account.outside = key;
    account.user.has_outside_sign_in = true;
    ++account.user.version;
    write.tell(person(account.user, how_outside, address), "user.link", object_of(account.user.id), json_of(before), json_of(account.user));
  } else if (options_.outside_role && outside.email_verified && by_email.empty()) {
    auto made = made_account({outside.email, outside.name, outside.email, *options_.outside_role, "", {}});
    if (!made) return refused("nobody here has the e-mail " + printable(outside.email) + " and no user can be made of it; ask an administrator");
    account = std::move(*made);
    account.outside = key;
    account.user.has_outside_sign_in = true;
    write.tell(person(account.user, how_outside, address), "user.create", object_of(account.user.id), "", json_of(account.user));
  } else {
    return refused("nobody here is known by that account; ask an administrator to enter your e-mail address");
  }
  if (!account.user.active) return refused("this user is not active; ask an administrator");
  SignedIn entered = start_session(account, how_outside, address, agent, write);
  if (const auto stored = commit(std::move(write)); !stored) return pass_on(stored);
  metrics_.counter("millrace_sign_ins_total", "good").add();
  return entered;
}

}  // namespace millrace::people
