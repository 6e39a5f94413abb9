// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call that came in: its arguments until the handler has them, its answer until the connection has it.
/// One thing because its ways to end stand side by side here: whichever comes first, the call ends once.

#include <futon/core/bytes.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/filter/filter_chain.hpp>
#include <futon/filter/filtered_call.hpp>
#include <futon/message/stream_port.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/call_context.hpp>
#include <futon/service/detail/filter_wait.hpp>
#include <futon/service/handler_error.hpp>
#include <futon/service/propagation.hpp>
#include <futon/wire/encode.hpp>
#include <futon/wire/limits.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace futon::detail {

class incoming_call;
class method_handler;
using server_chain = filter_chain<server_call>;

/// A call's way through the filters of its method.
struct call_filtering : recycled {
    template <class... Seen>
    explicit call_filtering(intrusive_ptr<const server_chain> chain, Seen&&... seen)
        : through{std::move(chain)}, view{std::forward<Seen>(seen)...} {}
    passage<server_call> through;
    server_call view;
    intrusive_ptr<filter_wait> waits;  // While one of them waits.
};

/// Counts handlers that are queued or run elsewhere; lives for as long as it counts one.
class handler_count {
public:
    /// A handler has returned, or was refused, and holds nothing of its call's any more. On any thread.
    virtual void handler_left() noexcept = 0;

protected:
    ~handler_count() = default;
};

/// The way back to the caller: the connection that a call came over. All but `where` only inside `where()`.
class reply_port {
public:
    [[nodiscard]] virtual executor& where() const noexcept = 0;
    /// Opens a reply in the send buffer, for its value to be encoded into; null if nobody can receive it any more.
    [[nodiscard]] virtual byte_buffer* begin_reply(incoming_call& call) noexcept = 0;
    virtual void end_reply(incoming_call& call) noexcept = 0;
    virtual void abandon_reply(incoming_call& call) noexcept = 0;
    /// Sends a value that was encoded elsewhere.
    virtual void reply(incoming_call& call, byte_buffer&& body) noexcept = 0;
    /// Also told of the failure of a one-way call, which nobody hears of on the wire.
    virtual void reply_error(incoming_call& call, const error& why) noexcept = 0;
    /// The call is over: its place in the limits is free again.
    virtual void finished(incoming_call& call) noexcept = 0;
    /// An answer that could not go home, for the connection's executor has ended. The connection may still name the call
    /// when it tells its handlers that it is lost, which comes after: so it stays until then. Thread-safety: safe.
    virtual void strand(intrusive_ptr<incoming_call> call) noexcept = 0;
    /// Where handlers that are queued elsewhere are counted. On any thread.
    [[nodiscard]] virtual handler_count& handlers() noexcept = 0;
    /// Whether the text of a handler's exception stays on this side.
    [[nodiscard]] virtual bool hides_exception_text() const noexcept = 0;
    /// The call has passed its filters: it goes to its handler.
    virtual void passed_filters(intrusive_ptr<incoming_call> call) noexcept = 0;
    /// What calls the caller back. On any thread; null where nothing can.
    [[nodiscard]] virtual intrusive_ptr<any_channel> way_back() = 0;
    /// Stopped when the server begins to stop. On any thread.
    [[nodiscard]] virtual std::stop_token drain_token() const noexcept = 0;

protected:
    ~reply_port() = default;
};

/// Counted by whoever may still answer it. Answered exactly once; a later answer is dropped.
///
/// As work it is queued at most once at a time: first to run its handler, later to carry its answer home.
class incoming_call final : public call_context, public work, public recycled {
public:
    /// `keep` holds the port; null where that is there until the call is answered, and nobody asks the call for it later.
    incoming_call(const method_info& method, std::string_view peer, time_point deadline, bool oneway,
                  intrusive_ptr<ref_counted> keep, reply_port& port, std::uint64_t call_id)
        : call_context{method, peer, deadline, oneway}, id{call_id}, keep_{std::move(keep)}, port_{&port} {}

