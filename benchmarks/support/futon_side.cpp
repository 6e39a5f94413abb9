// SPDX-License-Identifier: Apache-2.0
#include "futon_side.hpp"

#include <futon/futon.hpp>

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace benchmark {
namespace {

using namespace std::chrono_literals;

struct Echo {
    std::string echo(std::string_view text);
    int add(int a, int b);
};
FUTON_SERVICE(Echo, echo, add)

struct echo_impl {
    std::string echo(std::string_view text) { return std::string{text}; }
    int add(int a, int b) { return a + b; }
};

/// The two methods with one face.
struct echo_text {
    using value = std::string;
    template <class... Token>
    static auto call(const futon::stub<Echo>& stub, const std::string& body, Token&&... token) {
        return stub.echo(body, std::forward<Token>(token)...);
    }
    static bool is_right(const std::string& reply, const std::string& body) { return reply.size() == body.size(); }
};
struct add_numbers {
    using value = int;
    template <class... Token>
    static auto call(const futon::stub<Echo>& stub, const std::string&, Token&&... token) {
        return stub.add(1, 2, std::forward<Token>(token)...);
    }
    static bool is_right(int reply, const std::string&) { return reply == 3; }
};

[[noreturn]] void give_up(const futon::error& why) {
    std::fprintf(stderr, "benchmark: a call failed: %s\n", why.describe().c_str());
    std::_Exit(3);
}
futon::endpoints at_port(std::uint16_t port) { return {"tcp://127.0.0.1:" + std::to_string(port)}; }

/// Clients of one connection each that share one I/O thread.
template <class Method>
class futon_caller : public caller {
protected:
    using value = typename Method::value;

    futon_caller(std::uint16_t port, const load& of, const futon::runtime& threads = futon::runtime{})
        : body_(of.body_bytes, 'x') {
        // A few at a time: a listening socket has room for only so many.
        for (std::size_t i = 0; i < of.connections;) {
            const auto first = i;
            for (; i < std::min(first + 100, of.connections); ++i)
                clients_.push_back(std::make_unique<futon::client>(
                    futon::client_options{.endpoints = at_port(port), .timeout = 60s, .runtime = threads}));
            for (auto k = first; k < i; ++k) clients_[k]->wait_ready(5s).get();
        }
    }
    [[nodiscard]] futon::stub<Echo> stub() const { return clients_.front()->template stub<Echo>(); }
    void check(const futon::result<value>& reply) const {
        if (!reply) give_up(reply.error());
        if (!Method::is_right(*reply, body_)) give_up(futon::errc::bad_reply);
    }

    std::string body_;
    std::vector<std::unique_ptr<futon::client>> clients_;
};

template <class Method>
class with_callbacks final : public futon_caller<Method> {
public:
    with_callbacks(std::uint16_t port, const load& of) : futon_caller<Method>{port, of} {
        for (auto& each : this->clients_) loops_.push_back({*this, each->template stub<Echo>()});
        for (auto& each : loops_)
            for (std::size_t i = 0; i < of.in_flight; ++i) each.next();
    }

private:
    struct loop {
        with_callbacks& owner;
        futon::stub<Echo> stub;
        void next() {
            Method::call(stub, owner.body_, [this](futon::result<typename Method::value> reply) {
                owner.check(reply);
                owner.count();
                next();
            });
        }
    };
    std::vector<loop> loops_;
};

template <class Method>
class with_futures final : public futon_caller<Method> {
public:
    with_futures(std::uint16_t port, const load& of) : futon_caller<Method>{port, of}, stub_{this->stub()} {
        for (std::size_t i = 0; i < of.in_flight; ++i) next();
    }

private:
    void next() {
        Method::call(stub_, this->body_).on_complete([this](futon::result<typename Method::value> reply) {
            this->check(reply);
            this->count();
            next();
        });
    }
    futon::stub<Echo> stub_;
};

class with_stages final : public futon_caller<echo_text> {
public:
    with_stages(std::uint16_t port, const load& of) : futon_caller{port, of}, stub_{stub()} {
        for (std::size_t i = 0; i < of.in_flight; ++i) next();
    }

private:
    void next() {
        const auto changed = [](std::string text) {
            text.back() = 'y';
            return text;
        };
        stub_.echo(body_).then(changed).then(changed).then(changed).on_complete(
            [this](futon::result<std::string> reply) {
                check(reply);
                count();
                next();
            });
    }
    futon::stub<Echo> stub_;
};

class with_waited_futures final : public futon_caller<echo_text> {
public:
    with_waited_futures(std::uint16_t port, const load& of)
        : futon_caller{port, of}, thread_{[this, in_flight = of.in_flight] { run(in_flight); }} {}

private:
    [[noreturn]] void run(std::size_t in_flight) {
        const auto stub = this->stub();
        std::deque<futon::future<std::string>> replies;
        for (std::size_t i = 0; i < in_flight; ++i) replies.push_back(stub.echo(body_));
        for (;;) {
            check(std::move(replies.front()).get_result());
            count();
            replies.pop_front();
            replies.push_back(stub.echo(body_));
        }
    }
    std::thread thread_;
};

template <class Method>
class with_tasks final : public futon_caller<Method> {
public:
    with_tasks(std::uint16_t port, const load& of) : futon_caller<Method>{port, of}, stub_{this->stub()} {
        const auto place = stub_.add(1, 2).executor();
        for (std::size_t i = 0; i < of.in_flight; ++i) futon::spawn(place, repeat()).ignore();
    }

private:
    futon::task<void> repeat() {
        for (;;) {
            const auto reply = co_await Method::call(stub_, this->body_);
            if (!Method::is_right(reply, this->body_)) give_up(futon::errc::bad_reply);
            this->count();
        }
    }
    futon::stub<Echo> stub_;
};

template <class Method>
class with_awaitables final : public caller {
public:
    with_awaitables(std::uint16_t port, const load& of)
        : body_(of.body_bytes, 'x'),
          client_{{.endpoints = at_port(port), .timeout = 60s, .runtime = futon::runtime{context_}}} {
        for (std::size_t i = 0; i < of.in_flight; ++i)
            asio::co_spawn(context_, repeat(client_.stub<Echo>()), [](std::exception_ptr why) {
                if (why) give_up(futon::error::from_exception(why));
            });
        thread_ = std::thread{[this] { context_.run(); }};
    }
    ~with_awaitables() override {
        context_.stop();
        thread_.join();
    }

private:
    asio::awaitable<void> repeat(futon::stub<Echo> stub) {
        for (;;) {
            const auto reply = co_await Method::call(stub, body_, futon::use_awaitable);
            if (!Method::is_right(reply, body_)) throw std::length_error{"not what was sent"};
            count();
        }
    }

    std::string body_;
    asio::io_context context_{1};
    futon::client client_;
    std::thread thread_;
};

constexpr std::size_t batch_count = 4;

auto all_of_a_batch(const futon::stub<Echo>& stub, const std::string& body, std::size_t size) {
    std::vector<futon::future<std::string>> replies;
    replies.reserve(size);
    for (std::size_t i = 0; i < size; ++i) replies.push_back(stub.echo(body));
    return futon::when_all(std::move(replies));
}

class with_batches final : public futon_caller<echo_text> {
public:
    with_batches(std::uint16_t port, const load& of)
        : futon_caller{port, of}, stub_{stub()}, batch_{of.in_flight / batch_count} {
        for (std::size_t i = 0; i < batch_count; ++i) next();
    }

private:
    void next() {
        all_of_a_batch(stub_, body_, batch_).on_complete([this](futon::result<std::vector<std::string>> all) {
            if (!all) give_up(all.error());
            count(batch_);
            next();
        });
    }
    futon::stub<Echo> stub_;
    std::size_t batch_;
};

class with_threads final : public futon_caller<echo_text> {
public:
    with_threads(std::uint16_t port, const load& of) : futon_caller{port, of}, done_in_(batch_count) {
        for (auto& done : done_in_)
            threads_.emplace_back([this, &done, batch = of.in_flight / batch_count] {
                const auto stub = this->stub();
                for (;;) {
                    const auto all = all_of_a_batch(stub, body_, batch).get_result();
                    if (!all) give_up(all.error());
                    done.count.store(done.count.load(std::memory_order_relaxed) + batch, std::memory_order_relaxed);
                }
            });
    }
    [[nodiscard]] std::uint64_t done() const noexcept override {
        std::uint64_t sum = 0;
        for (const auto& each : done_in_) sum += each.count.load(std::memory_order_relaxed);
        return sum;
    }

private:
    struct alignas(64) counter {
        std::atomic<std::uint64_t> count{0};
    };
    std::vector<counter> done_in_;
    std::vector<std::thread> threads_;
};

class futon_open_caller final : public open_caller {
public:
    futon_open_caller(std::uint16_t port, const load& of, arrival arrived)
        : place_{threads_.state()->next_place().asio},
          body_(of.body_bytes, 'x'),
          arrived_{std::move(arrived)},
          client_{{.endpoints = at_port(port), .timeout = 60s, .runtime = threads_}} {
        client_.wait_ready(5s).get();
    }
    void repeat(std::function<void()> turn) override {
        turn_ = std::move(turn);
        again();
    }
    void call(std::uint64_t number) override {
        std::memcpy(body_.data(), &number, sizeof number);
        stub_.echo(body_, [this](futon::result<std::string> reply) {
            if (!reply) return arrived_(std::nullopt);
            std::uint64_t echoed = 0;
            std::memcpy(&echoed, reply->data(), sizeof echoed);
            arrived_(echoed);
        });
    }

private:
    void again() {
        asio::post(place_, [this] {
            turn_();
            again();
        });
    }

    futon::runtime threads_;
    asio::any_io_executor place_;
    std::string body_;
    arrival arrived_;
    std::function<void()> turn_;
    futon::client client_;
    futon::stub<Echo> stub_ = client_.stub<Echo>();
};

void serve(const server_settings& settings, const announcement& announce) {
    futon::server server{{.listen = "tcp://127.0.0.1:0",
                          .io_threads = settings.io_threads,
                          .limits = {.max_connections_per_address = settings.connections}}};
    server.provide<Echo>(echo_impl{}, {.run_on = settings.on_pool ? futon::run_on::automatic : futon::run_on::io});
    server.start();
    announce(server.port());
    for (;;) std::this_thread::sleep_for(1h);
}

template <template <class> class Caller>
std::unique_ptr<caller> start(method what, std::uint16_t port, const load& of) {
    if (what == method::add) return std::make_unique<Caller<add_numbers>>(port, of);
    return std::make_unique<Caller<echo_text>>(port, of);
}
std::unique_ptr<caller> start(ending how, method what, std::uint16_t port, const load& of) {
    switch (how) {
        case ending::callback: return start<with_callbacks>(what, port, of);
        case ending::future: return start<with_futures>(what, port, of);
        case ending::task: return start<with_tasks>(what, port, of);
        case ending::awaitable: return start<with_awaitables>(what, port, of);
        case ending::stages: return std::make_unique<with_stages>(port, of);
        case ending::waited_future: return std::make_unique<with_waited_futures>(port, of);
        case ending::batches: return std::make_unique<with_batches>(port, of);
        case ending::threads: return std::make_unique<with_threads>(port, of);
    }
    throw std::invalid_argument{"no such ending"};
}

}  // namespace

side futon_side(ending how, method what, const server_settings& settings) {
    return {"futon", [settings](const announcement& announce) { serve(settings, announce); },
            [=](std::uint16_t port, const load& of) { return start(how, what, port, of); }};
}

std::unique_ptr<open_caller> open_futon(std::uint16_t port, const load& of, arrival arrived) {
    return std::make_unique<futon_open_caller>(port, of, std::move(arrived));
}

}  // namespace benchmark
