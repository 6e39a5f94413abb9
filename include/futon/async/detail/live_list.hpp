// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a combinator has under way when that comes and goes: to be found, and cancelled, together.

#include <futon/async/detail/inputs.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/async/detail/unfinished.hpp>
#include <futon/core/operation.hpp>

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

/// Base of what stands in a `live_list`. Its target is there as long as it does.
class live_link {
public:
    live_link() = default;
    live_link(const live_link&) = delete;
    live_link& operator=(const live_link&) = delete;
    [[nodiscard]] virtual intrusive_ptr<cancellable> target() const noexcept = 0;
    /// Its place among all that there ever are, for people; none if it has none.
    [[nodiscard]] virtual std::optional<std::size_t> number() const noexcept { return std::nullopt; }

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
        link(running_, one);
        ++count_;
        return !stopped_;
    }
    void remove(live_link& one) noexcept {
        const std::lock_guard lock{lock_};
        unlink(one.asked_ ? asked_ : running_, one);
        --count_;
    }
    /// Asks all to give up, each once. No lock is held meanwhile.
    void stop(cancel_walk& walk) noexcept {
        for (;;) {
            intrusive_ptr<cancellable> next;
            {
                const std::lock_guard lock{lock_};
                stopped_ = true;
                if (!running_.latest) return;
                auto& one = *running_.latest;
                unlink(running_, one);
                one.asked_ = true;
                link(asked_, one);
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
            for (auto* each = running_.latest; each && count < some.size(); each = each->after_)
                some[count++] = each->target();
        }
        for (const auto& each : some)
            if (each && blocks_this_thread(*each)) return true;
        return false;
    }

    /// For `cancellable::unfinished`: how many there are, as "3 items under way (#4 Rates.rate, #7, and 1 more)"; of
    /// very many, the oldest are listed. `are` is said of more than one of them.
    [[nodiscard]] std::string unfinished(int levels, std::string_view is, std::string_view are) const {
        struct entry {
            std::optional<std::size_t> number;
            intrusive_ptr<cancellable> target;
        };
        std::array<entry, 16> some;
        std::size_t seen = 0;
        std::size_t count = 0;
        {
            const std::lock_guard lock{lock_};
            count = count_;
            for (const auto* from : {asked_.oldest, running_.oldest})
                for (auto* each = from; each && seen < some.size(); each = each->before_)
                    some[seen++] = {each->number(), each->target()};
        }
        if (count == 0) return {};
        unfinished_list list{levels};
        for (std::size_t i = 0; i < seen; ++i) list.add(some[i].number, std::move(some[i].target));
        return std::to_string(count) + " " + std::string{count == 1 ? is : are} + " under way" + list.text(count);
    }

private:
    struct links {
        live_link* latest = nullptr;
        live_link* oldest = nullptr;
    };
    static void link(links& in, live_link& one) noexcept {
        one.before_ = nullptr;
        one.after_ = in.latest;
        (in.latest ? in.latest->before_ : in.oldest) = &one;
        in.latest = &one;
    }
    static void unlink(links& in, live_link& one) noexcept {
        (one.before_ ? one.before_->after_ : in.latest) = one.after_;
        (one.after_ ? one.after_->before_ : in.oldest) = one.before_;
    }

    mutable spin_lock lock_;
    links running_;
    links asked_;
    std::size_t count_ = 0;
    bool stopped_ = false;
};

}  // namespace futon::detail
