// The web part, from inside the program.
#include <algorithm>

#include "base/text.h"
#include "server/internal/assets.h"
#include "server/internal/encoding.h"
#include "server/internal/handlers.h"

namespace millrace::server {

const Asset* find_asset(std::string_view path) {
  const std::vector<Asset>& assets = embedded_assets();
  const auto found = std::lower_bound(assets.begin(), assets.end(), path,
                                      [](const Asset& asset, std::string_view wanted) { return asset.path < wanted; });
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

namespace {

// Said honestly when the program was built without its web part.
constexpr std::string_view page_without_web =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Millrace</title></head>\n"
    "<body><h1>Millrace is running</h1>\n<p>This program was built without its screens. Build them with "
    "<code>./dev build</code> and start it again.</p>\n<p>The data is there: <a href=\"/api/v1/orders\">orders</a>, "
    "<a href=\"/api/v1/today\">today</a>, <a href=\"/api/v1/sources\">sources</a>, "
    "<a href=\"/api/v1/openapi.json\">description of the API</a>.</p></body></html>\n";

Response asset_response(const Request& request, const Asset& asset) {
  Response response;
  const std::string_view accepted = request.header("Accept-Encoding");
  Coding coding = Coding::identity;
  response.fixed = asset.plain;
  if (!asset.brotli.empty() && takes(accepted, "br")) {
    coding = Coding::brotli;
    response.fixed = asset.brotli;
  } else if (!asset.gzip.empty() && takes(accepted, "gzip")) {
    coding = Coding::gzip;
    response.fixed = asset.gzip;
  }
  response.encoded = true;
  const std::string tag = "\"" + std::string(asset.tag) + "-" + std::string(name_of(coding)) + "\"";
  response.header("ETag", tag);
  response.header("Vary", "Accept-Encoding");
  response.header("Cache-Control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  for (std::string_view part : split(request.header("If-None-Match"), ',')) {
    part = trim(part);
    if (part.starts_with("W/")) part.remove_prefix(2);
    if (part != tag && part != "*") continue;
    response.status = 304;
    response.fixed = {};
    return response;
  }
  response.content_type = asset.type;
  if (coding != Coding::identity) response.header("Content-Encoding", std::string(name_of(coding)));
  return response;
}

}  // namespace

Response app_page(const Request& request, Backend&) {
  if (const Asset* index = find_asset("/index.html")) return asset_response(request, *index);
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.fixed = page_without_web;
  response.header("Cache-Control", "no-store");
  return response;
}

Response static_file(const Request& request) {
  const auto path = percent_decoded(request.raw_path, false);
  const Asset* asset = path ? find_asset(*path) : nullptr;
  if (asset && request.method != "GET" && request.method != "HEAD") {
    Response response;
    if (request.method == "OPTIONS") {
      response.status = 204;
    } else {
      response =
          problem_response(request, {405, "method-not-allowed", "A file is only read: GET, HEAD or OPTIONS.", {}});
    }
    response.header("Allow", "GET, HEAD, OPTIONS");
    return response;
  }
  if (asset) return asset_response(request, *asset);
  return problem_response(request, {404,
                                    "not-found",
                                    "There is nothing at " + printable(request.raw_path.substr(0, 200)) +
                                        ". The addresses that exist are in /api/v1/openapi.json.",
                                    {}});
}

}  // namespace millrace::server
