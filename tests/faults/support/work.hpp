// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The service that the processes offer, and the process that offers it.

#include "faults/support/ledger.hpp"

#include <futon/filters.hpp>
#include <futon/futon.hpp>
#include <futon/registry/open_registry.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

namespace futon_tests {

using namespace std::chrono_literals;

struct Done {
    std::int64_t id = 0;   // Of the call, as it arrived.
    std::int32_t server = 0;
};

/// Calls are numbered, so that the ledger can tell which ran, and how often.
struct Work {
    Done buy(std::int64_t id);
    Done look(std::int64_t id);
};
FUTON_SERVICE(Work, buy, (look, futon::idempotent))

class worker {
public:
    worker(ledger& book, std::size_t server) : book_{&book}, server_{server} {}

    futon::future<Done> buy(futon::call_context& call, std::int64_t id) { return work(call, id); }
    futon::future<Done> look(futon::call_context& call, std::int64_t id) { return work(call, id); }

private:
    futon::future<Done> work(const futon::call_context& call, std::int64_t id) {
        auto& mine = book_->servers[server_];
        mine.ran.fetch_add(1);
        if (call.time_left() == futon::duration::zero()) mine.ran_late.fetch_add(1);
        book_->ran.at(static_cast<std::size_t>(id)).fetch_add(1);
        if (mine.behaves.load() == conduct::fails) throw std::runtime_error{"this server fails"};
        const Done done{id, static_cast<std::int32_t>(server_)};
        return futon::delay(std::chrono::microseconds{mine.delay_us.load()}).then([done] { return done; });
    }

    ledger* book_;
    std::size_t server_;
};

/// Counts what comes in, and turns it away if it is told to.
struct doorkeeper {
    server_page* page;

    futon::decision before(futon::filtered_call&) const {
        page->came.fetch_add(1);
        switch (page->behaves.load()) {
            case conduct::refuses: return futon::errc::overloaded;
            case conduct::departs: return futon::errc::unavailable;
            default: return {};
        }
    }
};

/// Measures how long this process has to wait for a processor, until the end.
class stall_watch {
public:
    explicit stall_watch(server_page& page)
        : thread_{[&page](const std::stop_token& ended) {
              page.stalled_us.store(0);
              while (!ended.stop_requested()) {
                  const auto before = futon::clock::now();
                  std::this_thread::sleep_for(5ms);
                  const auto late =
                      std::chrono::duration_cast<std::chrono::microseconds>(futon::clock::now() - before - 5ms).count();
                  if (late > page.stalled_us.load()) page.stalled_us.store(late);
              }
          }} {}

private:
    std::jthread thread_;
};

/// The body of the test case that a server process runs; nothing where nobody started it as one. Ends on SIGTERM, and
/// with its parent. `Registries` are the kinds that it can be told to publish itself in.
template <class... Registries>
void serve_if_told() {
    const auto book_at = told("FUTON_TEST_LEDGER");
    if (book_at.empty()) return;
    // A test that is killed leaves no servers behind; it may be gone already.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (told("FUTON_TEST_PARENT") != std::to_string(::getppid())) return;

    shared_ledger book{book_at};
    const auto number = static_cast<std::size_t>(std::stoi(told("FUTON_TEST_SERVER")));
    auto& page = book->servers.at(number);
    futon::server_options options;
    options.listen = told("FUTON_TEST_LISTEN");
    if (const auto registry = told("FUTON_TEST_REGISTRY"); !registry.empty())
        options.registry = futon::open_registry<Registries...>(registry).value();
    options.io_threads = 1;
    options.threads.log = [](const futon::log_record&) {};
    options.filters = {doorkeeper{&page}};
    futon::server server{std::move(options)};
    server.provide<Work>(worker{*book.operator->(), number});
    const stall_watch watch{page};
    server.start();
    page.port.store(server.port());
    page.up.fetch_add(1);
    server.run();
}

}  // namespace futon_tests
