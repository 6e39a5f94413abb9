// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a server tells its registry: that it is there, with which weight, and that it goes.

#include <futon/cluster/registry.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/log.hpp>
#include <futon/core/result.hpp>
#include <futon/message/endpoint.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

/// Keeps the registry's picture of a server as the server wants it.
///
/// Thread-safety: safe; one lock, never held while the registry is called, and one thread at a time that calls it, so
/// that it hears changes in the order in which they were wanted.
class publication final : public ref_counted {
public:
    publication(any_registry where, provider as, intrusive_ptr<diagnostics> reports)
        : registry_{std::move(where)}, reports_{std::move(reports)}, wanted_{std::move(as)} {}

    /// The server listens: what it offers is published, unless it is to be offline.
    void begin(std::vector<std::string> services, endpoint at) {
        change([&] {
            services_ = std::move(services);
            wanted_.address = std::move(at);
            begun_ = true;
        });
    }
    void set_online(bool online) {
        change([&] { online_ = online; });
    }
    void set_weight(std::uint32_t weight) {
        change([&] { wanted_.weight = weight; });
    }
    /// Calls `heard` with what the registry answered when it was last told of the services, as soon as it did.
    void when_registered(std::function<void(result<void>)> heard) {
        std::unique_lock lock{mutex_};
        if (!ended_ && !answer_) return waiters_.push_back(std::move(heard));
        const auto answer = ended_ ? leaving() : *answer_;
        lock.unlock();
        heard(answer);
    }
    /// For good. `done` is called once the registry has heard it, or cannot be told.
    void end(std::function<void()> done) {
        change([&] {
            ended_ = true;
            when_ended_ = std::move(done);
        });
    }

private:
    template <class F>
    void change(F make) {
        std::unique_lock lock{mutex_};
        make();
        changed_ = true;
        if (std::exchange(telling_, true)) return;
        while (std::exchange(changed_, false)) tell(lock);
        telling_ = false;
    }
    // Called with the lock, which is given up on the way.
    void tell(std::unique_lock<std::mutex>& lock) {
        const auto services = services_;
        const bool published = published_;
        const auto as = wanted_;
        auto ended = std::exchange(when_ended_, nullptr);
        published_ = begun_ && online_ && !ended_;
        answer_.reset();
        ++round_;
        if (published_) {
            const auto round = std::make_shared<answers>(round_, services.size() + 1);
            lock.unlock();
            for (const auto& service : services)
                ask([&](registration_done done) { registry_.register_provider(service, as, std::move(done)); },
                    [self = intrusive_ptr<publication>{this}, service, round](const result<void>& how) {
                        if (!how)
                            self->warn("register_failed", "'" + service + "' could not be registered: ", how.error());
                        self->answered(*round, how);
                    });
            answered(*round, {});
        } else {
            const auto waiters = ended_ ? std::exchange(waiters_, {}) : decltype(waiters_){};
            lock.unlock();
            for (const auto& waiter : waiters) waiter(leaving());
            if (published) {
                withdraw(services, as.address, std::move(ended));
            } else if (ended) {
                ended();
            }
        }
        lock.lock();
    }
    // Asks the registry, which is the user's. What it throws is its answer, unless it has given one: the rest is told
    // all the same, and so are later changes.
    template <class Ask>
    static void ask(Ask registry, registration_done done) {
        const auto answers = std::make_shared<std::atomic<bool>>(false);
        const auto once = [answers, done = std::move(done)](const result<void>& how) {
            if (!answers->exchange(true)) done(how);
        };
        try {
            registry(once);
        } catch (...) {
            once(error::from_exception(std::current_exception(), executed::maybe));
        }
    }
    // What is still to come of one round of registrations.
    struct answers {
        answers(std::uint64_t which, std::size_t count) : round{which}, left{count} {}
        std::uint64_t round;
        std::size_t left;  // One for each service, and one for the round.
        result<void> worst{};
    };
    void answered(answers& of, const result<void>& how) {
        std::unique_lock lock{mutex_};
        if (!how && of.worst) of.worst = how;
        if (--of.left != 0 || of.round != round_) return;
        answer_ = of.worst;
        const auto answer = of.worst;
        const auto waiters = std::exchange(waiters_, {});
        lock.unlock();
        for (const auto& waiter : waiters) waiter(answer);
    }
    static result<void> leaving() { return error{errc::unavailable, "the server is stopping", executed::no}; }

    void withdraw(const std::vector<std::string>& services, const endpoint& at, std::function<void()> done) {
        // Counts down on whatever threads the registry answers, from one for this one.
        const auto left = std::make_shared<std::atomic<std::size_t>>(services.size() + 1);
        const auto heard = [left, done = std::move(done)] {
            if (left->fetch_sub(1) == 1 && done) done();
        };
        for (const auto& service : services)
            ask([&](registration_done hear) { registry_.deregister_provider(service, at, std::move(hear)); },
                [self = intrusive_ptr<publication>{this}, service, heard](const result<void>& how) {
                    if (!how)
                        self->warn("deregister_failed",
                                   "'" + service + "' could not be taken out of the registry: ", how.error());
                    heard();
                });
        heard();
    }
    void warn(std::string_view kind, const std::string& what, const error& why) const noexcept {
        try {
            const auto text = what + why.message();
            const auto where = registry_.text();
            reports_->log({.level = log_level::warning, .kind = kind, .text = text, .where = where});
        } catch (...) {  // No memory for words.
        }
    }

    any_registry registry_;
    const intrusive_ptr<diagnostics> reports_;

    std::mutex mutex_;
    provider wanted_;  // What it is to say, while it is online.
    std::vector<std::string> services_;
    std::function<void()> when_ended_;
    bool begun_ = false;
    bool online_ = true;
    bool ended_ = false;
    bool published_ = false;  // What the registry was told last.
    bool changed_ = false;
    bool telling_ = false;  // A thread is inside `tell`, or will be.
    std::uint64_t round_ = 0;
    std::optional<result<void>> answer_;  // Of this round.
    std::vector<std::function<void(result<void>)>> waiters_;
};

}  // namespace futon::detail
