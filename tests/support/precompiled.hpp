// Compiled once and included by the build in front of every unit test.
#include "catch.hpp"
