// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <futon/contract.hpp>

struct Counter {
    int next(int number);
    futon::stream<int> count_to(int last);
};
FUTON_SERVICE(Counter, next, count_to)

/// How many kinds of call gave what they should, of `kinds_of_call`.
int make_calls(const futon::stub<Counter>& counter);
inline constexpr int kinds_of_call = 8;