    const std::uint64_t id;
    std::size_t bytes = 0;            ///< What it counts for in the server's limits,
    bool counted = false;             ///< if it does: what is answered before its handler returns does not.
    std::size_t others = 0;           ///< Where counted: how many others were in flight when it came,
    time_point arrived{};             ///< and when that was.
    bool run_to_end = false;          ///< A caller that gives up does not stop it.
    const complexity_limits* complexity = nullptr;  ///< How intricate the arguments may be; lives as long as the server.
    bool wants_times = false;         ///< The caller asked how long the handler ran.
    method_handler* handler = nullptr;
    bytes_view arguments;             ///< Into the receive buffer, or into `own_arguments`.
    time_point begun{};               ///< When the handler started.
    intrusive_ptr<stream_port> streams;  ///< Of a method with streams, until it is answered. Set before the handler is queued.
    incoming_call* next = nullptr;    ///< Of the stranded calls of its connection.
    std::unique_ptr<call_filtering> filters;  ///< Null where its method has none.

    /// Moves the arguments out of the receive buffer, for a handler that may outlive it.
    void keep_arguments() {
        own_arguments_.append(arguments);
        arguments = own_arguments_.view();
    }
    /// For a handler that runs elsewhere: takes memory for its reply here, where it will be freed. Threads keep
    /// their free blocks to themselves, so one that only takes and one that only frees would share none.
    void make_room_for_reply() { static_cast<void>(reply_.prepare(1)); }
    void set_headers(const metadata* headers) {
        if (!headers) return;
        headers_ = *headers;
        set_trace(read_trace(headers_));
    }
    /// What the handler is waiting for; a caller that gives up cancels it. One thing at a time. Thread-safety: safe.
    void waits_for(intrusive_ptr<cancellable> what) noexcept {
        auto* const raw = what.detach();
        awaited_.store(raw, std::memory_order_seq_cst);
        if (raw && stop_requested()) raw->cancel();
    }
    /// The caller has given up, or is gone.
    void abandon() noexcept {
        const intrusive_ptr<incoming_call> keep{this};  // Closing its streams may answer it.
        request_stop();
        close_streams();
        if (auto* const awaited = awaited_.load(std::memory_order_seq_cst)) awaited->cancel();
    }
    /// Nobody is at the other end of its streams. Inside the port's executor.
    void close_streams() noexcept {
        if (const auto open = streams) open->close();
    }
    /// Lets go of what it waited for, which may refer back to this call. Inside the port's executor.
    void forget_awaited() noexcept {
        if (streams) [[unlikely]] std::exchange(streams, nullptr)->close();
        waits_no_more();
    }
    /// The same where it goes on, and may wait for something else.
    void waits_no_more() noexcept {
        if (!awaited_.load(std::memory_order_relaxed)) return;
        if (auto* const awaited = awaited_.exchange(nullptr, std::memory_order_acq_rel)) awaited->release();
    }
    ~incoming_call() override {
        forget_awaited();
        if (filters) [[unlikely]] come_back(call_outcome{error{errc::broken_promise, "the call was dropped without an answer"}});
    }

    /// Before it is sent through the filters of its handler, which has some.
    void enter_filters();
    /// The handler is about to run; false if a filter does not want it to, and has said what else.
    [[nodiscard]] bool may_start() noexcept {
        if (!filters) [[likely]] return true;
        auto said = filters->through.start(filters->view);
        if (said.goes_on()) return true;
        answer_decision(std::move(said));
        return false;
    }
    /// Answers with what a filter has said instead of letting it go on.
    void answer_decision(decision said) noexcept;
    [[nodiscard]] reply_port& port() const noexcept { return *port_; }

