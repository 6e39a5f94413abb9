// SPDX-License-Identifier: Apache-2.0
// Every way to end a call gives the same value and the same error.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/version.hpp>
// Both moved out of asio::experimental in 1.23.
#if ASIO_VERSION < 102300
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
namespace moved = asio::experimental;
#else
#include <asio/as_tuple.hpp>
#include <asio/deferred.hpp>
namespace moved = asio;
#endif

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

struct Calc {
    int half(int n);
    void check(int n);
    std::unique_ptr<int> boxed(int n);
};
FUTON_SERVICE(Calc, half, check, boxed)

// Odd numbers fail with a code, zero throws.
struct calc {
    futon::result<int> half(int n) {
        if (n == 0) throw std::out_of_range{"zero has no half here"};
        if (n % 2 != 0) return futon::error{futon::errc::unavailable, std::to_string(n) + " is odd"};
        return n / 2;
    }
    futon::result<void> check(int n) {
        const auto got = half(n);
        if (!got) return got.error();
        return {};
    }
    futon::result<std::unique_ptr<int>> boxed(int n) {
        auto got = half(n);
        if (!got) return std::move(got).error();
        return std::make_unique<int>(*got);
    }
};

// A value, or all that an error says, in one text.
std::string told(const futon::error& why) {
    return why.describe() + " | ran " + std::string{name(why.ran())} + " | " + std::string{why.remote_type()};
}
template <class R>
std::string told(const futon::result<R>& got) {
    return got ? std::to_string(*got) : told(got.error());
}
std::string told(const std::exception_ptr& thrown) {
    if (!thrown) return "no error";
    try {
        std::rethrow_exception(thrown);
    } catch (const futon::rpc_error& e) {
        return told(e.detail());
    } catch (const std::exception& e) {
        return std::string{"another exception: "} + e.what();
    }
}

// Waits for what a callback says.
struct answer {
    void set(std::string text) { said.set_value(std::move(text)); }
    std::string get() {
        auto coming = said.get_future();
        if (coming.wait_for(ceiling) != std::future_status::ready) return "hung";
        return coming.get();
    }
    std::promise<std::string> said;
};

futon::task<int> in_task(futon::stub<Calc> stub, int n) { co_return co_await stub.half(n); }
futon::task<std::string> in_task_without_throw(futon::stub<Calc> stub, int n) {
    const auto got = co_await futon::no_throw(stub.half(n));
    co_return told(got);
}
// One coroutine on a context of the user's.
template <class F>
std::string in_awaitable(F body) {
    asio::io_context context;
    std::string text = "nothing";
    asio::co_spawn(
        context, [&]() -> asio::awaitable<void> { text = co_await body(); }, [&](std::exception_ptr e) {
            if (e) text = told(e);
        });
    context.run();
    return text;
}

using way = std::function<std::string(const futon::stub<Calc>&, int)>;

const std::vector<std::pair<const char*, way>>& ways() {
    static const std::vector<std::pair<const char*, way>> all{
        {"get_result", [](const auto& s, int n) { return told(s.half(n).get_result()); }},
        {"get",
         [](const auto& s, int n) {
             try {
                 return std::to_string(s.half(n).get());
             } catch (...) {
                 return told(std::current_exception());
             }
         }},
        {"then and recover",
         [](const auto& s, int n) {
             return s.half(n)
                 .then([](int v) { return std::to_string(v); })
                 .recover([](const futon::error& e) { return told(e); })
                 .get();
         }},
        {"on_complete",
         [](const auto& s, int n) {
             answer got;
             s.half(n).on_complete([&](const futon::result<int>& r) { got.set(told(r)); });
             return got.get();
         }},
        {"callback",
         [](const auto& s, int n) {
             answer got;
             s.half(n, [&](const futon::result<int>& r) { got.set(told(r)); });
             return got.get();
         }},
        {"task",
         [](const auto& s, int n) {
             try {
                 return std::to_string(futon::sync_wait(in_task(s, n)));
             } catch (...) {
                 return told(std::current_exception());
             }
         }},
        {"task, no_throw", [](const auto& s, int n) { return futon::sync_wait(in_task_without_throw(s, n)); }},
        {"futon::use_awaitable",
         [](const auto& s, int n) {
             return in_awaitable([&]() -> asio::awaitable<std::string> {
                 co_return std::to_string(co_await s.half(n, futon::use_awaitable));
             });
         }},
        {"asio::use_awaitable",
         [](const auto& s, int n) {
             return in_awaitable(
                 [&]() -> asio::awaitable<std::string> { co_return told(co_await s.half(n, asio::use_awaitable)); });
         }},
        {"throwing(asio::use_awaitable)",
         [](const auto& s, int n) {
             return in_awaitable([&]() -> asio::awaitable<std::string> {
                 co_return std::to_string(co_await s.half(n, futon::throwing(asio::use_awaitable)));
             });
         }},
        {"asio::deferred",
         [](const auto& s, int n) {
             return in_awaitable([&]() -> asio::awaitable<std::string> {
                 auto lazy = s.half(n, moved::deferred);
                 co_return told(co_await std::move(lazy)(asio::use_awaitable));
             });
         }},
        {"asio::as_tuple",
         [](const auto& s, int n) {
             return in_awaitable([&]() -> asio::awaitable<std::string> {
                 const auto [got] = co_await s.half(n, moved::as_tuple(asio::use_awaitable));
                 co_return told(got);
             });
         }},
        {"asio::use_future", [](const auto& s, int n) { return told(s.half(n, asio::use_future).get()); }},
#ifndef __SANITIZE_THREAD__  // The standard library counts the owners of an exception out of the sanitizer's sight.
        {"throwing(asio::use_future)",
         [](const auto& s, int n) {
             try {
                 return std::to_string(s.half(n, futon::throwing(asio::use_future)).get());
             } catch (...) {
                 return told(std::current_exception());
             }
         }},
#endif
        {"when_all",
         [](const auto& s, int n) {
             return told(futon::when_all(s.half(n), s.half(n))
                             .then([](const auto& both) { return std::get<0>(both); })
                             .get_result());
         }},
        {"when_any",
         [](const auto& s, int n) {
             std::vector<futon::future<int>> one;
             one.push_back(s.half(n));
             return told(futon::when_any(std::move(one)).get().outcome);
         }},
        {"timeout", [](const auto& s, int n) { return told(s.half(n).timeout(ceiling).get_result()); }},
        {"async_wait",
         [](const auto& s, int n) {
             answer got;
             s.half(n).async_wait([&](const futon::result<int>& r) { got.set(told(r)); });
             return got.get();
         }},
    };
    return all;
}

