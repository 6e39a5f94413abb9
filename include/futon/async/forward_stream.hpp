// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Passes a stream on: what comes out of one goes into another sink, with back-pressure from end to end.

#include <futon/async/outcome.hpp>
#include <futon/async/sink_target.hpp>
#include <futon/async/stream.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>

#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

namespace futon::detail {

/// Holds one item at most. Runs no user code, so it goes on wherever an item comes from or room is made.
template <class T, class R>
class forwarding final : public ref_counted, public work, public recycled {
public:
    forwarding(executor_ref where, intrusive_ptr<stream_core<T, R>> from, intrusive_ptr<sink_target<T, R>> to)
        : where_{std::move(where)}, from_{std::move(from)}, to_{std::move(to)} {}

    void begin() {
        when_unwanted_.emplace(to_->stop_token(), stop{this});
        add_ref();
        run(true);
    }
    void run(bool) noexcept override {
        const auto keep = intrusive_ptr<forwarding>::adopt(this);
        try {
            while (step()) continue;
        } catch (...) {
            break_off(error::from_exception(std::current_exception(), executed::yes));
        }
    }

private:
    // The end that this brings about destroys the callback. In turn, for `from` may be what another one passes on.
    struct stop {
        forwarding* whose;
        void operator()() const noexcept {
            whose->add_ref();
            refuse(whose->cancelling_);
        }
    };
    class cancelling final : public work {
    public:
        explicit cancelling(forwarding& whose) noexcept : whose_{whose} {}
        void run(bool) noexcept override {
            const auto keep = intrusive_ptr<forwarding>::adopt(&whose_);
            keep->from_->cancel();
        }

    private:
        forwarding& whose_;
    };

    // False when it goes on elsewhere, perhaps already, or is over.
    bool step() {
        if (!sent_ && !item_) {
            item_ = state_of(from_->next(where_));
            if (!item_->is_ready()) return suspend(*item_);
        }
        if (item_) {
            auto got = std::exchange(item_, nullptr)->take();
            if (!got) return break_off(std::move(got).error());
            if (!*got) return end();
            sent_ = state_of(to_->send(where_, **std::move(got)));
            if (!sent_->is_ready()) return suspend(*sent_);
        }
        auto sent = std::exchange(sent_, nullptr)->take();
        if (sent) return true;
        return break_off(std::move(sent).error());
    }
    template <class V>
    bool suspend(future_state<V>& awaited) noexcept {
        add_ref();
        awaited.attach(*this, told::at_once);
        return false;
    }
    // What is over has its final result.
    bool end() {
        when_unwanted_.reset();
        const auto last = make_intrusive<future_state<R>>(executor_ref{});
        from_->finish(last, false);
        to_->end(last->is_ready() ? last->take() : result<R>{unexpected{errc::internal}});
        return false;
    }
    bool break_off(error why) noexcept {
        when_unwanted_.reset();
        from_->abort(why);
        to_->end(unexpected{std::move(why)});
        return false;
    }

    const executor_ref where_;
    const intrusive_ptr<stream_core<T, R>> from_;
    const intrusive_ptr<sink_target<T, R>> to_;
    intrusive_ptr<future_state<std::optional<T>>> item_;
    intrusive_ptr<future_state<void>> sent_;
    cancelling cancelling_{*this};
    std::optional<std::stop_callback<stop>> when_unwanted_;
};

/// Sends the items of `from` to `to`, each when there is room, and ends `to` as `from` ends, exactly once. When `to`
/// wants no more, `from` is cancelled.
template <class T, class R>
void forward_stream(stream<T, R> from, intrusive_ptr<sink_target<T, R>> to) {
    auto where = from.executor();
    auto core = stream_access::take(from);
    if (!core) return to->end(unexpected{errc::no_state});
    make_intrusive<forwarding<T, R>>(std::move(where), std::move(core), std::move(to))->begin();
}

}  // namespace futon::detail
