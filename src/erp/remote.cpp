#include "erp/remote.h"

#include <charconv>

#include "base/text.h"
#include "erp/odata_remote.h"

namespace millrace::erp {

std::strong_ordering Key::operator<=>(const Key& other) const {
  if (is_number != other.is_number) return is_number ? std::strong_ordering::less : std::strong_ordering::greater;
  if (is_number) return number <=> other.number;
  return text <=> other.text;
}

std::string key_text(const Key& key) { return key.is_number ? std::to_string(key.number) : key.text; }

Key key_of(const StreamDescriptor& stream, std::string_view text) {
  Key key;
  if (stream.key_is_number) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), key.number);
    if (result.ec == std::errc() && result.ptr == text.data() + text.size() && !text.empty()) return key;
  }
  key.is_number = false;
  key.number = 0;
  key.text = stream.key_is_guid ? lower_ascii(text) : std::string(text);
  return key;
}

std::unique_ptr<Remote> make_remote(Dialect dialect, ConnectOptions options, outbound::Caller& caller) {
  return make_service_remote(dialect, std::move(options), caller);
}

}  // namespace millrace::erp
