// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The session of one protocol: puts the half that calls, the half that answers and the watch over the peer together.
/// One thing because every function here ties the same three together.

#include <futon/session/any_session.hpp>
#include <futon/session/detail/conversation.hpp>
#include <futon/session/detail/peer_watch.hpp>
#include <futon/wire/protocol.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <utility>

namespace futon {

/// See `any_session` for what it does and `P` for how it looks on the wire.
template <protocol P>
class session final : public any_session {
public:
    session(const session_options& options, time_point now)
        : with_{options, now}, watch_{with_.bounds(), now}, share_{options.unsent} {}

    std::span<event> receive(byte_buffer& input, time_point now) override;
    [[nodiscard]] bool has_more() const noexcept override { return more_; }
    [[nodiscard]] std::size_t wanted() const noexcept override { return wanted_; }
    [[nodiscard]] bool reading_allowed() const noexcept override { return !paused_; }

    [[nodiscard]] bool may_start(const invocation& request) const noexcept override {
        return is_open() && with_.calls_out.may_start(request);
    }
    [[nodiscard]] bool is_open() const noexcept override { return !with_.is_over() && !with_.peer_left(); }
    result<void> start(detail::intrusive_ptr<detail::call>& call, time_point now) override;
    cancelled_call cancel(std::uint64_t id, time_point now) override;

    bool track(std::uint64_t id, void* tag) override { return with_.calls_in.track(id, tag); }
    [[nodiscard]] void* tag(std::uint64_t id) const noexcept override { return with_.calls_in.tag(id); }
    [[nodiscard]] byte_buffer* begin_reply(std::uint64_t id, const reply_options& options) override {
        assert(!replying_);
        auto* const into = with_.calls_in.begin_reply(id, options);
        replying_ = into != nullptr;
        return into;
    }
    void end_reply(detail::intrusive_ptr<detail::held_bytes> rest = nullptr) override {
        replying_ = false;
        with_.calls_in.end_reply(std::move(rest));
        answered();
    }
    void abandon_reply() override {
        replying_ = false;
        with_.calls_in.abandon_reply();
    }
    [[nodiscard]] bool has_room_for_answers() const noexcept override { return with_.calls_in.has_room(); }
    bool reply(std::uint64_t id, byte_buffer&& body, const reply_options& options = {},
               detail::intrusive_ptr<detail::held_bytes> rest = nullptr) override {
        return answered(with_.calls_in.reply(id, std::move(body), options, std::move(rest)));
    }
    bool reply_error(std::uint64_t id, const error& why, duration handler_time) override {
        return answered(with_.calls_in.reply_error(id, why, handler_time));
    }

    std::optional<std::uint64_t> accept(std::uint64_t id, detail::intrusive_ptr<detail::stream_port> port,
                                        bool receives, time_point now) override {
        return with_.streams_in.accept(id, std::move(port), receives, now);
    }
    [[nodiscard]] detail::item_fate send_item(detail::stream_key which, bytes_view body) override {
        return with_.streams_of(which.mine).send(which.id, body);
    }
    [[nodiscard]] std::int64_t credit(detail::stream_key which) const noexcept override {
        return with_.streams_of(which.mine).credit(which.id);
    }
    void end_items(std::uint64_t id) override { with_.streams_out.end_items(id); }
    void grant(detail::stream_key which, std::uint64_t more, time_point now) override {
        with_.streams_of(which.mine).grant(which.id, more, now);
    }
    [[nodiscard]] std::uint64_t stream_window() const noexcept override { return with_.streams_out.window(); }
    [[nodiscard]] std::size_t most_item_bytes() const noexcept override {
        return with_.calls_out.peer().max_body_bytes;
    }
    [[nodiscard]] const complexity_limits& complexity() const noexcept override { return with_.bounds().complexity; }
    [[nodiscard]] bool has_room_for_items() const noexcept override { return with_.streams_out.has_room(); }

    std::uint64_t ask_load() override {
        P::write_load_query(with_.out.filling(), ++load_token_);
        return load_token_;
    }
    void ask_alive(std::uint64_t token) override {
        with_.send_ping(token);
        with_.await_pong(token);
    }
    [[nodiscard]] time_point last_received() const noexcept override { return watch_.last_received(); }
    void tell_load(std::uint64_t id, const load_report& load) override {
        with_.out.write_answer([&](byte_buffer& to) { P::write_load(to, id, load); });
    }

    std::span<event> advance(time_point now) override;
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept override;

    [[nodiscard]] std::span<const bytes_view> to_send() override { return with_.out.to_send(); }
    void sent(std::size_t count, time_point now) override;
    [[nodiscard]] std::size_t unsent() const noexcept override { return with_.out.unsent(); }
    [[nodiscard]] bool wants_flush() const noexcept override { return with_.out.filling_size() >= flush_bytes; }

