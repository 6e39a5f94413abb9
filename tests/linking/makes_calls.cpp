// SPDX-License-Identifier: Apache-2.0
#include "counter.hpp"

#include <futon/calls.hpp>

#include <asio/awaitable.hpp>
#include <asio/use_future.hpp>

#include <future>
#include <utility>
#include <vector>

#if defined(ASIO_IP_TCP_HPP) || defined(ASIO_BASIC_STREAM_SOCKET_HPP)
#error "futon/calls.hpp has sockets in it"
#endif

namespace {

futon::task<int> in_a_task(futon::stub<Counter> counter) { co_return co_await counter.next(4); }

asio::awaitable<int> in_an_awaitable(futon::stub<Counter> counter) {
    co_return co_await counter.next(6, futon::use_awaitable);
}

}  // namespace

int make_calls(const futon::stub<Counter>& counter) {
    int right = 0;
    right += counter.next(0).get() == 1;
    right += counter.next(1).then([&](int got) { return counter.next(got); }).get() == 3;

    std::promise<int> called_back;
    counter.next(2, [&](futon::result<int> got) { called_back.set_value(got.value_or(-1)); });
    right += called_back.get_future().get() == 3;

    right += counter.next(3, asio::use_future).get() == 4;
    right += futon::sync_wait(in_a_task(counter)) == 5;

    auto after = counter.next(5).then([&](int) { return in_an_awaitable(counter); });
    right += std::move(after).get() == 7;

    right += counter.count_to(3).collect(3).get() == std::vector<int>{1, 2, 3};
    const auto with_headers = counter.next(7, futon::with_reply_headers()).get();
    right += with_headers.value == 8;
    return right;
}
