#include "erp/session.h"

#include "base/text.h"

namespace millrace::erp {

std::string without_end_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

namespace {

// "the certificate of ..." -> "The certificate of ....": what the outbound client says is whole, with the fix; a sentence
// that begins with the host keeps it as it is written.
std::string sentence(std::string text, const std::string& host) {
  if (text.empty()) return text;
  if (!text.starts_with(host) && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (!text.ends_with('.')) text += '.';
  return text;
}

}  // namespace

RemoteError failure_of(const outbound::Caller::Outcome& outcome, const std::string& url, bool sign_in) {
  using outbound::Failure;
  if (outcome.refused_by_us) return {RemoteErrorKind::later, outcome.why};
  const outbound::Reply& reply = outcome.reply;
  const std::string host = host_of(url);
  const bool plain = url.starts_with("http://");
  switch (reply.failure) {
    case Failure::cancelled: return {RemoteErrorKind::cancelled, "The call to " + host + " was ended because we stop."};
    case Failure::reset:
      // A server that speaks TLS hangs up on whoever does not.
      if (plain && reply.status == 0)
        return {RemoteErrorKind::later, host + " ended the connection without an answer; if that port speaks TLS, write https:// in the url of this source."};
      [[fallthrough]];
    case Failure::timeout:
    case Failure::too_large:
      if (sign_in) return {RemoteErrorKind::later, sentence(reply.text, host)};
      return {RemoteErrorKind::too_slow, host + " did not answer whole (" + std::string(word(reply.failure)) + ": " + reply.text +
                                             "); a smaller page is asked for next."};
    case Failure::protocol:
      if (plain) return {RemoteErrorKind::later, host + " does not answer in HTTP; check the port, and if it speaks TLS write https:// in the url of this source."};
      return {RemoteErrorKind::later, sentence(reply.text, host)};
    case Failure::tls:
    case Failure::address_denied: return {RemoteErrorKind::denied, sentence(reply.text, host)};
    case Failure::resolve:
    case Failure::connect: return {RemoteErrorKind::later, sentence(reply.text, host)};
    case Failure::not_sent: return {RemoteErrorKind::later, reply.text};
    case Failure::none: break;
  }
  return {RemoteErrorKind::later, host + " gave no answer (" + reply.text + "); it is asked again."};
}

}  // namespace millrace::erp