    bool rest(time_point now) noexcept override;

    void begin_drain(const error& why, time_point now) override {
        with_.begin_drain(why);
        settle(now);
    }
    [[nodiscard]] bool is_draining() const noexcept override { return with_.is_draining(); }
    [[nodiscard]] bool drained() const noexcept override {
        return with_.calls_out.count() == 0 && with_.calls_in.count() == 0 && with_.out.unsent() == 0;
    }
    std::span<event> lose_connection(const error& why) override { return with_.lose_connection(why); }

    void inspect(const std::function<void(const detail::call&)>& see) const override { with_.calls_out.inspect(see); }
    [[nodiscard]] session_stats stats() const noexcept override {
        auto now = with_.stats;
        now.in_flight_sent = with_.calls_out.count();
        now.in_flight_received = with_.calls_in.count();
        return now;
    }

private:
    static constexpr duration quiet_time = std::chrono::seconds{1};
    static constexpr std::size_t batch_frames = 256, flush_bytes = 16u << 10, least_believed = 64u << 10;

    void take_frames(bytes_view input, time_point now, std::size_t& used, std::size_t& count);
    void watch(time_point now);
    void act(detail::peer_watch::verdict what, time_point now);
    // Calls begin or end.
    void stir() noexcept {
        watch_.active();
        stirred_ = true;
    }
    bool answered(bool done = true) noexcept {
        stir();
        update_pause();
        return done;
    }
    void update_pause() noexcept;
    [[nodiscard]] detail::peer_watch::situation situation() const noexcept;
    void settle(time_point now) noexcept;

