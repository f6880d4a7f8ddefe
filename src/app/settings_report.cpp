#include "app/settings_report.h"

#include "base/json_writer.h"

namespace millrace::app {

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ":") + value;
  return text;
}

std::string settings_json(const ResolvedSettings& settings) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("files").begin_array();
  for (const std::string& file : settings.files) json.text(file);
  json.end_array().key("settings").begin_array();
  for (const SettingOrigin& origin : settings.origins) {
    json.begin_object().field("name", origin.name);
    if (origin.row->type == SettingType::path_list || origin.row->type == SettingType::text_list) {
      json.key("value").begin_array();
      for (const std::string& value : origin.values) json.text(value);
      json.end_array();
    } else {
      json.field("value", joined(origin.values));
    }
    json.field("type", word(origin.row->type)).field("origin", origin.origin).field("is_default", origin.is_default);
    json.field("environment", origin.environment).field("help", origin.row->help).end_object();
  }
  json.end_array().end_object();
  return text;
}

}  // namespace millrace::app
