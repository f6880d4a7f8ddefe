// WebSocket and event-stream connections of live clients.
#pragma once
#include "server/internal/boost_network.h"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#pragma GCC diagnostic pop

#include "server/internal/network.h"

namespace millrace::server {

// Takes a connection whose upgrade request was read and found right.
void start_websocket(IoThread& thread, tcp::socket socket,
                     boost::beast::http::request<boost::beast::http::string_body> request, LiveCaller caller);

}  // namespace millrace::server
