// SPDX-License-Identifier: Apache-2.0
// A coroutine of Asio's that awaits a call as a task would.
// error: futon: in an asio::awaitable write co_await service.method(arguments..., futon::use_awaitable), or co_await
#include <futon/futon.hpp>

struct Adder {
    int add(int a, int b);
};
FUTON_SERVICE(Adder, add)

asio::awaitable<int> sum(futon::stub<Adder> adder) {
    co_return co_await adder.add(1, 2);  // HERE, not first
}
