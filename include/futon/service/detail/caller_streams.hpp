// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The streams of a call from here, at the caller's end.

#include <futon/async/outcome.hpp>
#include <futon/async/stream.hpp>
#include <futon/async/stream_state.hpp>
#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>
#include <futon/message/call.hpp>
#include <futon/service/detail/call_stream.hpp>
#include <futon/service/detail/item_pump.hpp>
#include <futon/service/detail/item_source.hpp>

#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

struct no_items {};

/// `Item` comes, before the final result `R`; `Sent` goes. Either may be `void`.
template <class Item, class R, class Sent>
class caller_streams final : public call_stream {
    static constexpr bool receives = !std::is_void_v<Item>;
    static constexpr bool sends = !std::is_void_v<Sent>;
    template <bool Present, class T>
    using if_present = std::conditional_t<Present, T, no_items>;

public:
    using incoming_items = stream_state<std::conditional_t<receives, Item, int>, R>;
    using pump = item_pump<std::conditional_t<sends, Sent, int>, void, caller_streams>;

    explicit caller_streams(intrusive_ptr<call> of) noexcept : call_{std::move(of)} {
        terms.sends = sends;
        terms.receives = receives;
    }
    void receive_into(intrusive_ptr<incoming_items> to) noexcept { in_ = std::move(to); }
    template <class Stream>
    void send_from(Stream&& from) noexcept {
        out_.emplace(std::forward<Stream>(from));
    }

    void item(bytes_view body) noexcept override {
        if constexpr (receives) {
            auto pushed = push_item(*in_, body, carrier().complexity());
            if (pushed) return;
            carrier().fail(
                key(), error{errc::bad_reply, "an item does not fit the method's stream: " + pushed.error().message(),
                             executed::yes});
        }
    }
    /// Its consumer has lost interest.
    void unwanted() noexcept override {
        intrusive_ptr<call> which;
        {
            const std::lock_guard lock{mutex_};
            which = call_;
        }
        if (which) which->cancel();
    }
    /// The items that go out have ended, here.
    void pumped(result<void> how) noexcept {
        if (how) {
            finish();
        } else {
            carrier().fail(key(), how.error());
        }
    }

protected:
    void room() noexcept override {
        if constexpr (sends) out_->go(*this, carrier().where());
    }
    void all_sent() noexcept override { carrier().end_items(key().id); }
    void oversized(error why) noexcept override { carrier().fail(key(), why); }
    // With the error of the call.
    void gone() noexcept override {}
    [[nodiscard]] error told(const error& why) const override {
        if (why.code()) return why;
        return {errc::cancelled, "the call was answered before its items had ended", executed::no};
    }
    void closed(const error& why) noexcept override {
        intrusive_ptr<call> which;
        {
            const std::lock_guard lock{mutex_};
            which = std::move(call_);
        }
        if constexpr (sends) out_->abort(why);
    }

private:
    intrusive_ptr<call> call_;  // Until it is over. Guarded by the mutex.
    if_present<receives, intrusive_ptr<incoming_items>> in_;
    if_present<sends, std::optional<pump>> out_;
};

/// Ends the stream that a call returned.
template <class T, class R>
class stream_ending final : public outcome<R> {
public:
    explicit stream_ending(intrusive_ptr<stream_state<T, R>> whose) noexcept
        : outcome<R>{executor_ref{}}, whose_{std::move(whose)} {}
    bool complete(result<R> with) noexcept override {
        if (!this->claim()) return false;
        std::exchange(whose_, nullptr)->end(std::move(with));
        return true;
    }

protected:
    void deliver(bool) noexcept override { this->release(); }

private:
    intrusive_ptr<stream_state<T, R>> whose_;
};

}  // namespace futon::detail
