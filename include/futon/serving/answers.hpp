// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Answers the calls that come in over one connection, on whichever side: finds the handler of each, sees that it
/// runs in its place, takes its answer home. One thing because it is one connection's port, and all of it runs there.

#include <futon/message/call.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/service/pass_filters.hpp>
#include <futon/serving/connection_channel.hpp>
#include <futon/serving/offer.hpp>
#include <futon/transport/connection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Only inside the connection's executor, but for `where`, `handlers`, `way_back` and `drain_token`.
class answers final : public ref_counted, public reply_port {
public:
    /// `numbering` is what else makes calls over the connection; null if nothing does.
    answers(intrusive_ptr<offer> from, intrusive_ptr<connection> over, duration call_timeout,
            intrusive_ptr<any_channel> numbering = nullptr)
        : offer_{std::move(from)},
          where_{&over->where()},
          address_{over->peer()},
          call_timeout_{call_timeout},
          numbering_{std::move(numbering)},
          connection_{std::move(over)} {}

    // What the connection's owner passes on. It keeps this meanwhile.
    void bound(const event& it) noexcept;
    void requested(connection& from, event& request) noexcept;
    static void cancelled(const connection& from, void* tag) noexcept {
        auto* const call = static_cast<incoming_call*>(tag);
        if (!call) return;
        // A handler that runs to its end does so without its streams, where nobody is any more.
        const auto why = from.is_closed() ? errc::connection_lost : errc::cancelled;
        call->run_to_end ? call->close_streams(why) : call->abandon(why);
    }
    /// Of a call that a handler made over the way back.
    void replied(call& which, const response& reply) noexcept {
        auto bounded = reply;
        bounded.complexity = &offer_->rules.bounds.complexity;
        which.succeed(bounded);
    }
    static void refuse(intrusive_ptr<call> which) noexcept {
        auto& router = which->router();
        router.failed(std::move(which),
                      error{errc::overloaded, "the peer takes no more calls on this connection now", executed::no});
    }
    /// Such as handlers made over the way back.
    void oneways_lost(std::uint64_t count, error why) noexcept {
        say_where(why, [&] { return address_; });
        offer_->lost_oneways(count, why);
    }
    void closed() noexcept;

    executor& where() const noexcept override { return *where_; }
    handler_count& handlers() noexcept override { return *offer_; }
    bool hides_exception_text() const noexcept override { return offer_->rules.hide_exception_text; }
    inline intrusive_ptr<any_channel> way_back() override;
    std::stop_token drain_token() const noexcept override { return offer_->draining.get_token(); }

private:
    // What a method number means on this connection.
    struct binding {
        method_handler* handler = nullptr;
        std::optional<error> refused;
    };

    inline byte_buffer* begin_reply(incoming_call& call) noexcept override;
    inline void end_reply(incoming_call& call, intrusive_ptr<held_bytes> rest) noexcept override;
    inline void abandon_reply(incoming_call& call) noexcept override;
    inline void reply(incoming_call& call, byte_buffer&& body, intrusive_ptr<held_bytes> rest) noexcept override;
    inline void reply_error(incoming_call& call, const error& why) noexcept override;
    inline void finished(incoming_call& call) noexcept override;
    inline void strand(intrusive_ptr<incoming_call> call) noexcept override;
    inline void passed_filters(intrusive_ptr<incoming_call> call) noexcept override;

