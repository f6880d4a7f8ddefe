// A program that is nothing but a parser worker: for tests of the pool.
#include "ingest/parser_pool.h"

int main(int argc, char** argv) { return millrace::ingest::run_parse_worker(argc, argv); }
