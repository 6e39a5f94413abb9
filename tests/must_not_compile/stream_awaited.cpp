// SPDX-License-Identifier: Apache-2.0
// What a method that returns a stream gives is read item by item.
// error: unavailable: futon: a stream is not one answer: co_await its next(), or its result()
#include <futon/async.hpp>

futon::task<int> use(futon::stream<int> numbers) {
    const int got = co_await std::move(numbers);  // HERE
    co_return got;
}
