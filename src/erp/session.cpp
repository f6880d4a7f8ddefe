#include "erp/session.h"

#include "base/text.h"

namespace millrace::erp {

std::string without_end_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

RemoteError failure_of(const outbound::Caller::Outcome& outcome, const ConnectOptions& options) {
  using outbound::Failure;
  if (outcome.refused_by_us) return {RemoteErrorKind::later, outcome.why};
  const outbound::Reply& reply = outcome.reply;
  const std::string host = host_of(options.url);
  switch (reply.failure) {
    case Failure::cancelled: return {RemoteErrorKind::cancelled, "The call to " + host + " was ended because we stop."};
    case Failure::timeout:
    case Failure::reset:
    case Failure::too_large:
      return {RemoteErrorKind::too_slow, host + " did not answer whole (" + std::string(word(reply.failure)) + ": " + reply.text +
                                             "); a smaller page is asked for next."};
    case Failure::tls:
      return {RemoteErrorKind::denied, host + " could not prove who it is (" + reply.text +
                                           "); renew its certificate, or set ca_file or pin of this source."};
    case Failure::address_denied:
      return {RemoteErrorKind::denied, host + " may not be called (" + reply.text + "); correct the address of this source."};
    case Failure::resolve:
      return {RemoteErrorKind::later, "The host of " + host + " is not known (" + reply.text + "); check the address of this source and the DNS."};
    case Failure::connect:
      return {RemoteErrorKind::later, "Nobody answers at " + host + " (" + reply.text + "); check address, port and firewall."};
    case Failure::protocol:
      return {RemoteErrorKind::later, host + " does not speak HTTP as expected (" + reply.text + "); check port, and http against https."};
    case Failure::not_sent: return {RemoteErrorKind::later, reply.text};
    case Failure::none: break;
  }
  return {RemoteErrorKind::later, host + " gave no answer (" + reply.text + "); it is asked again."};
}

}  // namespace millrace::erp
