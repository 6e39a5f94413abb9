// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A thread that blocks for a result, and finds out when nobody can bring it.

#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/log.hpp>
#include <futon/core/time.hpp>
#include <futon/core/work.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace futon::detail {

class blocked_thread final : public work {
public:
    void run(bool) noexcept override {
        const std::lock_guard lock{mutex_};
        told_ = true;
        wake_.notify_one();
    }
    /// False if `until` came first.
    bool wait(time_point until) noexcept {
        std::unique_lock lock{mutex_};
        const auto is_told = [this] { return told_; };
        if (until != no_deadline) return wake_.wait_until(lock, until, is_told);
        wake_.wait(lock, is_told);
        return true;
    }
    /// The same without end. An `io_context` of the user's that perhaps nobody runs is asked for a sign of life after
    /// `patience`; where it gives none for as long again, a warning says for what this thread waits.
    void wait_watching(executor& where, duration patience) noexcept {
        if (where.may_stand_still() && !wait(deadline_after(clock::now(), patience)) && !shows_life(where, patience))
            where.reports().log({.level = log_level::warning,
                                 .kind = "nothing_runs",
                                 .text = "a thread blocks for a result, as in get(), and the io_context that brings it "
                                         "has run nothing meanwhile: run it on another thread, or do not block the one "
                                         "that runs it: use then(), co_await or a callback"});
        wait(no_deadline);
    }

private:
    // Runs when it can, be that after this thread has gone on.
    class sign_of_life final : public work, public ref_counted {
    public:
        void run(bool) noexcept override {
            shown.store(true, std::memory_order_relaxed);
            release();
        }
        std::atomic<bool> shown{false};
    };
    [[nodiscard]] bool shows_life(executor& where, duration patience) noexcept try {
        const auto sign = make_intrusive<sign_of_life>();
        sign->add_ref();
        if (!where.post(*sign)) sign->run(false);
        return wait(deadline_after(clock::now(), patience)) || sign->shown.load(std::memory_order_relaxed);
    } catch (...) {
        return true;  // Out of memory: nothing is known.
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    bool told_ = false;
};

}  // namespace futon::detail
