// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a combinator has under way when that comes and goes: to be found, and cancelled, together.

#include <futon/async/detail/inputs.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/core/operation.hpp>

#include <array>
#include <cstddef>
#include <mutex>
#include <utility>

namespace futon::detail {

/// Base of what stands in a `live_list`. Its target is there as long as it does.
class live_link {
public:
    live_link() = default;
    live_link(const live_link&) = delete;
    live_link& operator=(const live_link&) = delete;
    [[nodiscard]] virtual intrusive_ptr<cancellable> target() const noexcept = 0;

protected:
    virtual ~live_link() = default;

private:
    friend class live_list;
    live_link* before_ = nullptr;
    live_link* after_ = nullptr;
    bool asked_ = false;  // To give up.
};

/// Thread-safety: safe.
class live_list {
public:
    /// False if all were asked to give up before: this one is to be asked, too.
    [[nodiscard]] bool add(live_link& one) noexcept {
        const std::lock_guard lock{lock_};
        one.asked_ = false;
        link(first_, one);
        return !stopped_;
    }
    void remove(live_link& one) noexcept {
        const std::lock_guard lock{lock_};
        unlink(one.asked_ ? first_asked_ : first_, one);
    }
    /// Asks all to give up, each once. No lock is held meanwhile.
    void stop(cancel_walk& walk) noexcept {
        for (;;) {
            intrusive_ptr<cancellable> next;
            {
                const std::lock_guard lock{lock_};
                stopped_ = true;
                if (!first_) return;
                auto& one = *first_;
                unlink(first_, one);
                one.asked_ = true;
                link(first_asked_, one);
                next = one.target();
            }
            walk.visit(std::move(next));
        }
    }
    [[nodiscard]] bool is_stopped() const noexcept {
        const std::lock_guard lock{lock_};
        return stopped_;
    }
    /// Whether blocking this thread holds up any of them; of very many, the latest are looked at.
    [[nodiscard]] bool needs_this_thread() const noexcept {
        std::array<intrusive_ptr<cancellable>, 16> some;
        {
            const std::lock_guard lock{lock_};
            std::size_t count = 0;
            for (auto* each = first_; each && count < some.size(); each = each->after_) some[count++] = each->target();
        }
        for (const auto& each : some)
            if (each && blocks_this_thread(*each)) return true;
        return false;
    }

private:
    static void link(live_link*& first, live_link& one) noexcept {
        one.before_ = nullptr;
        one.after_ = first;
        if (first) first->before_ = &one;
        first = &one;
    }
    static void unlink(live_link*& first, live_link& one) noexcept {
        (one.before_ ? one.before_->after_ : first) = one.after_;
        if (one.after_) one.after_->before_ = one.before_;
    }

    mutable spin_lock lock_;
    live_link* first_ = nullptr;
    live_link* first_asked_ = nullptr;
    bool stopped_ = false;
};

}  // namespace futon::detail
