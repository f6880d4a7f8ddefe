// The SQL of the store: one named statement per file in sql/, one migration per file in migrations/.
#pragma once
#include <span>
#include <string_view>

namespace millrace {

struct EmbeddedText {
  std::string_view name;
  std::string_view text;
};
std::span<const EmbeddedText> store_sql();
std::span<const EmbeddedText> store_migrations();  // ascending

}  // namespace millrace
