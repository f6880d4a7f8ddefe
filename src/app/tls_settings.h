// Which certificate the settings mean.
#pragma once
#include "app/settings.h"
#include "server/tls.h"

namespace millrace::app {

// Those of tls_certificate and tls_key. Without them an address that other machines reach takes what `millrace tls init`
// made, and loopback speaks plain HTTP: nothing leaves the machine.
server::TlsFiles tls_files(const Settings& settings);

}  // namespace millrace::app
