// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The state of a combinator whose inputs are all there from the start, and the error of one whose inputs failed.

#include <futon/async/detail/inputs.hpp>
#include <futon/async/detail/unfinished.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace futon::detail {

/// `Derived` has `each(f)`, which calls `f` with every input, and `arrived(index)`.
template <class Derived, class R>
class combined_state : public future_state<R> {
public:
    using future_state<R>::future_state;

    void cancel_step(cancel_walk& walk) noexcept override {
        if (this->claimed()) return;
        self().each([&](auto& one) { walk.visit(one.target()); });
    }
    [[nodiscard]] bool needs_this_thread() const noexcept override {
        if (future_state<R>::needs_this_thread()) return true;
        bool any = false;
        const_cast<combined_state&>(*this).self().each(
            [&](auto& one) { any = any || blocks_this_thread(*one.target()); });
        return any;
    }
    [[nodiscard]] std::string unfinished(int levels) override {
        unfinished_inputs list{levels};
        self().each([&](auto& one) { list.add(one); });
        return list.text();
    }
    /// Waits for every input.
    void begin() noexcept {
        missing_.store(self().count(), std::memory_order_relaxed);
        self().each([](auto& one) { one.begin(); });
    }

protected:
    /// True for whoever arrives last, who sees what all the others did.
    [[nodiscard]] bool is_last() noexcept { return missing_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
    /// The others are over before anybody learns of the result. By who has claimed it.
    void cancel_all_but(const void* one) noexcept {
        cancel_walk walk;
        self().each([&](auto& other) {
            if (static_cast<const void*>(&other) != one) walk.visit(other.target());
        });
        walk.run();
    }

private:
    [[nodiscard]] Derived& self() noexcept { return static_cast<Derived&>(*this); }

    std::atomic<std::size_t> missing_{0};
};

/// What one of the inputs failed with.
struct input_failure {
    std::size_t index;
    error why;
};

/// `all_failed` that lists failures of some of `total` inputs. It is `executed::no` only if all are known, and are
/// that. Where all that is known is that they were cancelled, that is the error.
[[nodiscard]] inline error all_failed_with(std::string text, std::size_t total,
                                           std::span<const std::optional<input_failure>> failures) noexcept {
    // Of thousands of replicas the first few say enough.
    constexpr std::size_t most = 32;
    // The others were under way, and are cancelled now, or have succeeded in vain.
    auto ran = failures.size() == total ? executed::no : executed::maybe;
    bool only_cancelled = !failures.empty();
    for (const auto& each : failures) {
        ran = std::max(ran, each->why.ran());
        only_cancelled = only_cancelled && each->why.is(cond::cancelled);
    }
    if (only_cancelled) return failures.front()->why.with_executed(ran);
    try {
        const char* before = ": #";
        for (const auto& each : failures.first(std::min(most, failures.size()))) {
            text.append(before).append(std::to_string(each->index)).append(" ").append(each->why.describe());
            before = "; #";
        }
        if (failures.size() > most)
            text.append("; and ").append(std::to_string(failures.size() - most)).append(" more");
        return error{errc::all_failed, std::move(text), ran};
    } catch (...) {
        return error{errc::all_failed, ran};
    }
}

}  // namespace futon::detail
