// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call that came in: its arguments until the handler has them, its answer until the connection has it.

#include <futon/core/bodies.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/held_bytes.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/filter/filter_chain.hpp>
#include <futon/filter/filtered_call.hpp>
#include <futon/message/stream_port.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/service/call_context.hpp>
#include <futon/service/detail/filter_wait.hpp>
#include <futon/service/reply_port.hpp>
#include <futon/wire/encode.hpp>
#include <futon/wire/limits.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
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

/// Counted by whoever may still answer it. Answered exactly once; a later answer is dropped.
///
/// As work it is queued at most once at a time: first to run its handler, later to carry its answer home.
class incoming_call final : public call_context, public work, public recycled {
public:
    /// `keep` holds the port; null where that is there until the
    /// call is answered, and nobody asks the call for it later.
    incoming_call(const method_info& method, std::string_view peer, time_point deadline, bool oneway,
                  intrusive_ptr<ref_counted> keep, reply_port& port, std::uint64_t call_id);

    const std::uint64_t id;
    std::size_t bytes = 0;    ///< What it counts for in the server's limits,
    bool counted = false;     ///< if it does: what is answered before its handler returns does not.
    std::size_t others = 0;   ///< Where counted: how many others were in flight when it came,
    time_point arrived{};     ///< and when that was.
    bool run_to_end = false;  ///< A caller that gives up does not stop it.
    /// How intricate the arguments may be; lives as long as the server.
    const complexity_limits* complexity = nullptr;
    bool wants_times = false;  ///< The caller asked how long the handler ran.
    method_handler* handler = nullptr;
    bytes_view arguments;  ///< Into the receive buffer, or into `own_arguments`.
    time_point begun{};    ///< When the handler started.
    /// Of a method with streams, until it is answered. Set before the handler is queued.
    intrusive_ptr<stream_port> streams;
    incoming_call* next = nullptr;            ///< Of the stranded calls of its connection.
    std::unique_ptr<call_filtering> filters;  ///< Null where its method has none.

    /// Moves the arguments out of the receive buffer, for a handler that may outlive it.
    void keep_arguments() {
        own_arguments_.append(arguments);
        arguments = own_arguments_.view();
    }
    /// For a handler that runs elsewhere: takes memory for its reply here, where it will be freed. Threads keep
    /// their free blocks to themselves, so one that only takes and one that only frees would share none.
    void make_room_for_reply() { static_cast<void>(reply_.prepare(1)); }
    void set_headers(const metadata* headers);
    /// What the handler is waiting for; a caller that gives up cancels it. One thing at a time. Thread-safety: safe.
    void waits_for(intrusive_ptr<cancellable> what) noexcept {
        auto* const raw = what.detach();
        awaited_.store(raw, std::memory_order_seq_cst);
        if (raw && stop_requested()) raw->cancel();
    }
    /// The caller has given up, `cancelled`, or is gone, `connection_lost`.
    void abandon(errc why) noexcept;
    /// The same for its streams alone. Inside the port's executor.
    void close_streams(errc why) noexcept {
        if (const auto open = streams) open->close(error{why, executed::yes});
    }
    /// Lets go of what it waited for, which may refer back to this call. Inside the port's executor.
    void forget_awaited() noexcept {
        if (streams) [[unlikely]]
            std::exchange(streams, nullptr)->close(error{std::error_code{}, executed::yes});
        waits_no_more();
    }
    /// The same where it goes on, and may wait for something else.
    void waits_no_more() noexcept {
        if (!awaited_.load(std::memory_order_relaxed)) return;
        if (auto* const awaited = awaited_.exchange(nullptr, std::memory_order_acq_rel)) awaited->release();
    }
    FUTON_DETAIL_BODY ~incoming_call() override;