    void bind(const event& it);
    void take(connection& from, const event& request);
    void refuse_request(connection& from, const event& request, const error& why);
    // There was no memory for its answer: its caller is not left to wait for that.
    [[gnu::cold]] void give_up(const incoming_call& call) noexcept {
        connection_->forget(call.id);
        connection_->give_up();
    }
    // Answers with `write(session)`, if anybody waits for that.
    template <class Write>
    void answer(const incoming_call& call, Write write) noexcept {
        auto* const machine = session_for(call);
        if (!machine) return;
        try {
            write(*machine);
        } catch (const std::bad_alloc&) {
            return give_up(call);
        }
        connection_->need_flush();
    }
    void run_here(connection& from, intrusive_ptr<incoming_call> call) noexcept;
    void queue(intrusive_ptr<incoming_call> call) noexcept;
    // What the caller takes is known already, so that its handler may send at once.
    static void open_streams(connection& from, incoming_call& call) {
        const auto window = from.session()->credit({call.id, false});
        call.handler->open_streams(call, from, static_cast<std::uint64_t>(std::max<std::int64_t>(window, 0)));
    }
    // Null where nobody hears the answer. A connection that is lost tells its calls so one after the other; one that
    // ends meanwhile, perhaps by what another was told, may be gone before its turn comes.
    [[nodiscard]] any_session* session_for(const incoming_call& call) const noexcept {
        if (!connection_) return nullptr;
        auto* const open = connection_->session();
        if (!open) [[unlikely]]
            connection_->forget(call.id);
        return open;
    }
    [[nodiscard]] reply_options options_of(incoming_call& call) const noexcept {
        return {.headers = &call.reply_headers(),
                .handler_time = call.wants_times ? where_->now() - call.begun : duration{-1}};
    }

    const intrusive_ptr<offer> offer_;
    tally::part calls_{offer_->calls};
    const executor_ref where_;
    const std::string address_;
    const duration call_timeout_;
    const intrusive_ptr<any_channel> numbering_;
    std::mutex way_back_mutex_;
    intrusive_ptr<connection_channel> way_back_;  // Made when it is first asked for. Guarded by the mutex.
    intrusive_ptr<connection> connection_;        // Null once it is closed; the mutex guards the change.
    incoming_call* stranded_ = nullptr;           // Guarded by the mutex.
    std::vector<binding> bindings_;
    std::size_t refusals_left_ = std::size_t{64} * 1024;  // Bytes of text that `bindings_` may still keep.
    time_point handled_until_{};                          // When the last handler here returned.
    std::optional<error> failure_;                        // Of the call that is just being finished, for the hook.
};

inline intrusive_ptr<any_channel> answers::way_back() {
    const std::lock_guard lock{way_back_mutex_};
    if (!way_back_)
        way_back_ = make_intrusive<connection_channel>(offer_, connection_, where_, call_timeout_, numbering_);
    return way_back_;
}

inline void answers::closed() noexcept {
    const intrusive_ptr<answers> keep{this};
    intrusive_ptr<connection_channel> ended;
    incoming_call* stranded = nullptr;
    {
        const std::lock_guard lock{way_back_mutex_};
        connection_ = nullptr;
        ended = way_back_;
        stranded = std::exchange(stranded_, nullptr);
    }
    if (ended) ended->close();
    while (stranded) intrusive_ptr<incoming_call>::adopt(std::exchange(stranded, stranded->next));
}

inline void answers::strand(intrusive_ptr<incoming_call> call) noexcept {
    const std::lock_guard lock{way_back_mutex_};
    if (!connection_) return;  // It has told them.
    call->next = stranded_;
    stranded_ = call.detach();
}

inline void answers::bound(const event& it) noexcept {
    try {
        bind(it);
    } catch (const std::bad_alloc&) {
        connection_->give_up();
    }
}

inline void answers::bind(const event& it) {
    // The session has checked the number against limits.max_binds.
    if (it.method >= bindings_.size()) bindings_.resize(it.method + 1);
    auto found = offer_->services.find(it.names->service, it.names->method, it.names->signature);
    auto& slot = bindings_[it.method];
    slot.handler = found ? *found : nullptr;
    if (found) {
        slot.refused.reset();
    } else {
        slot.refused = std::move(found).error();
        // Made of what the peer sent: past the bound only its code is kept.
        const auto size = slot.refused->message().size();
        if (size > refusals_left_) slot.refused = error{slot.refused->code(), slot.refused->ran()};
        refusals_left_ -= std::min(size, refusals_left_);
    }
}

inline void answers::refuse_request(connection& from, const event& request, const error& why) {
    offer_->failed.fetch_add(1, std::memory_order_relaxed);
    if (request.oneway) return;
    if (auto* const machine = from.session()) machine->reply_error(request.id, why);
}

