#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include "server/internal/boost_network.h"

#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
