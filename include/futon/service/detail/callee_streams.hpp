// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The streams of a call that came in, at its handler's end.

#include <futon/async/make_ready.hpp>
#include <futon/async/sink_target.hpp>
#include <futon/async/stream.hpp>
#include <futon/async/stream_state.hpp>
#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>
#include <futon/service/detail/call_stream.hpp>
#include <futon/service/detail/item_pump.hpp>
#include <futon/service/detail/item_source.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/wire/encode.hpp>

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// `Item` goes, before the final result `R`; `Taken` comes. Either may be `void`; without `Item` the call is answered
/// as any other.
template <class Item, class R, class Taken>
class callee_streams final : public call_stream {
    static constexpr bool takes = !std::is_void_v<Taken>;
    static constexpr bool gives = !std::is_void_v<Item>;
    using incoming_items = stream_state<std::conditional_t<takes, Taken, int>, void>;
    using outgoing_items = stream<std::conditional_t<gives, Item, int>, R>;
    using pump = item_pump<std::conditional_t<gives, Item, int>, R, callee_streams>;

public:
    callee_streams(incoming_call& of, item_carrier& over, std::uint64_t window) : complexity_{of.complexity} {
        if constexpr (gives) call_ = intrusive_ptr<incoming_call>{&of};
        attach(over, {of.id, false}, window);
        if constexpr (takes) {
            in_ = make_intrusive<incoming_items>();
            in_->attach_source(make_intrusive<item_source>(intrusive_ptr<call_stream>{this}));
        }
    }

    using call_stream::begin;
    /// The caller's items, if it has any. Once.
    [[nodiscard]] auto taken(executor_ref where) noexcept {
        if constexpr (takes) {
            return stream<Taken>{in_, std::move(where)};
        } else {
            return where;
        }
    }
    /// Ends the call, after all that was put. The first time counts.
    void conclude(result<R> with) noexcept {
        {
            const std::lock_guard lock{mutex_};
            if (std::exchange(concluded_, true)) return;
            result_.emplace(std::move(with));
        }
        if (!finish()) answer();
    }
    /// The same with what `from` yields.
    void forward(outgoing_items from) noexcept {
        const auto stop = from.get_cancel_handle();
        {
            const std::lock_guard lock{mutex_};
            out_.emplace(std::move(from));
        }
        if (is_over()) return give_up(stop);
        wake();
    }
    void pumped(result<void> how) noexcept {
        if constexpr (gives) {
            if (!how) return conclude(how.error().with_executed(executed::yes));
            try {
                out_->source().result().on_complete(
                    executor_ref{&carrier().where()},
                    [keep = intrusive_ptr<callee_streams>{this}](result<R> last) { keep->conclude(std::move(last)); });
            } catch (...) {
                conclude(error::from_exception(std::current_exception()));
            }
        }
    }

    void item(bytes_view body) noexcept override {
        if constexpr (takes) {
            auto pushed = push_item(*in_, body, *complexity_);
            if (!pushed)
                in_->end(error{errc::bad_arguments,
                               "an item does not fit the method's stream: " + pushed.error().message(), executed::yes});
        }
    }
    void items_ended() noexcept override {
        if constexpr (takes) in_->end({});
    }
    // No more credit, and the caller's items stop.
    void unwanted() noexcept override {}

protected:
    bool take_up() noexcept override {
        if (std::exchange(accepted_, true)) return true;
        const auto granted = carrier().accept(key().id, *this, takes);
        if (granted) may_receive(*granted);
        return granted.has_value();
    }
    void room() noexcept override {
        if constexpr (gives) {
            {
                const std::lock_guard lock{mutex_};
                if (!out_) return;
            }
            out_->go(*this, carrier().where());
        }
    }
    void all_sent() noexcept override { answer(); }
    void oversized(error why) noexcept override {
        if constexpr (gives) {
            const std::lock_guard lock{mutex_};
            concluded_ = true;
            if (call_) result_.emplace(why);
        }
        close(why);
    }
    // A handler whose items nobody takes any more is to stop, whatever the reason.
    [[nodiscard]] error told(const error& why) const override {
        const auto* text = "the call is over";
        if (why == errc::cancelled) text = "the caller gave up the call";
        if (why == errc::connection_lost) text = "the connection to the caller was lost";
        return {errc::cancelled, text, executed::no};
    }
    void closed(const error& why) noexcept override {
        if constexpr (takes) in_->end(why);
        if constexpr (gives) {
            cancel_handle stop;
            {
                const std::lock_guard lock{mutex_};
                if (out_) stop = out_->get_cancel_handle();
            }
            give_up(stop);
        }
    }

private:
    // Nobody takes what goes out any more: a stream that is forwarded cannot tell when it has ended.
    void give_up(const cancel_handle& stop) noexcept {
        stop.cancel();
        bool forwarded = false;
        {
            const std::lock_guard lock{mutex_};
            forwarded = out_.has_value();
        }
        if (forwarded) conclude(error{errc::cancelled, "the caller gave up", executed::yes});
        answer();
    }
    void answer() noexcept {
        if constexpr (gives) {
            intrusive_ptr<incoming_call> call;
            std::optional<result<R>> with;
            {
                const std::lock_guard lock{mutex_};
                if (!result_ || !call_) return;
                call = std::move(call_);
                with.swap(result_);
            }
            call->answer(*std::move(with));
        }
    }

    const complexity_limits* const complexity_;
    std::conditional_t<takes, intrusive_ptr<incoming_items>, bool> in_{};
    bool accepted_ = false;  // Only inside the connection's executor.
    // Guarded by the mutex, but that the pump itself belongs to the connection's executor.
    bool concluded_ = false;
    intrusive_ptr<incoming_call> call_;  // Until it is answered.
    std::optional<result<R>> result_;
    std::optional<pump> out_;
};

/// A handler's sink. The handler's own result ends the call; closing this says only that no more items come.
template <class T, class Port>
class call_sink final : public sink_target<T, void> {
public:
    call_sink(intrusive_ptr<incoming_call> call, intrusive_ptr<Port> port) noexcept
        : sink_target<T, void>{std::move(call)}, port_{std::move(port)} {}

    future<void> send(executor_ref where, T item) override {
        byte_buffer body;
        if (auto packed = pack(body, item); !packed)
            return make_failed<void>(std::move(where), std::move(packed).error());
        if (auto why = port_->obstacle_to(body.size())) return make_failed<void>(std::move(where), *std::move(why));
        return port_->send(std::move(where), std::move(body));
    }
    result<void> try_send(T& item) override {
        if (!port_->has_room() && !port_->is_over()) return error{errc::overloaded, executed::no};
        byte_buffer body;
        if (auto packed = pack(body, item); !packed) return packed;
        if (auto why = port_->obstacle_to(body.size())) return *std::move(why);
        return port_->try_send(body.view());
    }
    void end(result<void> with) noexcept override {
        if (!with) port_->conclude(with.error().with_executed(executed::yes));
    }
    void dropped() noexcept override {}

private:
    static result<void> pack(byte_buffer& into, const T& item) noexcept {
        try {
            encode(into, item);
            return {};
        } catch (...) {
            return error{errc::bad_arguments,
                         "an item could not be packed: " + error::from_exception(std::current_exception()).message(),
                         executed::no};
        }
    }

    const intrusive_ptr<Port> port_;
};

}  // namespace futon::detail
