// NOLINTNEXTLINE(readability-identifier-naming): the name that makes version 2 define what it runs with
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

int main(int argc, char** argv) { return Catch::Session{}.run(argc, argv); }
