// SPDX-License-Identifier: Apache-2.0
#include "every_header.hpp"

const std::error_category& category_seen_by_second();
bool msgpack_after_futon();

// Inline variables and functions are one and the same in both units.
int main() { return &category_seen_by_second() == &futon::futon_category() && msgpack_after_futon() ? 0 : 1; }
