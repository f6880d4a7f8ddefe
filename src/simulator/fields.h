// Which properties the entities of the simulated Service Layer have: one table per entity, read by filters, orders,
// projections and the JSON alike. Names and words are SAP's.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "simulator/company.h"

namespace millrace::simulator {

enum class Kind : std::uint8_t {
  integer,
  decimal,  // number is micros
  text,
  day,         // number counts days since 1970-01-01
  time,        // number is seconds of the day
  choice,      // number is the place in `choices`
  collection,  // rows inside the row: neither filtered nor ordered by
};

struct Choice {
  std::string_view name, letter;  // "bost_Open", "O": a filter may use either
};

struct Value {
  bool null = false;
  std::int64_t number = 0;
  std::string_view text = {};
};

struct Table;
struct Field {
  std::string_view name;
  Kind kind = Kind::text;
  Value (*get)(const void* row) = nullptr;
  std::span<const Choice> choices = {};
  // of a collection
  const Table* rows = nullptr;
  std::size_t (*count)(const void* row) = nullptr;
  const void* (*at)(const void* row, std::size_t index) = nullptr;
};

struct Table {
  std::string_view type;  // "Document"
  std::span<const Field> fields;
  const Field* find(std::string_view name) const;  // nullptr when there is no such property; case counts
};

struct EntitySet {
  std::string_view name, key;
  bool key_is_text = false;
  const Table* table = nullptr;
  // Calls `row` in key order, where keys are numbers from `least` on; false ends it.
  void (*each)(const Company& company, std::int64_t least, const std::function<bool(const void* row)>& row) = nullptr;
  std::uint64_t (*version)(const void* row) = nullptr;  // nullptr: the set has no ETags
};
std::span<const EntitySet> entity_sets();
const EntitySet* find_entity_set(std::string_view name);

}  // namespace millrace::simulator
