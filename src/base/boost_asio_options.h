// How Boost.Asio and Beast are built: compiled once, in boost_network.cpp beside it. Every file that includes one of them
// includes this first: two files of one program that disagree are undefined behaviour (and were a crash).
#pragma once
#define BOOST_ASIO_SEPARATE_COMPILATION
#define BOOST_BEAST_SEPARATE_COMPILATION
#define BOOST_ASIO_NO_DEPRECATED