void all_agree(const futon::stub<Calc>& stub, int n, const std::string& expected) {
    for (const auto& [name, ends] : ways()) {
        CAPTURE(name);
        CHECK(ends(stub, n) == expected);
    }
}

TEST_CASE("client: every ending gives the same value") {
    served<Calc> at{calc{}};
    all_agree(at.stub, 42, "21");
}

TEST_CASE("client: every ending gives the same error, code, place, text and executed alike") {
    served<Calc> at{calc{}};
    const auto where = "Calc.half at " + at.server.addresses()[0].text();
    all_agree(at.stub, 7, where + ": unavailable: 7 is odd | ran yes | ");
    all_agree(at.stub, 0, where + ": remote_error: zero has no half here | ran yes | std::out_of_range");
}

TEST_CASE("client: every ending gives the same error where the call never left") {
    std::optional<futon::stub<Calc>> stub;
    auto shared = futon::runtime{};
    auto calling = to("tcp://127.0.0.1:1");
    calling.runtime = shared;
    {
        futon::client client{calling};
        stub = client.stub<Calc>();
    }
    all_agree(*stub, 42, "Calc.half: client_closed: the client was closed | ran no | ");
}

TEST_CASE("client: ec_first gives the error_code alone") {
    served<Calc> at{calc{}};
    std::error_code code = futon::make_error_code(futon::errc::internal);
    const auto half = [&](int n) {
        return in_awaitable([&, n]() -> asio::awaitable<std::string> {
            const auto token = futon::ec_first(asio::redirect_error(asio::use_awaitable, code));
            const int value = co_await at.stub.half(n, token);
            co_return std::to_string(value);
        });
    };
    CHECK(half(42) == "21");
    CHECK(!code);
    half(7);
    CHECK(code == futon::errc::unavailable);
    CHECK(code == futon::cond::unavailable);
}

TEST_CASE("client: endings of void and of move-only results") {
    served<Calc> at{calc{}};
    CHECK(at.stub.check(2).get_result().has_value());
    CHECK(error_of(at.stub.check(1)) == futon::errc::unavailable);
    answer done;
    at.stub.check(2, [&](futon::result<void> r) { done.set(r ? "done" : told(r.error())); });
    CHECK(done.get() == "done");
    const auto stub = at.stub;
    CHECK(in_awaitable([&]() -> asio::awaitable<std::string> {
              co_await stub.check(2, futon::use_awaitable);
              const auto boxed = co_await stub.boxed(8, futon::use_awaitable);
              co_return std::to_string(*boxed);
          }) == "4");
    CHECK(*at.stub.boxed(4).get() == 2);
    answer boxed;
    at.stub.boxed(6,
                  [&](futon::result<std::unique_ptr<int>> r) { boxed.set(r ? std::to_string(**r) : told(r.error())); });
    CHECK(boxed.get() == "3");
    CHECK(*at.stub.boxed(10, asio::use_future).get().value() == 5);
}

TEST_CASE("client: a continuation runs where the call says, else on the client's callback executor") {
    const futon::runtime mine;
    const auto first = mine.executor();
    const auto second = mine.pool();
    const auto inside = [](const futon::executor_ref& where) {
        return [where](int) { return futon::current_executor() == where; };
    };
    auto calling = to({});
    calling.callbacks = first;
    served<Calc> at{calc{}, {}, quiet_server(), calling};
    CHECK(at.stub.half(2).then(inside(first)).get());
    CHECK(at.stub.with({.on = second}).half(2).then(inside(second)).get());
    CHECK(at.stub.half(2).on(second).then(inside(second)).get());
    CHECK(at.stub.half(2).then(second, inside(second)).get());
}

}  // namespace
