#include "app/tls_settings.h"

#include <filesystem>

namespace millrace::app {

server::TlsFiles tls_files(const Settings& settings) {
  if (!settings.tls_certificate.empty() || !settings.tls_key.empty()) return {settings.tls_certificate, settings.tls_key};
  const bool is_loopback = settings.listen.starts_with("127.") || settings.listen.starts_with("localhost:") || settings.listen.starts_with("[::1]:");
  const server::TlsFiles made = server::made_tls_files(server::tls_folder(settings.data));
  std::error_code ignored;  // what cannot be looked at is not there
  if (is_loopback || !std::filesystem::exists(made.certificate, ignored)) return {};
  return made;
}

}  // namespace millrace::app
