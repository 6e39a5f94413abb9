// SPDX-License-Identifier: Apache-2.0
// A contract that declares what calls or handlers make of its result.
// error: futon: Counter::count returns a future, result, task or awaitable: declare the value; the stub makes the future
#include <futon/contract.hpp>

struct Counter {
    futon::result<int> count(int from);
};
FUTON_SERVICE(Counter, count)  // HERE