    /// Where the answer is sent from.
    [[nodiscard]] executor_ref home() const noexcept { return executor_ref{&port_->where()}; }
    /// Claims the right to answer; true for exactly one caller. Thread-safety: safe.
    [[nodiscard]] bool claim(bool home) noexcept {
        // Who holds the only reference races with nobody, at home, where the connection may name the call without one.
        if (!home || !unique()) return !answered_.exchange(true, std::memory_order_acq_rel);
        if (answered()) return false;
        answered_.store(true, std::memory_order_release);
        return true;
    }
    [[nodiscard]] bool at_home() const noexcept { return inside(port_->where()); }
    [[nodiscard]] bool answered() const noexcept { return answered_.load(std::memory_order_acquire); }

    /// Answers with a value or an error; false if the call had an answer. Thread-safety: safe.
    template <class R>
    bool answer(const result<R>& outcome) noexcept {
        const bool home = at_home();
        if (!claim(home)) return false;
        if (!outcome) {
            send_failure(outcome.error());
        } else if constexpr (std::is_void_v<R>) {
            send_value(home, [](byte_buffer& out) { out.push_back(std::byte{0xc0}); });
        } else {
            send_value(home, [&](byte_buffer& out) { encode(out, *outcome); });
        }
        return true;
    }
    /// Answers with what was just caught.
    void answer_exception() noexcept;
    bool answer_error(const error& why) noexcept {
        if (!claim(at_home())) return false;
        send_failure(why);
        return true;
    }

    inline void run(bool accepted) noexcept override;

    std::stop_token drain_token() const noexcept override { return port_->drain_token(); }

protected:
    [[nodiscard]] intrusive_ptr<any_channel> way_back() const override { return port_->way_back(); }

private:
    template <class Encode>
    void send_value(bool home, Encode&& encode_into) noexcept {
        try {
            if (oneway()) return go_home(home);
            // Filters see the value before it is sent.
            if (!home || filters) {
                encode_into(reply_);
                return go_home(home);
            }
            if (auto* out = port_->begin_reply(*this)) {
                try {
                    encode_into(*out);
                } catch (...) {
                    port_->abandon_reply(*this);
                    throw;
                }
                port_->end_reply(*this);
            }
            port_->finished(*this);
        } catch (...) {
            const auto why = port_->hides_exception_text() ? "" : ": " + error::from_exception(std::current_exception()).message();
            send_error(error{errc::internal, "the result could not be packed" + why, executed::yes});
        }
    }

    // An exception that came here inside a result, e.g. out of a coroutine, is told like one that was caught here.
    void send_failure(const error& why) noexcept;
    void send_error(const error& why) noexcept {
        const bool home = at_home();
        if (!home || filters) {
            failure_ = why;
            return go_home(home);
        }
        port_->reply_error(*this, why);
        port_->finished(*this);
    }

    // The answer is sent from the connection's executor.
    void go_home(bool home) noexcept {
        if (home) return conclude();
        going_home_ = true;
        add_ref();
        if (!port_->where().post(*this)) refuse(*this);
    }

    void arrive(bool accepted) noexcept {
        auto self = intrusive_ptr<incoming_call>::adopt(this);
        if (!accepted) {
            forget_awaited();
            come_back();
            return port_->strand(std::move(self));
        }
        conclude();
    }

    // Inside the port's executor.
    void conclude() noexcept {
        come_back();
        if (failure_) {
            port_->reply_error(*this, *failure_);
        } else if (!oneway()) {
            port_->reply(*this, std::move(reply_));
        }
        port_->finished(*this);
    }

    // Its filters see the answer, and may change it.
    void come_back() noexcept {
        if (!filters) [[likely]] return;
        failure_ ? come_back(call_outcome{*failure_}) : come_back(call_outcome{reply_.view()});
    }
    void come_back(call_outcome&& how) noexcept;
    // As the caller is told of it, where a filter threw.
    [[nodiscard]] error told(const error& why) const noexcept;

    const intrusive_ptr<ref_counted> keep_;
    reply_port* const port_;
    byte_buffer own_arguments_;
    byte_buffer reply_;
    std::optional<error> failure_;
    std::atomic<cancellable*> awaited_{nullptr};
    std::atomic<bool> answered_{false};
    bool going_home_ = false;
};

