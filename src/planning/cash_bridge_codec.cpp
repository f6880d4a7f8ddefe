// The bytes of a kept forecast:
//
//   magic "MRCF" | version | hash64 of what follows (8 bytes) | length unpacked (varint) | zstd of:
//     currency, first day, end day, opening, rates, count of items, parties and currencies (each text once), then columns:
//     ids (shared with the one before, rest) | party codes | currency codes | days from the first | amounts
//     | converted less amount | layers
#include <zstd.h>

#include <algorithm>
#include <unordered_map>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "planning/cash_bridge.h"

namespace millrace::planning {
namespace {

constexpr std::string_view magic = "MRCF";
constexpr std::uint8_t version = 1;
constexpr int compression = 3;
constexpr std::uint64_t unpacked_max = std::uint64_t{4} << 30;
constexpr std::size_t item_bytes_min = 8;  // two lengths of the id, and one byte at least of each other column

Failure damaged() { return fail(ErrorCode::corrupt, "a kept forecast is damaged and cannot be read; the others and today's are not concerned"); }

std::string fixed64(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
  return bytes;
}

std::optional<Currency> read_currency(ByteReader& in) {
  const std::string_view code = in.text();
  return code.empty() ? Currency() : Currency::parse(code);
}

void write_rates(ByteWriter& out, const std::vector<RateRoad>& rates) {
  out.varint(rates.size());
  for (const RateRoad& road : rates) {
    out.text(road.from().code());
    out.varint(road.steps().size());
    for (const RateStep& step : road.steps()) {
      out.text(step.from.code());
      out.text(step.to.code());
      out.signed_varint(step.scaled);
      out.u8(step.inverse ? 1 : 0);
      out.signed_varint(day_number(step.day));
      out.text(step.document);
    }
  }
}

bool read_road(ByteReader& in, RateRoad& road) {
  const auto from = read_currency(in);
  const std::size_t count = in.count();
  if (!from || count > 2) return false;
  std::vector<RateStep> steps;
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = read_currency(in), other = read_currency(in);
    const std::int64_t scaled = in.signed_varint();
    const bool inverse = in.u8() != 0;
    const std::int64_t day = in.signed_varint();
    std::string document(in.text());
    if (!in.ok() || !one || !other || scaled <= 0 || scaled > rate_max || day < -1'000'000 || day > 10'000'000) return false;
    steps.push_back({*one, *other, scaled, inverse, day_from_number(static_cast<std::int32_t>(day)), std::move(document)});
  }
  if (steps.size() == 2 && steps[0].to != steps[1].from) return false;
  if (!steps.empty() && steps[0].from != *from) return false;
  road = steps.empty() ? RateRoad::same(*from) : RateRoad::of(std::move(steps));
  return true;
}

// Texts that repeat, by the order in which they first come.
class Dictionary {
 public:
  std::uint64_t code(const std::string& text) {
    const auto [found, fresh] = codes_.try_emplace(text, texts_.size());
    if (fresh) texts_.push_back(&found->first);
    return found->second;
  }
  void write(ByteWriter& out) const {
    out.varint(texts_.size());
    for (const std::string* text : texts_) out.text(*text);
  }

