// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call under way: its invocation on the way out, its ending on the way back.

#include <futon/core/context.hpp>
#include <futon/core/error.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/message/invocation.hpp>
#include <futon/message/response.hpp>
#include <futon/message/stream_port.hpp>

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace futon {

struct call_options;

/// Where the time of a completed call went. Zero where a part was not reached.
struct call_times {
    duration queued{};   ///< From the call until its request was written into a send buffer.
    duration wire{};     ///< From then until the reply, less the handler's own time where the server tells it.
    duration handler{};  ///< In the handler, as the server measured it.
};

namespace detail {

class call;

/// What the router of a call that has many providers to choose from remembers of its attempts; others leave it alone.
struct attempt_trace {
    static constexpr std::size_t most_tried = 4;

    /// The provider of the current attempt; null: none is to be told of its end.
    void* on = nullptr;
    /// What chose it.
    std::shared_ptr<void> chosen_by{};
    /// The current attempt.
    time_point began{};
    /// Providers that the next attempt avoids; not set past the count.
    std::array<void*, most_tried> tried;
    std::size_t tried_count = 0;
};

/// A connection as a call sees it.
class carrier : public item_carrier {
public:
    /// Takes a call out of its inbox. Runs inside the connection's executor.
    virtual void start(intrusive_ptr<call> which) noexcept = 0;
    /// The address at the other end, for messages. Thread-safety: safe.
    [[nodiscard]] virtual const std::string& peer() const noexcept = 0;
};

/// Whoever moves a call about, and so knows where it stands when it is to be cancelled.
class call_router : public ref_counted {
public:
    /// Thread-safety: safe. The call completes with `cancelled` unless it has completed.
    virtual void cancel(call& which) noexcept = 0;
    /// A connection gives back a call that failed there; it is tried again elsewhere or completed.
    virtual void failed(intrusive_ptr<call> which, error why) noexcept = 0;
    /// Its reply has been decoded, or could not be (`bad`), and is about to be handed to the caller. For the books.
    virtual void decoded(const call& /*which*/, const response& /*reply*/, const error* /*bad*/) noexcept {}
    /// Whether the call is with `where` now. Thread-safety: safe, unless it is not overridden.
    [[nodiscard]] inline virtual bool is_at(const call& which, const carrier& where) const noexcept;
    /// Whether calls cannot complete while this thread blocks.
    [[nodiscard]] virtual bool needs_this_thread() const noexcept { return false; }
};

/// Decodes a reply into the ending's type, tells the router of `which` how that went, and completes the ending, as the
/// only one who can.
using deliver_reply = void (*)(intrusive_ptr<operation> ending, const response& reply, const call& which) noexcept;

/// One call on its way through queues, connections and attempts.
///
/// Its ending is completed exactly once, after which the call lets go of it. Belongs to one place at a
/// time: its router's queue, a connection's inbox, a session's slot.
class call final : public cancellable, public work, public recycled {
public:
    explicit call(intrusive_ptr<call_router> router, intrusive_ptr<operation> ending = nullptr,
                  deliver_reply deliver = nullptr) noexcept
        : ending_{std::move(ending)}, deliver_{deliver}, router_{std::move(router)} {
        request.arguments.begin_in(first_arguments_);
    }

    /// Gives an ending to a call that was made without one. Before it is submitted.
    void begin(intrusive_ptr<operation> ending, deliver_reply deliver) noexcept {
        ending_ = std::move(ending);
        deliver_ = deliver;
    }

    invocation request;
    int attempts = 0;                    ///< Begun so far, the current one included.
    executed ran = executed::no;         ///< Whether any of the attempts that are over may have run.
    time_point started{};                ///< When the caller made the call; not later.
    std::uint64_t turn = 0;              ///< Counts the calls of its channel.
    duration slack{};                    ///< How much later than what was asked for its deadline may be.
    std::source_location stub_made_at;   ///< Where the stub was made that it was made through.
    intrusive_ptr<stream_port> streams;  ///< Of a method with streams; else null.
    /// What stands before its router; null if nothing does. Set before the call is submitted.
    intrusive_ptr<cancellable> filters;
    std::shared_ptr<const call_options> options;  ///< Where they say how attempts are made; else null.
    bool reported = false;                        ///< Its router knows how it ended, or need not.
    bool wants_times = false;                     ///< Asks the server how long the handler ran.
    time_point written{};  ///< When the request of the current attempt was written into a send buffer.
    call_times times;      ///< Of the current attempt; complete once it is answered.

    /// Set before a cancel is looked for, so that a call which is just moving is caught where it arrives.
    std::atomic<bool> cancel_requested{false};

    // Set by whoever the call belongs to now; see `carrier`.
    attempt_trace attempt;  ///< Guarded by the router.
    /// What its attempts side by side share, a `hedged_call`; null: it makes them one after the other.
    intrusive_ptr<operation> hedge;
    intrusive_ptr<carrier> at;  ///< The connection that has it, if one has. Guarded by the router.
    std::uint64_t id = 0;       ///< Its id in that connection's session, zero before it stands in a slot.

    void cancel() noexcept override { filters ? filters->cancel() : router_->cancel(*this); }
    [[nodiscard]] bool needs_this_thread() const noexcept override { return router_->needs_this_thread(); }
    [[nodiscard]] std::string unfinished(int) override { return request.method->full_name(); }
    inline void run(bool accepted) noexcept override;

    /// Cancels this call when the request that it is made for is cancelled. Before it is submitted.
    void follow(const context& parent) { followed_.emplace(parent.stop_token(), canceller{this}); }
    [[nodiscard]] bool is_followed() const noexcept { return followed_.has_value(); }

    /// Hands the reply to the caller; false if the call was over, and the reply is late.
    bool succeed(const response& reply) noexcept {
        if (!ending_ || ending_->claimed()) return false;
        followed_.reset();
        if (streams) [[unlikely]]
            std::exchange(streams, nullptr)->close(error{std::error_code{}, executed::yes});
        deliver_(std::move(ending_), reply, *this);
        return true;
    }
    /// Completes with an error; false if the call was over.
    bool fail(error why) noexcept {
        if (!ending_) return false;
        followed_.reset();
        if (streams) [[unlikely]]
            std::exchange(streams, nullptr)->close(why);
        return std::exchange(ending_, nullptr)->fail(std::move(why));
    }
    [[nodiscard]] bool over() const noexcept { return !ending_ && !request.oneway; }
    [[nodiscard]] call_router& router() const noexcept { return *router_; }
    /// "service.method at address", or without the address where it is with no connection. By whom it belongs to.
    [[nodiscard]] std::string place() const {
        return request.method->full_name() + (at ? " at " + at->peer() : std::string{});
    }
    /// What will receive the result, for people. Where nobody can complete the call meanwhile.
    [[nodiscard]] std::string_view waited_by() const noexcept { return ending_ ? ending_->waited_by() : "nobody"; }

private:
    struct canceller {
        call* which;
        void operator()() const noexcept { which->cancel(); }
    };

    intrusive_ptr<operation> ending_;
    // Reset before the call completes, and never with a lock held: that waits for a cancel that is under way.
    std::optional<std::stop_callback<canceller>> followed_;
    deliver_reply deliver_;
    intrusive_ptr<call_router> router_;
    std::array<std::byte, 192> first_arguments_;  // Most fit into it, so that a call takes one block.
};

/// Says in `why` where it happened, which is `where()`, as far as there is memory for that.
template <std::invocable Where>
void say_where(error& why, Where where) noexcept {
    try {
        why = why.with_where(where());
    } catch (const std::bad_alloc&) {
    }
}
/// The same of what `which` was when it failed, perhaps at a peer.
inline void say_where(error& why, const call& which, std::string_view peer = {}) noexcept {
    say_where(why, [&] {
        auto where = which.request.method->full_name();
        if (!peer.empty()) where.append(" at ").append(peer);
        return where;
    });
}

inline bool call_router::is_at(const call& which, const carrier& where) const noexcept {
    return which.at.get() == &where;
}

inline void call::run(bool accepted) noexcept {
    // The inbox held a reference.
    auto self = intrusive_ptr<call>::adopt(this);
    if (accepted) return at->start(std::move(self));
    router_->failed(std::move(self), error{errc::connection_lost, "the connection's executor has ended", executed::no});
}

}  // namespace detail
}  // namespace futon
