// SPDX-License-Identifier: Apache-2.0
#include <futon/async/completion_for.hpp>

#include <futon/async/token.hpp>
#include <futon/core/result.hpp>

#include <doctest/doctest.h>

#include <asio/bind_executor.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using futon::completion_for;
using futon::result;

struct no_default {
    explicit no_default(int) {}
};
struct move_only_callback {
    std::unique_ptr<int> kept;
    void operator()(result<int>) {}
};
struct not_a_token {};

TEST_CASE("completion_for: callables of the right result, futon's and Asio's tokens are accepted") {
    const auto typed = [](result<int>) {};
    const auto generic = [](auto) {};
    CHECK(completion_for<decltype(typed), int>);
    CHECK(completion_for<decltype(generic), int>);
    CHECK(completion_for<move_only_callback, int>);
    CHECK(completion_for<void (*)(result<int>), int>);
    CHECK(completion_for<futon::use_future_t, int>);
    CHECK(completion_for<const futon::oneway_t&, int>);
    CHECK(completion_for<futon::use_awaitable_t<>, int>);
    CHECK(completion_for<futon::use_awaitable_t<>, no_default>);
    CHECK(completion_for<asio::use_awaitable_t<>, void>);
    CHECK(completion_for<asio::detached_t, std::string>);
    CHECK(completion_for<decltype(asio::use_future), std::string>);
    CHECK(completion_for<decltype(futon::throwing(asio::use_awaitable)), void>);
    CHECK(completion_for<decltype(futon::ec_first(asio::use_awaitable)), int>);
    CHECK(completion_for<decltype(asio::bind_executor(asio::any_io_executor{}, typed)), int>);
}

TEST_CASE("completion_for: everything else is not") {
    const auto other = [](result<std::string>) {};
    CHECK_FALSE(completion_for<decltype(other), int>);
    CHECK_FALSE(completion_for<int, int>);
    CHECK_FALSE(completion_for<const char*, int>);
    CHECK_FALSE(completion_for<std::string, int>);
    CHECK_FALSE(completion_for<not_a_token, int>);
}

}  // namespace