 private:
  std::unordered_map<std::string, std::uint64_t> codes_;
  std::vector<const std::string*> texts_;
};

std::vector<std::string> read_dictionary(ByteReader& in) {
  std::vector<std::string> texts(in.count());
  for (std::string& text : texts) text = in.text();
  return texts;
}

std::string unpacked_bytes(const KeptForecast& forecast) {
  std::string bytes;
  ByteWriter out(bytes);
  out.text(forecast.currency.code());
  out.signed_varint(forecast.first_day);
  out.signed_varint(forecast.end_day);
  out.signed_varint(forecast.opening);
  write_rates(out, forecast.rates);
  Dictionary parties, currencies;
  std::string party_codes, currency_codes;
  ByteWriter party_out(party_codes), currency_out(currency_codes);
  for (const KeptItem& item : forecast.items) {
    party_out.varint(parties.code(item.party));
    currency_out.varint(currencies.code(item.currency.code()));
  }
  out.varint(forecast.items.size());
  parties.write(out);
  currencies.write(out);
  const std::string* before = nullptr;
  for (const KeptItem& item : forecast.items) {
    const std::size_t shared = before ? static_cast<std::size_t>(std::ranges::mismatch(*before, item.id).in1 - before->begin()) : 0;
    out.varint(shared);
    out.text(std::string_view(item.id).substr(shared));
    before = &item.id;
  }
  bytes += party_codes;
  bytes += currency_codes;
  for (const KeptItem& item : forecast.items) out.signed_varint(std::int64_t{item.day} - forecast.first_day);
  for (const KeptItem& item : forecast.items) out.signed_varint(item.amount);
  for (const KeptItem& item : forecast.items)
    out.signed_varint(static_cast<std::int64_t>(static_cast<std::uint64_t>(item.converted) - static_cast<std::uint64_t>(item.amount)));
  for (const KeptItem& item : forecast.items) out.u8(item.layer);
  return bytes;
}

bool read_ids(ByteReader& in, std::vector<KeptItem>& items) {
  std::string id;
  for (KeptItem& item : items) {
    const std::uint64_t shared = in.varint();
    if (shared > id.size()) return false;
    id.resize(static_cast<std::size_t>(shared));
    id += in.text();
    item.id = id;
  }
  return in.ok();
}

bool read_items(ByteReader& in, KeptForecast& forecast) {
  const std::size_t count = in.count(item_bytes_min);
  const std::vector<std::string> parties = read_dictionary(in), codes = read_dictionary(in);
  if (!in.ok() || count > kept_items_max) return false;
  std::vector<Currency> currencies;
  for (const std::string& code : codes) {
    const auto currency = code.empty() ? std::optional(Currency()) : Currency::parse(code);
    if (!currency) return false;
    currencies.push_back(*currency);
  }
  forecast.items.resize(count);
  if (!read_ids(in, forecast.items)) return false;
  for (KeptItem& item : forecast.items) {
    const std::uint64_t code = in.varint();
    if (code >= parties.size()) return false;
    item.party = parties[static_cast<std::size_t>(code)];
  }
  for (KeptItem& item : forecast.items) {
    const std::uint64_t code = in.varint();
    if (code >= currencies.size()) return false;
    item.currency = currencies[static_cast<std::size_t>(code)];
  }
  for (KeptItem& item : forecast.items) {
    const std::int64_t offset = in.signed_varint();
    if (offset < INT32_MIN - std::int64_t{forecast.first_day} || offset > INT32_MAX - std::int64_t{forecast.first_day}) return false;
    item.day = static_cast<std::int32_t>(forecast.first_day + offset);
  }
  for (KeptItem& item : forecast.items) item.amount = in.signed_varint();
  for (KeptItem& item : forecast.items)
    item.converted = static_cast<std::int64_t>(static_cast<std::uint64_t>(item.amount) + static_cast<std::uint64_t>(in.signed_varint()));
  for (KeptItem& item : forecast.items) item.layer = in.u8();
  return in.ok() && in.at_end();
}

Result<KeptForecast> read_forecast(std::string_view bytes) {
  ByteReader in(bytes);
  KeptForecast forecast;
  const auto currency = read_currency(in);
  const std::int64_t first = in.signed_varint(), end = in.signed_varint();
  if (!currency || first < INT32_MIN || first > INT32_MAX || end < INT32_MIN || end > INT32_MAX) return damaged();
  forecast.currency = *currency;
  forecast.first_day = static_cast<std::int32_t>(first);
  forecast.end_day = static_cast<std::int32_t>(end);
  forecast.opening = in.signed_varint();
  forecast.rates.resize(in.count(2));
  for (RateRoad& road : forecast.rates)
    if (!read_road(in, road)) return damaged();
  if (!in.ok() || !read_items(in, forecast)) return damaged();
  return forecast;
}

}  // namespace

std::string encode(const KeptForecast& forecast) {
  check(forecast.items.size() <= kept_items_max, "a kept forecast has a bounded number of items");
  const std::string unpacked = unpacked_bytes(forecast);
  std::string packed(ZSTD_compressBound(unpacked.size()), '\0');
  const std::size_t size = ZSTD_compress(packed.data(), packed.size(), unpacked.data(), unpacked.size(), compression);
  check(ZSTD_isError(size) == 0, "zstd packs into the room it asked for");
  packed.resize(size);
  std::string checked;
  ByteWriter(checked).varint(unpacked.size());
  checked += packed;
  std::string bytes(magic);
  bytes.push_back(static_cast<char>(version));
  return bytes + fixed64(hash64(checked)) + checked;
}

Result<KeptForecast> decode_kept_forecast(std::string_view bytes) {
  const std::size_t head = magic.size() + 1 + 8;
  if (bytes.size() <= head || !bytes.starts_with(magic) || static_cast<std::uint8_t>(bytes[magic.size()]) != version) return damaged();
  const std::string_view checked = bytes.substr(head);
  if (bytes.substr(magic.size() + 1, 8) != fixed64(hash64(checked))) return damaged();
  ByteReader in(checked);
  const std::uint64_t size = in.varint();
  const std::string_view packed = checked.substr(checked.size() - in.left());
  // zstd packs at most about a thousandfold of what repeats: a greater claim is no forecast of ours.
  if (!in.ok() || size > unpacked_max || size / 40'000 > packed.size()) return damaged();
  std::string unpacked(static_cast<std::size_t>(size), '\0');
  const std::size_t got = ZSTD_decompress(unpacked.data(), unpacked.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != size) return damaged();
  return read_forecast(unpacked);
}

}  // namespace millrace::planning
