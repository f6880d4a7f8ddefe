// The settings as they count and where each came from: for `config show` and for administrators in the browser.
#pragma once
#include <string>
#include <vector>

#include "app/settings.h"

namespace millrace::app {

// {"files": [...], "settings": [{"name", "value", "type", "origin", "is_default", "environment", "help"}]}. Secrets are files
// by name, never what is in them.
std::string settings_json(const ResolvedSettings& settings);
// Several values of one setting as one text.
std::string joined(const std::vector<std::string>& values);

}  // namespace millrace::app
