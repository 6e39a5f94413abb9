// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Waits until enough of several futures have succeeded.

#include <futon/async/detail/combined.hpp>
#include <futon/async/detail/inputs.hpp>
#include <futon/async/future.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon {

/// A value and which input it came from.
template <class T>
struct indexed {
    std::size_t index = 0;  ///< The input's position in its range.
    T value;
};
template <>
struct indexed<void> {
    std::size_t index = 0;
};

namespace detail {

template <class T>
class quorum_state final : public combined_state<quorum_state<T>, std::vector<indexed<T>>>,
                           public range_inputs<quorum_state<T>, T> {
    using values = std::vector<indexed<T>>;

public:
    quorum_state(executor_ref where, std::size_t wanted, std::vector<future<T>> from)
        : combined_state<quorum_state, values>{std::move(where)},
          range_inputs<quorum_state, T>{*this, std::move(from)},
          wanted_{wanted},
          chosen_(std::min(wanted, this->count())),
          failures_(wanted <= this->count() ? this->count() - wanted + 1 : 0) {}

    void start() noexcept {
        if (wanted_ == 0 || wanted_ > this->count()) {
            // Decided before the first answer.
            static_cast<void>(this->claim());
            this->cancel_all_but(nullptr);
            this->publish(wanted_ == 0 ? result<values>{std::in_place} : result<values>{impossible()});
        }
        this->begin();
    }
    void arrived(std::size_t index) noexcept {
        auto& one = this->inputs_[index];
        auto got = one.state().take();
        if (!got) {
            const auto place = failed_.fetch_add(1, std::memory_order_relaxed);
            if (place >= failures_.size()) return;
            failures_[place].emplace(index, std::move(got).error());
            // Whoever is the one too many sees what the others wrote.
            if (failures_kept_.fetch_add(1, std::memory_order_acq_rel) + 1 != failures_.size() || !this->claim())
                return;
            this->cancel_all_but(&one);
            this->publish(unexpected{impossible()});
            return;
        }
        const auto place = succeeded_.fetch_add(1, std::memory_order_relaxed);
        if (place >= wanted_) return;
        if constexpr (std::is_void_v<T>) {
            chosen_[place].emplace(indexed<T>{index});
        } else {
            chosen_[place].emplace(indexed<T>{index, *std::move(got)});
        }
        if (kept_.fetch_add(1, std::memory_order_acq_rel) + 1 != wanted_ || !this->claim()) return;
        this->cancel_all_but(&one);
        this->publish(gather());
    }

private:
    result<values> gather() noexcept {
        values all;
        try {
            all.reserve(wanted_);
            for (auto& each : chosen_) all.push_back(*std::move(each));
        } catch (...) {
            return unexpected{error::from_exception(std::current_exception(), executed::yes)};
        }
        return all;
    }
    // Of too few inputs it never was possible, and there are no failures to list.
    error impossible() const noexcept {
        auto text = std::to_string(wanted_) + " of " + std::to_string(this->count()) + " cannot succeed" +
                    (failures_.empty() ? "" : " any more");
        return all_failed_with(std::move(text), this->count(), failures_);
    }

    std::size_t wanted_;
    // In the order of arrival: as many as decide it.
    std::vector<std::optional<indexed<T>>> chosen_;
    std::vector<std::optional<input_failure>> failures_;
    std::atomic<std::size_t> succeeded_{0};
    std::atomic<std::size_t> kept_{0};
    std::atomic<std::size_t> failed_{0};
    std::atomic<std::size_t> failures_kept_{0};
};

}  // namespace detail

/// The first `wanted` values of a range of futures, in the order of their arrival, each with its input's index;
/// the others are cancelled before its stages are queued.
///
/// Of more than enough that are ready, the earlier inputs count. `wanted == 0` is an empty vector, at once.
/// Errors: `all_failed` as soon as too few can still succeed, with the failures so far in its message; the others are
/// cancelled. It is `executed::no` only if each input has failed with that.
/// Failures of inputs count as seen. Stages run as those of `when_all`.
template <detail::range_of_futures R>
[[nodiscard]] auto quorum(executor_ref where, std::size_t wanted, R&& range) {
    using value = detail::range_future_value<R>;
    auto state = detail::make_intrusive<detail::quorum_state<value>>(std::move(where), wanted,
                                                                     detail::moved_out(std::forward<R>(range)));
    state->start();
    return future<std::vector<indexed<value>>>{std::move(state)};
}
template <detail::range_of_futures R>
[[nodiscard]] auto quorum(std::size_t wanted, R&& range) {
    auto futures = detail::moved_out(std::forward<R>(range));
    auto where = detail::place_of_all(futures);
    return quorum(std::move(where), wanted, std::move(futures));
}

}  // namespace futon