    /// Before it is sent through the filters of its handler, which has some.
    void enter_filters();
    /// The handler is about to run; false if a filter does not want it to, and has said what else.
    [[nodiscard]] bool may_start() noexcept {
        if (!filters) [[likely]]
            return true;
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

    /// Answers with a value or an error; false if the call had an answer. A large text or blob is sent from where it
    /// is. Thread-safety: safe.
    template <class R>
    bool answer(result<R>&& outcome) noexcept {
        const bool home = at_home();
        if (!claim(home)) return false;
        if (!outcome) {
            send_failure(outcome.error());
        } else if constexpr (std::is_void_v<R>) {
            send_value(home, [](byte_buffer& out) { out.push_back(std::byte{0xc0}); });
        } else {
            if constexpr (has_separate_head<R>) {
                // Filters see a value in one piece.
                if (outcome->size() >= large_result && !filters) return send_large(home, *std::move(outcome)), true;
            }
            send_value(home, [&](byte_buffer& out) { encode(out, *outcome); });
        }
        return true;
    }
    /// Answers with what was just caught.
    void answer_exception() noexcept;
    bool answer_error(const error& why) noexcept;

    FUTON_DETAIL_BODY void run(bool accepted) noexcept override;

    FUTON_DETAIL_BODY std::stop_token drain_token() const noexcept override;

protected:
    [[nodiscard]] FUTON_DETAIL_BODY intrusive_ptr<any_channel> way_back() const override;

private:
    template <class R>
    void send_large(bool home, R&& value) noexcept {
        try {
            auto held = make_intrusive<held_bytes_of<R>>(std::move(value));
            const auto write_head = [&kept = held->owner()](byte_buffer& out) { encode_head(out, kept); };
            send_value(home, write_head, std::move(held));
        } catch (...) {
            answer_unpackable();
        }
    }
    // `rest` stands behind what `encode_into` writes.
    template <class Encode>
    void send_value(bool home, Encode&& encode_into, intrusive_ptr<held_bytes> rest = nullptr) noexcept {
        try {
            if (oneway()) return go_home(home);
            // Filters see the value before it is sent.
            if (!home || filters) {
                encode_into(reply_);
                reply_rest_ = std::move(rest);
                return go_home(home);
            }
            if (auto* out = port_->begin_reply(*this)) {
                try {
                    encode_into(*out);
                } catch (...) {
                    port_->abandon_reply(*this);
                    throw;
                }
                port_->end_reply(*this, std::move(rest));
            }
            port_->finished(*this);
        } catch (...) {
            answer_unpackable();
        }
    }

    // Copied into the send buffer, a smaller one is as fast.
    static constexpr std::size_t large_result = 64u << 10;

    // Tells that what was just caught kept the value from being packed.
    void answer_unpackable() noexcept;
    // An exception that came here inside a result, e.g. out of a coroutine, is told like one that was caught here.
    void send_failure(const error& why) noexcept;
    void send_error(const error& why) noexcept;

    // The answer is sent from the connection's executor.
    void go_home(bool home) noexcept;

    void arrive(bool accepted) noexcept;

    // Inside the port's executor.
    void conclude() noexcept;

    // Its filters see the answer, and may change it.
    void come_back() noexcept;
    void come_back(call_outcome&& how) noexcept;
    // As the caller is told of it, where a filter threw.
    [[nodiscard]] error told(const error& why) const noexcept;

    const intrusive_ptr<ref_counted> keep_;
    reply_port* const port_;
    byte_buffer own_arguments_;
    byte_buffer reply_;
    intrusive_ptr<held_bytes> reply_rest_;  // Behind that.
    std::optional<error> failure_;
    std::atomic<cancellable*> awaited_{nullptr};
    std::atomic<bool> answered_{false};
    bool going_home_ = false;
};

/// One method of one provided implementation.
class method_handler {
public:
    explicit method_handler(method_info what);
    FUTON_DETAIL_BODY virtual ~method_handler();

    /// Decodes the arguments, runs the user's code and sees to the answer. Called in the place that was chosen.
    virtual void handle(intrusive_ptr<incoming_call> call) noexcept = 0;
    /// For a method with streams: gives the call its `streams`. Inside the connection's executor, before `handle`.
    virtual void open_streams(incoming_call& /*call*/, item_carrier& /*over*/, std::uint64_t /*window*/) {}
    /// Lets go of the user's object: `handle` is not called any more.
    virtual void release() noexcept = 0;

    const method_info info;
    executor_ref where;  ///< Where it runs; null: on the connection's I/O thread.
    /// What stands before it; null if nothing does. It then keeps its arguments.
    intrusive_ptr<const server_chain> filters;
    bool keeps_arguments = false;  ///< It may use its arguments after `handle` has returned.
    bool run_to_end = false;       ///< A caller that gives up does not stop it.
};

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/incoming_call_bodies.hpp>
#endif
