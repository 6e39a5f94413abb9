// SPDX-License-Identifier: Apache-2.0
// The server process of the other tests here.

#include "faults/support/work.hpp"

#include <futon/registry/file_registry.hpp>

#include <doctest/doctest.h>

TEST_CASE("faults: child: a server process" * doctest::skip()) { futon_tests::serve_if_told<futon::file_registry>(); }
