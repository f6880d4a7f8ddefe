// Owners of libcurl's handles, and its one-time start. Included by .cpp files only.
#pragma once
#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/check.h"

namespace millrace::outbound::internal {

template <auto release>
struct CurlRelease {
  template <class T>
  void operator()(T* handle) const {
    release(handle);
  }
};
using CurlEasy = std::unique_ptr<CURL, CurlRelease<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlRelease<curl_multi_cleanup>>;
using CurlList = std::unique_ptr<curl_slist, CurlRelease<curl_slist_free_all>>;
using CurlUrl = std::unique_ptr<CURLU, CurlRelease<curl_url_cleanup>>;

inline void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  check(started == CURLE_OK, "libcurl starts");
}

// "" when the address has no such part.
inline std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, CurlRelease<curl_free>> owner(text);
  return text;
}

}  // namespace millrace::outbound::internal