/// One method of one provided implementation.
class method_handler {
public:
    explicit method_handler(method_info what) : info{std::move(what)} {}
    virtual ~method_handler() = default;

    /// Decodes the arguments, runs the user's code and sees to the answer. Called in the place that was chosen.
    virtual void handle(intrusive_ptr<incoming_call> call) noexcept = 0;
    /// For a method with streams: gives the call its `streams`. Inside the connection's executor, before `handle`.
    virtual void open_streams(incoming_call& /*call*/, item_carrier& /*over*/, std::uint64_t /*window*/) {}
    /// Lets go of the user's object: `handle` is not called any more.
    virtual void release() noexcept = 0;

    const method_info info;
    executor_ref where;           ///< Where it runs; null: on the connection's I/O thread.
    intrusive_ptr<const server_chain> filters;  ///< What stands before it; null if nothing does. It then keeps its arguments.
    bool keeps_arguments = false; ///< It may use its arguments after `handle` has returned.
    bool run_to_end = false;      ///< A caller that gives up does not stop it.
};

inline void incoming_call::run(bool accepted) noexcept {
    if (going_home_) return arrive(accepted);
    // Queued for its handler, with a reference.
    auto self = intrusive_ptr<incoming_call>::adopt(this);
    auto& handlers = port_->handlers();
    const auto now = port_->where().now();
    if (!accepted) {
        answer_error(error{errc::overloaded, "the place where the handler runs is full or ending", executed::no});
    } else if (stop_requested() && !run_to_end) {
        answer_error(error{errc::cancelled, "the caller gave up before the handler began", executed::no});
    } else if (deadline() != no_deadline && now >= deadline()) {
        answer_error(error{errc::deadline_exceeded, "the call's time ran out before the handler began", executed::no});
    } else {
        if (may_start()) {
            begun = now;
            handler->handle(std::move(self));
        }
    }
    // Whoever waits for the handlers may destroy all that this call stands on.
    self = nullptr;
    handlers.handler_left();
}

inline void incoming_call::send_failure(const error& why) noexcept {
    const auto thrown = why.exception();
    if (!thrown) return send_error(why);
    try {
        send_error(handler_error(thrown, port_->hides_exception_text()));
    } catch (...) {
        send_error(error{errc::resource_exhausted, executed::yes});
    }
}

inline void incoming_call::enter_filters() {
    filters = std::make_unique<call_filtering>(handler->filters, handler->info, headers_, reply_headers_, arguments, port_->where().now(), oneway(),
                                               peer(), *this, home());
}

inline void incoming_call::answer_decision(decision said) noexcept {
    arrived = {};  // It says nothing of how long calls take here.
    if (!claim(at_home())) return;
    if (const auto* const why = said.failure()) return send_error(told(*why).with_executed(executed::no));
    try {
        reply_.clear();
        reply_.append(bytes_view{*said.value()});
        go_home(inside(port_->where()));
    } catch (...) {
        send_error(error{errc::resource_exhausted, executed::no});
    }
}

inline void incoming_call::come_back(call_outcome&& how) noexcept {
    filters->through.come_back(filters->view, how);
    if (const auto* const why = how.failure()) {
        failure_ = told(*why);
    } else if (const auto* const value = how.replaced()) {
        failure_.reset();
        try {
            byte_buffer fresh;
            fresh.append(bytes_view{*value});
            reply_ = std::move(fresh);
        } catch (...) {
            failure_ = error{errc::resource_exhausted, executed::yes};
        }
    }
}

inline error incoming_call::told(const error& why) const noexcept {
    const auto thrown = why.exception();
    if (!thrown) return why;
    try {
        return handler_error(thrown, port_->hides_exception_text()).with_executed(why.ran());
    } catch (...) {
        return error{errc::resource_exhausted, why.ran()};
    }
}

inline void incoming_call::answer_exception() noexcept {
    try {
        answer_error(handler_error(std::current_exception(), port_->hides_exception_text()));
    } catch (...) {
        answer_error(error{errc::resource_exhausted, executed::yes});
    }
}

}  // namespace futon::detail
