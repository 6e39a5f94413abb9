// SPDX-License-Identifier: Apache-2.0
// A client's filter that answers from memory what was asked before. It sees arguments and results encoded, so that it works for
// all methods.
// expected output:
//   EUR at 1.07, asked 1
//   EUR at 1.07, asked 1
//   CHF at 1.11, asked 2
//   hits 1
#include <futon/futon.hpp>

#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

struct Rates {
    double rate(std::string currency);
};
FUTON_SERVICE(Rates, (rate, futon::idempotent))

struct rates_impl {
    std::atomic<int> asked{0};

    double rate(const std::string& currency) {
        ++asked;
        return currency == "EUR" ? 1.07 : 1.11;
    }
};

// [cache]
class reply_cache {
public:
    // What was asked, for after(): the arguments may be gone by then.
    struct per_call {
        std::string key;
    };

    futon::decision before(futon::client_call& call, per_call& mine) {
        if (!call.method().idempotent) return {};
        mine.key = call.method().full_name() + " " + std::string{futon::as_text(call.arguments())};
        const std::lock_guard lock{mutex_};
        const auto known = replies_.find(mine.key);
        if (known == replies_.end() || known->second.until < call.now()) return {};
        ++hits_;
        return futon::decision::answer(known->second.value);  // Nothing is sent.
    }
    void after(futon::client_call& call, futon::call_outcome& how, per_call& mine) {
        if (mine.key.empty() || !how.succeeded()) return;
        const std::lock_guard lock{mutex_};
        if (replies_.size() >= 1000) replies_.clear();
        replies_[mine.key] = {{how.value().begin(), how.value().end()}, call.now() + std::chrono::minutes{1}};
    }
    int hits() const {
        const std::lock_guard lock{mutex_};
        return hits_;
    }

private:
    struct reply {
        futon::bytes value;
        futon::time_point until{};
    };
    // Calls come from several threads.
    mutable std::mutex mutex_;
    std::map<std::string, reply> replies_;
    int hits_ = 0;
};
// [/cache]

int main() {
    rates_impl rates;
    futon::server server;
    server.provide<Rates>(std::ref(rates));
    server.start();

    // [shared]
    const auto cache = std::make_shared<reply_cache>();  // shared, to ask it for its hits
    futon::client client{{.endpoints = server.addresses(), .filters = {cache}}};
    // [/shared]
    const auto stub = client.stub<Rates>();
    for (const std::string currency : {"EUR", "EUR", "CHF"})
        std::cout << currency << " at " << stub.rate(currency).get() << ", asked " << rates.asked << "\n";
    std::cout << "hits " << cache->hits() << "\n";
}
