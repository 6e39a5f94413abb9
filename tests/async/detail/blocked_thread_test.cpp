// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/blocked_thread.hpp>

#include <futon/core/executor.hpp>
#include <futon/core/log.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Runs what comes at once, or never.
class lent_place final : public futon::executor {
public:
    lent_place(futon::log_sink sink, bool runs)
        : executor{futon::detail::make_intrusive<futon::detail::diagnostics>(std::move(sink), futon::log_level::warning,
                                                                             futon::unhandled_error_hook{})},
          runs_{runs} {}
    ~lent_place() override { run(false); }

    bool post(futon::detail::work& item) noexcept override {
        kept_.push(item);
        if (runs_) run(true);
        if (posted) posted->run(true);
        return true;
    }
    bool blocked_by_this_thread() const noexcept override { return false; }
    bool may_stand_still() const noexcept override { return true; }
    bool try_arm(futon::detail::timer&, futon::time_point) override { return false; }
    bool disarm(futon::detail::timer&) noexcept override { return false; }

    futon::detail::work* posted = nullptr;  // Is told when something was posted.

private:
    void run(bool accepted) noexcept {
        while (auto* next = kept_.pop()) next->run(accepted);
    }
    const bool runs_;
    futon::detail::work_queue kept_;
};

TEST_CASE("blocked_thread: says so when the executor that it waits for runs nothing, and goes on when told") {
    futon::detail::blocked_thread here;
    std::vector<std::string> told;
    const auto place = futon::detail::make_intrusive<lent_place>(
        [&](const futon::log_record& entry) {
            told.emplace_back(entry.kind);
            here.run(true);
        },
        false);
    here.wait_watching(*place, 1ms);
    CHECK(told == std::vector<std::string>{"nothing_runs"});
}

TEST_CASE("blocked_thread: says nothing when the executor runs, or brings what was waited for") {
    for (const bool runs : {true, false}) {
        CAPTURE(runs);
        futon::detail::blocked_thread here;
        int told = 0;
        const auto place = futon::detail::make_intrusive<lent_place>([&](const futon::log_record&) { ++told; }, runs);
        place->posted = &here;
        here.wait_watching(*place, 1ms);
        CHECK(told == 0);
    }
}

}  // namespace