inline void answers::requested(connection& from, event& request) noexcept {
    try {
        take(from, request);
    } catch (const std::bad_alloc&) {
        from.give_up();
    }
}

inline void answers::take(connection& from, const event& request) {
    if (request.method >= bindings_.size() || !bindings_[request.method].handler) {
        const bool known = request.method < bindings_.size() && bindings_[request.method].refused;
        return refuse_request(from, request,
                              known ? *bindings_[request.method].refused
                                    : error{errc::no_such_method, "the method number was never bound", executed::no});
    }
    auto* const handler = bindings_[request.method].handler;
    if (request.has_streams != handler->info.has_streams) [[unlikely]]
        return refuse_request(from, request,
                              error{errc::bad_arguments,
                                    "the caller and the method disagree on whether there are streams", executed::no});
    if (from.is_writing() && !request.oneway && !from.session()->has_room_for_answers()) [[unlikely]] {
        offer_->overloaded.fetch_add(1, std::memory_order_relaxed);
        return refuse_request(from, request,
                              error{errc::overloaded,
                                    "too many bytes of answers wait until this connection's peer reads them "
                                    "(limits.max_unsent_answer_bytes, limits.max_server_unsent_bytes)",
                                    executed::no});
    }
    const auto size = request.body.size();
    const bool at_once = !handler->where && !handler->keeps_arguments;
    calls_.add();
    if (!at_once && !offer_->begin_call(size)) {
        offer_->overloaded.fetch_add(1, std::memory_order_relaxed);
        return refuse_request(
            from, request,
            error{errc::overloaded,
                  "too many calls in flight here (limits.max_server_in_flight, limits.max_server_in_flight_bytes)",
                  executed::no});
    }
    try {
        // A call that is answered before this returns has no use for
        // its port later, even where others keep it as their context.
        const bool outlives_this = !at_once || handler->filters;
        auto call = make_intrusive<incoming_call>(handler->info, address_, request.deadline, request.oneway,
                                                  outlives_this ? intrusive_ptr<ref_counted>{this} : nullptr, *this,
                                                  request.id);
        call->handler = handler;
        call->bytes = size;
        call->counted = !at_once;
        if (!at_once && offer_->meter.is_wanted()) {
            call->others = offer_->in_flight() - 1;
            call->arrived = from.batch_time();
        }
        call->complexity = &offer_->rules.bounds.complexity;
        call->wants_times = request.wants_times;
        call->run_to_end = handler->run_to_end;
        call->arguments = request.body;
        call->set_headers(request.headers);
        if (handler->filters) [[unlikely]] {
            call->keep_arguments();
            call->enter_filters();
            if (!request.oneway) from.session()->track(request.id, call.get());
            return pass_filters(std::move(call));
        }
        // The streams come last: they keep the call, whatever else cannot be had.
        if (!handler->where) {
            if (handler->keeps_arguments) call->keep_arguments();
            if (request.has_streams) [[unlikely]]
                open_streams(from, *call);
            return run_here(from, std::move(call));
        }
        call->keep_arguments();
        if (!request.oneway) call->make_room_for_reply();
        if (request.has_streams) [[unlikely]]
            open_streams(from, *call);
        if (!request.oneway) from.session()->track(request.id, call.get());
        queue(std::move(call));
    } catch (const std::bad_alloc&) {
        if (!at_once) offer_->end_call(size);
        refuse_request(from, request, error{errc::resource_exhausted, "the server is out of memory", executed::no});
    }
}

inline void answers::queue(intrusive_ptr<incoming_call> call) noexcept {
    offer_->handler_queued();
    auto* const queued = call.detach();
    if (!queued->handler->where->post(*queued)) {
        offer_->overloaded.fetch_add(1, std::memory_order_relaxed);
        queued->run(false);
    }
}