    detail::conversation<P> with_;
    detail::peer_watch watch_;
    detail::unsent_bytes::part share_;
    std::uint64_t ping_token_ = 0;
    std::uint64_t load_token_ = 0;
    time_point quiet_since_{};   // Without calls.
    std::size_t left_over_ = 0;  // Bytes that the last `receive` left in the input.
    std::size_t wanted_ = 0;
    std::size_t largest_frame_ = 0;  // That came whole since the last rest.
    bool partial_ = false;
    bool more_ = false;
    bool paused_ = false;
    bool resuming_ = false;  // Reading began again, and the watch was not told when.
    bool replying_ = false;
    bool stirred_ = false;  // Calls began or ended since `rest` was asked last.
};

template <protocol P>
std::span<event> session<P>::receive(byte_buffer& input, time_point now) {
    with_.events.clear();
    more_ = partial_ = false;
    wanted_ = 0;
    const auto arrived = input.size() - std::min(left_over_, input.size());
    with_.stats.bytes_received += arrived;
    std::size_t used = 0;
    std::size_t count = 0;
    try {
        take_frames(input.view(), now, used, count);
    } catch (const std::bad_alloc&) {
        with_.give_up();
    }
    // The bytes stay where they are: the events point to them.
    input.consume(with_.is_over() ? input.size() : used);
    if (with_.was_active()) stir();
    watch_.received(now, arrived, partial_, count > 0 || left_over_ == 0);
    left_over_ = input.size();
    update_pause();
    settle(now);
    return with_.events.all();
}

template <protocol P>
void session<P>::take_frames(bytes_view input, time_point now, std::size_t& used, std::size_t& count) {
    frame_fault fault;
    frame from;
    for (; used < input.size() && !with_.is_over(); ++count) {
        if (count == batch_frames) {
            more_ = true;
            return;
        }
        const auto in = input.subspan(used);
        with_.make_room(2);  // A cancel can bring two.
        const bool greeting = !with_.is_ready();
        const auto step = greeting ? with_.greet(in, fault) : P::parse(in, with_.bounds(), from, fault);
        if (step.what == parsed::status::partial) {
            partial_ = true;
            const auto believed = std::max({least_believed, 3 * in.size(), largest_frame_});
            wanted_ = step.size == 0 ? 0 : std::min(step.size - in.size(), believed);
            return;
        }
        if (step.what == parsed::status::broken || (!greeting && !with_.handle(from, now, fault)))
            return with_.break_off({fault.code, describe(fault)});
        used += step.size;
        largest_frame_ = std::max(largest_frame_, step.size);
    }
}

template <protocol P>
result<void> session<P>::start(detail::intrusive_ptr<detail::call>& call, time_point now) {
    if (with_.is_over()) return error{errc::connection_lost, "the connection is broken", executed::no};
    if (with_.peer_left()) return error{errc::unavailable, "the peer accepts no more calls", executed::no};
    stir();
    try {
        with_.make_room_to_end();
    } catch (const std::bad_alloc&) {
        return error{errc::resource_exhausted, executed::no};
    }
    auto started = with_.calls_out.start(call, now);
    // One that waits for an answer reads on longer. That more is unsent now is seen at the next wake-up.
    if (paused_) [[unlikely]] {
        update_pause();
        settle(now);
    }
    return started;
}

template <protocol P>
cancelled_call session<P>::cancel(std::uint64_t id, time_point now) {
    auto taken = with_.calls_out.cancel(id);
    update_pause();
    settle(now);
    return taken;
}

template <protocol P>
std::span<event> session<P>::advance(time_point now) {
    with_.events.clear();
    try {
        const auto make_room = [this] { with_.make_room(1); };
        with_.make_room(1);
        with_.calls_out.expire(now, make_room,
                               [&](cancelled_call taken, const char* why) { with_.expired(std::move(taken), why); });
        watch(now);
    } catch (const std::bad_alloc&) {
        with_.give_up();
    }
    settle(now);
    return with_.events.all();
}

template <protocol P>
void session<P>::watch(time_point now) {
    update_pause();
    settle(now);
    for (;;) {
        const auto what = watch_.check(situation(), now);
        if (what == detail::peer_watch::verdict::nothing) break;
        with_.make_room(1);
        act(what, now);
    }
}

template <protocol P>
void session<P>::act(detail::peer_watch::verdict what, time_point now) {
    using enum detail::peer_watch::verdict;
    switch (what) {
        case nothing: break;
        case send_ping:
            with_.send_ping(++ping_token_);
            watch_.pinged(now);
            break;
        case dead: with_.break_off({errc::connection_lost, "the peer does not answer pings"}); break;
        // A server that hangs is not there; a client that connects and says nothing breaks the rules.
        case no_header:
            with_.break_off({with_.options().role == side::opener ? errc::connection_lost : errc::protocol_error,
                             "the peer sent no complete preface in time"});
            break;
        case slow_frame: with_.break_off({errc::protocol_error, "the peer sends a frame too slowly"}); break;
        case stalled: with_.break_off({errc::connection_lost, "the peer does not read"}); break;
        case idle: with_.leave({errc::unavailable, "the connection was idle"}); break;
    }
}

template <protocol P>
std::optional<time_point> session<P>::next_wakeup() const noexcept {
    if (with_.is_closed()) return std::nullopt;
    const auto first = std::min(watch_.next(situation()), with_.calls_out.next_deadline().value_or(no_deadline));
    return first == no_deadline ? std::nullopt : std::optional{first};
}

template <protocol P>
void session<P>::sent(std::size_t count, time_point now) {
    const auto before = with_.out.unsent();
    with_.out.sent(count);
    with_.stats.bytes_sent += before - with_.out.unsent();
    if (count > 0) watch_.wrote();
    update_pause();
    settle(now);
}

// Without calls what comes now and then is a ping: where none of this memory is kept, a batch takes it from what all
// connections of the thread share, and returns it.
template <protocol P>
bool session<P>::rest(time_point now) noexcept {
    if (std::exchange(stirred_, false)) {
        quiet_since_ = now;
        return false;
    }
    if (now < deadline_after(quiet_since_, quiet_time) || !drained()) return false;
    with_.give_back();
    largest_frame_ = 0;
    return true;
}

template <protocol P>
void session<P>::update_pause() noexcept {
    // A side that waits for answers itself reads on up to the higher limit: two that both paused at the lower one would
    // wait for each other. Its own requests do not count, for its peer may read them only after it has read the peer's.
    const auto answers = with_.out.unsent_answers();
    share_.set(answers);
    const auto low = with_.bounds().write_pause_bytes;
    const auto most = with_.calls_out.count() == 0 ? low : std::max(low, with_.bounds().max_write_bytes);
    const bool was = paused_;
    if (answers > 0 && answers >= most) paused_ = true;
    if (answers <= most / 2) paused_ = false;
    if (was && !paused_) resuming_ = true;
}

template <protocol P>
detail::peer_watch::situation session<P>::situation() const noexcept {
    if (with_.is_over()) return {.reading = false};
    const auto& own = with_.bounds();
    return {.ready = with_.is_ready(),
            .reading = !paused_ && !resuming_,
            .partial = partial_,
            .stalling = with_.out.unsent() > 0 && (paused_ || with_.out.unsent() >= own.max_write_bytes),
            .may_idle = with_.options().role == side::acceptor && with_.is_ready() && !with_.is_draining() &&
                        with_.calls_out.count() == 0 && with_.calls_in.count() == 0};
}

template <protocol P>
void session<P>::settle(time_point now) noexcept {
    if (std::exchange(resuming_, false) && !paused_) watch_.resumed(now);
    watch_.observe(situation(), now);
}

}  // namespace futon
