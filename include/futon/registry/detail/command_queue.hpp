// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What other threads ask of the one thread of a registry.

#include <futon/core/time.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace futon::detail {

/// Thread-safety: `post` and `stop` from any thread; `run` and `wait` on the thread that runs the commands.
class command_queue {
public:
    /// A thread that waits elsewhere than in `wait` must be woken after it.
    void post(std::function<void()> command) {
        const std::lock_guard lock{mutex_};
        commands_.push_back(std::move(command));
        changed_.notify_all();
    }
    void stop() noexcept {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        changed_.notify_all();
    }

    /// Runs what was posted. False: `stop` was called, and what was posted before has run.
    [[nodiscard]] bool run() {
        std::vector<std::function<void()>> commands;
        bool go_on = true;
        {
            const std::lock_guard lock{mutex_};
            commands.swap(commands_);
            go_on = !stopping_;
        }
        for (const auto& each : commands) each();
        return go_on;
    }
    /// Returns when there is something to run, or at `until`; `no_deadline`: never before.
    void wait(time_point until) {
        std::unique_lock lock{mutex_};
        const auto woken = [&] { return stopping_ || !commands_.empty(); };
        if (until == no_deadline)
            changed_.wait(lock, woken);
        else
            changed_.wait_until(lock, until, woken);
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::function<void()>> commands_;
    bool stopping_ = false;
};

}  // namespace futon::detail
