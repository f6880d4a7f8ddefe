#include "people/people.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace millrace::people {
namespace {

constexpr Rights viewer_rights{Right::see_orders, Right::see_money, Right::see_changes, Right::see_sources};

constexpr std::array roles = std::to_array<RoleRow>({
    {Role::viewer, "viewer", viewer_rights, "sees orders, amounts, changes and sources"},
    {Role::sales, "sales", viewer_rights | Rights{Right::edit_orders}, "a viewer who edits orders"},
    {Role::planner, "planner", viewer_rights | Rights{Right::edit_orders, Right::run_jobs, Right::decide, Right::see_performance},
     "edits orders, decides differences, runs jobs, sees performance"},
    {Role::finance, "finance", viewer_rights | Rights{Right::edit_money, Right::run_jobs}, "writes and imports finance documents, runs jobs"},
    {Role::floor, "floor", Rights{Right::see_orders}, "sees orders without amounts"},
    {Role::admin, "admin", Rights::all(), "everything, users and settings too"},
});

struct RightRow {
  Right right;
  std::string_view name;
};
constexpr std::array right_names = std::to_array<RightRow>({
    {Right::see_orders, "see_orders"},
    {Right::see_money, "see_money"},
    {Right::see_changes, "see_changes"},
    {Right::see_sources, "see_sources"},
    {Right::see_performance, "see_performance"},
    {Right::edit_orders, "edit_orders"},
    {Right::edit_money, "edit_money"},
    {Right::run_jobs, "run_jobs"},
    {Right::control_sources, "control_sources"},
    {Right::decide, "decide"},
    {Right::push, "push"},
    {Right::admin, "admin"},
});
constexpr auto right_list = [] {
  std::array<Right, right_names.size()> list{};
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = right_names[i].right;
  return list;
}();

struct ScopeRow {
  Scope scope;
  std::string_view name;
  Rights rights;
};
constexpr Rights read_rights{Right::see_orders, Right::see_money, Right::see_changes, Right::see_sources, Right::see_performance};
constexpr std::array scopes = std::to_array<ScopeRow>({
    {Scope::read, "read", read_rights},
    {Scope::write, "write",
     read_rights | Rights{Right::edit_orders, Right::edit_money, Right::run_jobs, Right::control_sources, Right::decide, Right::push}},
    {Scope::admin, "admin", Rights::all()},
});

const RoleRow& row_of(Role role) {
  const auto row = std::ranges::find(roles, role, &RoleRow::role);
  check(row != roles.end(), "a role without a row");
  return *row;
}
const ScopeRow& row_of(Scope scope) {
  const auto row = std::ranges::find(scopes, scope, &ScopeRow::scope);
  check(row != scopes.end(), "a scope without a row");
  return *row;
}

}  // namespace

std::span<const Right> all_rights() { return right_list; }

std::string_view word(Right right) {
  const auto row = std::ranges::find(right_names, right, &RightRow::right);
  check(row != right_names.end(), "a right without a name");
  return row->name;
}

std::optional<Right> parse_right(std::string_view text) {
  const auto row = std::ranges::find(right_names, text, &RightRow::name);
  return row == right_names.end() ? std::nullopt : std::optional(row->right);
}

std::vector<std::string_view> words(Rights rights) {
  std::vector<std::string_view> list;
  for (const RightRow& row : right_names)
    if (rights.has(row.right)) list.push_back(row.name);
  return list;
}

std::span<const RoleRow> role_rows() { return roles; }
std::string_view word(Role role) { return row_of(role).name; }
std::optional<Role> parse_role(std::string_view text) {
  const auto row = std::ranges::find(roles, text, &RoleRow::name);
  return row == roles.end() ? std::nullopt : std::optional(row->role);
}
Rights rights_of(Role role) { return row_of(role).rights; }

std::string role_words() {
  std::string text;
  for (const RoleRow& row : roles) text += (text.empty() ? "" : ", ") + std::string(row.name);
  return text;
}

std::string_view word(Scope scope) { return row_of(scope).name; }
std::optional<Scope> parse_scope(std::string_view text) {
  const auto row = std::ranges::find(scopes, text, &ScopeRow::name);
  return row == scopes.end() ? std::nullopt : std::optional(row->scope);
}
Rights rights_of(Scope scope) { return row_of(scope).rights; }

Identity local_identity() {
  Identity local;
  local.name = "local";
  local.role = Role::admin;
  local.rights = Rights::all();
  local.by = Identity::By::local;
  return local;
}

Actor actor_of(const Identity& identity, std::string address) {
  Actor actor{identity.name, "session", std::move(address), identity.user};
  if (identity.by == Identity::By::token) actor.via = "token " + identity.token_name;
  if (identity.by == Identity::By::local) actor.via = identity.name == command_line_actor().who ? "command line" : "no sign-in";
  return actor;
}

Actor command_line_actor() { return {"command line", "command line", "", {}}; }

}  // namespace millrace::people
