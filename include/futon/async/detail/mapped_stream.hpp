// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A stream whose items are made from those of another one, each when it is asked for.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/detail/spin_lock.hpp>
#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// What `f` makes of a `T`, unwrapped.
template <class F, class T>
using mapped_to = flattened<std::invoke_result_t<F&, T>>;

/// Nothing is queued here: an item is pulled, and `f` called, for each `next()`.
template <class T, class R, class F>
class mapped_stream final : public stream_core<mapped_to<F, T>, R> {
    using made = mapped_to<F, T>;
    using unwrapped = flattening<std::remove_cvref_t<std::invoke_result_t<F&, T>>>;
    static_assert(!std::is_void_v<made>, "futon: the callable given to map() must return an item");

public:
    mapped_stream(intrusive_ptr<stream_core<T, R>> from, executor_ref where, F f)
        : from_{std::move(from)}, where_{std::move(where)}, f_{std::move(f)} {}

    future<std::optional<made>> next(executor_ref where) override {
        if (auto why = failure()) return make_failed<std::optional<made>>(std::move(where), *std::move(why));
        auto step = [self = intrusive_ptr<mapped_stream>{this}](std::optional<T> item) {
            return self->convert(std::move(item));
        };
        auto item = from_->next(where_).then(where_, std::move(step));
        return where == where_ ? std::move(item) : std::move(item).via(std::move(where));
    }
    void finish(intrusive_ptr<outcome<R>> into, bool discard) noexcept override {
        if (auto why = failure()) {
            into->complete(unexpected{*std::move(why)});
        } else {
            from_->finish(std::move(into), discard);
        }
    }
    void limit(std::size_t count) noexcept override { from_->limit(count); }
    void abort(error why) noexcept override { from_->abort(std::move(why)); }
    void cancel_step(cancel_walk& walk) noexcept override { walk.visit(from_); }
    [[nodiscard]] intrusive_ptr<cancellable> upstream() noexcept override { return from_; }

private:
    // A failure ends the stream, and whatever is asked for later fails in the same way.
    auto convert(std::optional<T> item) {
        try {
            // Of what was asked for before it.
            if (auto why = failure()) why->raise();
            return call(std::move(item));
        } catch (...) {
            fail(error::from_exception(std::current_exception(), executed::yes));
            throw;
        }
    }
    // Kept here, for an end that has been seen already, or that the consumer itself asked for, does not give way to it.
    void fail(error why) noexcept {
        {
            const std::lock_guard lock{lock_};
            if (failure_) return;
            failure_ = why;
        }
        abort(std::move(why));
    }
    [[nodiscard]] std::optional<error> failure() const noexcept {
        const std::lock_guard lock{lock_};
        return failure_;
    }
    auto call(std::optional<T> item) {
        if constexpr (unwrapped::kind == nesting::none) {
            return item ? std::optional<made>{std::invoke(f_, *std::move(item))} : std::optional<made>{};
        } else if constexpr (unwrapped::kind == nesting::outcome) {
            return item ? wrap(std::invoke(f_, *std::move(item))) : result<std::optional<made>>{std::optional<made>{}};
        } else {
            if (!item) return make_ready(where_, std::optional<made>{});
            // `f`, and the item, are kept until a coroutine that it returned has ended.
            const intrusive_ptr<mapped_stream> self{this};
            if constexpr (unwrapped::kind == nesting::coroutine) {
                auto kept = std::make_unique<T>(*std::move(item));
                auto begun = unwrapped::start(where_, std::invoke(f_, std::move(*kept)));
                return std::move(begun).handle(
                    where_, [self, kept = std::move(kept)](result<made> got) { return self->wrap(std::move(got)); });
            } else {
                auto wrapped = [self](result<made> got) { return self->wrap(std::move(got)); };
                return std::invoke(f_, *std::move(item)).handle(where_, std::move(wrapped));
            }
        }
    }
    result<std::optional<made>> wrap(result<made> got) {
        if (got) return std::optional<made>{*std::move(got)};
        fail(got.error());
        return unexpected{std::move(got).error()};
    }

    intrusive_ptr<stream_core<T, R>> from_;
    executor_ref where_;
    F f_;
    mutable spin_lock lock_;  // Guards what follows.
    std::optional<error> failure_;
};

}  // namespace futon::detail