inline void answers::passed_filters(intrusive_ptr<incoming_call> call) noexcept {
    auto* const handler = call->handler;
    const auto from = connection_;
    if (!from || !from->session()) {
        call->answer_error(error{errc::connection_lost, "the connection ended while a filter waited", executed::no});
        return;
    }
    try {
        if (handler->where && !call->oneway()) call->make_room_for_reply();
        if (handler->info.has_streams) open_streams(*from, *call);
    } catch (const std::bad_alloc&) {
        call->answer_error(error{errc::resource_exhausted, "the server is out of memory", executed::no});
        return;
    }
    handler->where ? queue(std::move(call)) : run_here(*from, std::move(call));
}

inline void answers::run_here(connection& from, intrusive_ptr<incoming_call> call) noexcept {
    auto* const handler = call->handler;
    if (handler->keeps_arguments && !call->oneway()) from.session()->track(call->id, call.get());
    // Reading the clock is dear beside a call: the end of one handler is the beginning of the next.
    const bool timed = call->wants_times || offer_->rules.on_served;
    const auto begun = timed ? where_->now() : std::max(from.batch_time(), handled_until_);
    if (!call->may_start()) return;
    call->begun = begun;
    handler->handle(std::move(call));
    const auto limit = offer_->rules.slow_handler;
    if (limit <= duration{}) return;
    const auto now = limit >= default_slow_handler ? where_->rough_now() : exactly(where_->now());
    handled_until_ = now.earliest;
    if (now.latest - begun < limit) [[likely]]
        return;
    handled_until_ = where_->now();
    if (handled_until_ - begun < limit) return;
    offer_->slow.fetch_add(1, std::memory_order_relaxed);
    const auto name = handler->info.full_name();
    offer_->reports().log({.level = log_level::warning,
                           .kind = "slow_handler",
                           .text = "a handler held an I/O thread for long; let it run on the pool, or return a future",
                           .where = name});
}

inline byte_buffer* answers::begin_reply(incoming_call& call) noexcept {
    auto* const machine = session_for(call);
    if (!machine) return nullptr;
    try {
        return machine->begin_reply(call.id, options_of(call));
    } catch (const std::bad_alloc&) {
        give_up(call);
        return nullptr;
    }
}

inline void answers::end_reply(incoming_call& call, intrusive_ptr<held_bytes> rest) noexcept {
    answer(call, [&](any_session& machine) { machine.end_reply(std::move(rest)); });
}

inline void answers::abandon_reply(incoming_call&) noexcept { connection_->session()->abandon_reply(); }

inline void answers::reply(incoming_call& call, byte_buffer&& body, intrusive_ptr<held_bytes> rest) noexcept {
    answer(call,
           [&](any_session& machine) { machine.reply(call.id, std::move(body), options_of(call), std::move(rest)); });
}

inline void answers::reply_error(incoming_call& call, const error& why) noexcept {
    offer_->failed.fetch_add(1, std::memory_order_relaxed);
    // An error says nothing of how long calls take: a server that fails at once would call itself quick.
    call.arrived = {};
    if (offer_->rules.on_served) failure_ = why;
    if (call.oneway()) return;
    const auto took = call.wants_times && call.begun != time_point{} ? where_->now() - call.begun : duration{-1};
    answer(call, [&](any_session& machine) { machine.reply_error(call.id, why, took); });
}

inline void answers::finished(incoming_call& call) noexcept {
    call.forget_awaited();
    if (call.counted) {
        offer_->end_call(call.bytes);
        if (call.arrived != time_point{}) offer_->meter.note(call.others, where_->now() - call.arrived);
    }
    const auto& hook = offer_->rules.on_served;
    if (!hook) return;
    const auto failure = std::exchange(failure_, std::nullopt);
    try {
        hook({.method = call.handler->info,
              .peer = address_,
              .failure = failure ? &*failure : nullptr,
              .handler = call.begun == time_point{} ? duration{} : where_->now() - call.begun});
    } catch (...) {
        offer_->reports().log(
            {.level = log_level::error, .kind = "hook_threw", .text = "on_served threw; its exception was dropped"});
    }
}

}  // namespace futon::detail
