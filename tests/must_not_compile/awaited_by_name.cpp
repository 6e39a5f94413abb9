// SPDX-License-Identifier: Apache-2.0
// A named future is used up by co_await, and says so by std::move.
// error: unavailable: futon: this uses the future up: write co_await std::move(f)
#include <futon/async.hpp>

futon::task<int> use(futon::future<int> answer) {
    co_return co_await answer;  // HERE
}
