// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The state of a combinator that calls user code as its inputs end: in turns, one at a time, on its executor.

#include <futon/async/detail/timed.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/executor.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace futon::detail {

/// `Derived` has `turn(accepted)`; with `accepted` false no executor gives it one, and no user code may run.
///
/// Whatever happens, from any thread, is followed by a `signal()`, and each signal by a turn that begins after it.
template <class Derived, class T>
class driven_state : public timed_state<T> {
public:
    using timed_state<T>::timed_state;

    void signal() noexcept {
        if (signals_.fetch_add(1, std::memory_order_acq_rel) == 0) ask_for_turn();
    }
    // Nothing at first: the first turn is where the combinator is called.
    void first_turn() noexcept { take_turn(true); }
    // Instead of it, where all that this thread may do is done:
    // what has happened meanwhile gets a turn in the executor.
    void skip_first_turn() noexcept {
        if (signals_.fetch_sub(1, std::memory_order_acq_rel) != 1) ask_for_turn();
    }

protected:
    void deliver(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<driven_state>::adopt(this);
        take_turn(accepted);
    }

private:
    void take_turn(bool accepted) noexcept {
        const auto seen = signals_.load(std::memory_order_acquire);
        static_cast<Derived&>(*this).turn(accepted);
        // More has happened meanwhile: others get their turns before the next one.
        if (signals_.fetch_sub(seen, std::memory_order_acq_rel) != seen) ask_for_turn();
    }
    void ask_for_turn() noexcept {
        this->add_ref();
        schedule(static_cast<operation&>(*this));
    }

    std::atomic<std::uint32_t> signals_{1};
};

}  // namespace futon::detail
