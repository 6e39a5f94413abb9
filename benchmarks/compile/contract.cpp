// SPDX-License-Identifier: Apache-2.0

/// \file
/// Knows the contract and holds a stub; makes no calls.

#include "greeter.hpp"

struct needs_greeter {
    futon::stub<Greeter> greeter;
};

int main() { const needs_greeter idle{}; }
