// SPDX-License-Identifier: Apache-2.0
// A named task is used up by co_await, and says so by std::move.
// error: unavailable: futon: this uses the task up: write co_await std::move(t)
#include <futon/async.hpp>

futon::task<int> use(futon::task<int> answer) {
    const int got = co_await answer;  // HERE
    co_return got;
}
