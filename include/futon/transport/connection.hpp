// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one driver of a session: moves bytes between it and a stream, and tells it the time.
///
/// Reads coalesce: whatever has arrived is parsed before more is read. Writes coalesce: what one turn of
/// the executor produced leaves at its end, in one system call, or at once where it is much.
/// One thing because reading, writing, the alarm and the end all turn on the same few flags.

#include <futon/core/executor.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/message/call.hpp>
#include <futon/session/any_session.hpp>
#include <futon/transport/byte_stream.hpp>
#include <futon/transport/connection_owner.hpp>

#include <asio/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Lives on one I/O executor. Kept alive by its operations until it is closed.
///
/// Thread-safety: `submit`, `cancel`, `close` and `drain` from anywhere, the rest inside its executor.
class connection final : public carrier, private stream_events {
public:
    connection(io_place place, std::unique_ptr<byte_stream> stream, std::unique_ptr<any_session> session,
               intrusive_ptr<connection_owner> owner)
        : place_{std::move(place)},
          stream_{std::move(stream)},
          session_{std::move(session)},
          owner_{std::move(owner)},
          flush_{*this},
          more_{*this},
          alarm_{*this} {}

    /// Where its executor ended without running it, e.g. with a lent `io_context`: no call is left behind.
    ~connection() override {
        if (closed_) return;
        for (auto& it : session_->lose_connection(error{errc::connection_lost, "the executor of the connection has ended"}))
            if (it.call) it.call->fail(std::move(it.why));
    }

    /// Begins to read and to write. Inside its executor.
    void open() noexcept {
        now_ = where().now();
        need_flush();
        read();
    }

    void submit(intrusive_ptr<call> which) noexcept {
        // Not past those that come from other threads.
        if (inside(where()) && !has_inbox()) return begin(std::move(which));
        inbox_.fetch_add(1, std::memory_order_relaxed);
        auto* queued = which.detach();
        if (!where().post(*queued)) queued->run(false);
    }
    /// Cancels a call that this connection has.
    void cancel(intrusive_ptr<call> which) noexcept {
        on_executor([self = intrusive_ptr<connection>{this}, which = std::move(which)] { self->cancel_here(*which); });
    }
    /// Ends at once: calls fail with `why`, or are given back to be tried elsewhere.
    void close(error why) noexcept {
        // Also where the executor has ended: then nothing else runs there.
        on_executor<true>([self = intrusive_ptr<connection>{this}, why = std::move(why)] { self->lose(why); });
    }
    /// Ends one whose executor has ended.
    void on_dropped() noexcept override { lose(error{errc::connection_lost, "the executor of the connection has ended"}); }
    /// Says goodbye, and ends when the calls in flight are done.
    void drain(error why) noexcept {
        on_executor([self = intrusive_ptr<connection>{this}, why = std::move(why)] {
            if (self->closed_) return;
            self->session_->begin_drain(why, self->where().now());
            self->need_flush();
        });
    }

    /// Shows every call that it has, inside its executor; later.
    void inspect(std::function<void(const call&)> see) noexcept {
        on_executor([self = intrusive_ptr<connection>{this}, see = std::move(see)] {
            if (!self->closed_) self->session_->inspect(see);
        });
    }

    inline void start(intrusive_ptr<call> which) noexcept override;
    /// Starts a call that is not in the inbox. Inside its executor.
    void begin(intrusive_ptr<call> which) noexcept;
    /// Calls were submitted that have not arrived: those that were made after them have to wait. Thread-safety: safe.
    [[nodiscard]] bool has_inbox() const noexcept { return inbox_.load(std::memory_order_relaxed) != 0; }

    [[nodiscard]] executor& where() const noexcept override { return *place_.where; }
    [[nodiscard]] const io_place& place() const noexcept { return place_; }
    [[nodiscard]] const std::string& peer() const noexcept override { return stream_->peer(); }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    /// Neither side has said goodbye. Inside its executor.
    [[nodiscard]] bool is_serving() const noexcept { return !closed_ && session_->is_open() && !session_->is_draining(); }
    /// The peer takes no more calls now, and some wait for it. Thread-safety: safe.
    [[nodiscard]] bool is_starved() const noexcept { return starved_.load(std::memory_order_relaxed); }
    /// The time of the current batch; the clock is read once for it.
    [[nodiscard]] time_point batch_time() const noexcept { return now_; }

    /// The session, to answer calls with; follow with `need_flush()`. Null once closed.
    [[nodiscard]] any_session* session() noexcept { return closed_ ? nullptr : session_.get(); }
    /// Writes at the end of this turn of the executor, or now if much has gathered.
    void need_flush() noexcept;
    /// As of the end of the last batch. Thread-safety: safe.
    [[nodiscard]] session_stats stats() const noexcept {
        const std::lock_guard lock{stats_mutex_};
        return stats_;
    }

    /// Asks the peer how busy it is; the owner's `load_told` comes. Thread-safety: safe.
    void query_load() noexcept {
        on_executor([self = intrusive_ptr<connection>{this}] { self->ask_load(); });
    }

    // What streams do.
    [[nodiscard]] inline std::optional<std::uint64_t> accept(std::uint64_t id, stream_port& streams, bool receives) noexcept override;
    [[nodiscard]] inline item_fate send_item(stream_key which, stream_port& streams, bytes_view body) noexcept override;
    [[nodiscard]] inline std::int64_t credit(stream_key which, stream_port& streams) noexcept override;
    const complexity_limits& complexity() const noexcept override { return session_->complexity(); }
    inline void end_items(std::uint64_t id) noexcept override;
    inline void grant(stream_key which, std::uint64_t more) noexcept override;
    std::size_t most_item_bytes() const noexcept override { return session_->most_item_bytes(); }
    std::uint64_t window() const noexcept override { return session_->stream_window(); }
    inline void fail(stream_key which, const error& why) noexcept override;

private:
    // Work that belongs to the connection and keeps it alive while it is queued.
    struct flush_work final : work {
        explicit flush_work(connection& whose) : owner{whose} {}
        void run(bool accepted) noexcept override {
            auto keep = intrusive_ptr<connection>::adopt(&owner);
            owner.flush(accepted);
        }
        connection& owner;
    };
    struct more_work final : work {
        explicit more_work(connection& whose) : owner{whose} {}
        void run(bool accepted) noexcept override {
            auto keep = intrusive_ptr<connection>::adopt(&owner);
            if (accepted && !owner.closed_) owner.parse();
        }
        connection& owner;
    };
    struct alarm final : timer {
        explicit alarm(connection& whose) : owner{whose} {}
        void fire(bool due) noexcept override {
            auto keep = intrusive_ptr<connection>::adopt(&owner);
            owner.ring(due);
        }
        connection& owner;
    };
    template <class F, bool Always>
    struct once final : work, recycled {
        explicit once(F what) : f{std::move(what)} {}
        void run(bool accepted) noexcept override {
            const std::unique_ptr<once> self{this};
            if (accepted || Always) f();
        }
        F f;
    };

    // Never inside the caller: what it ends may be what the caller stands on.
    template <bool Always = false, class F>
    void on_executor(F f) noexcept {
        schedule(where(), *new once<F, Always>{std::move(f)});
    }

    inline void on_read(std::error_code code, std::size_t count) noexcept override;
    inline void on_written(std::error_code code, std::size_t count) noexcept override;
    void read() noexcept;
    void parse() noexcept;
    void handle(std::span<event> events) noexcept;
    void handle(event& it) noexcept;
    [[gnu::cold]] inline void handle_closed(event& it, connection_owner& owner) noexcept;
    [[gnu::cold]] inline void refused(intrusive_ptr<call> which, error why) noexcept;
    void cancel_here(call& which) noexcept;
    void tell_load(std::uint64_t id) noexcept;
    void ask_load() noexcept;
    void flush(bool accepted) noexcept;
    void write(bool try_first) noexcept;
    void ring(bool due) noexcept;
    void offer_room() noexcept;
    void wants_room(stream_port& streams) noexcept;
    void rest() noexcept;
    void set_alarm() noexcept;
    enum class ending : bool { cut, linger };
    void lose(const error& why, ending how = ending::cut) noexcept;
    void arm(time_point due) noexcept;
    void disarm() noexcept;
    void linger() noexcept;
    void stop_lingering() noexcept;
    void publish_stats() noexcept {
        const auto current = session_->stats();
        const std::lock_guard lock{stats_mutex_};
        stats_ = current;
    }

    static constexpr std::size_t first_read = 256;
    static constexpr std::size_t largest_read = 256u << 10;
    static constexpr duration linger_time = std::chrono::seconds{1};

    io_place place_;
    std::unique_ptr<byte_stream> stream_;
    std::unique_ptr<any_session> session_;
    intrusive_ptr<connection_owner> owner_;
    byte_buffer input_;
    std::size_t read_size_ = first_read;
    std::size_t offered_ = 0;  // Of the read that is under way.
    time_point now_{};
    time_point armed_for_ = no_deadline;
    bool reading_ = false;
    bool writing_ = false;
    bool flush_queued_ = false;
    std::atomic<bool> starved_{false};
    std::atomic<std::size_t> inbox_{0};
    bool closed_ = false;
    bool lingering_ = false;
    flush_work flush_;
    more_work more_;
    alarm alarm_;
    std::vector<intrusive_ptr<stream_port>> want_room_;  // Streams with items that wait for the socket.
    mutable std::mutex stats_mutex_;
    session_stats stats_;
};

inline void connection::start(intrusive_ptr<call> which) noexcept {
    const bool last = inbox_.fetch_sub(1, std::memory_order_relaxed) == 1;
    if (!starved_ || closed_ || !session_->is_open()) return begin(std::move(which));
    // Calls that were made before it wait for room, which is looked for again when all have arrived.
    if (last) need_flush();
    if (which->over()) return;
    owner_->park(*this, std::move(which));
}

inline void connection::begin(intrusive_ptr<call> which) noexcept {
    if (which->over()) return;
    if (which->cancel_requested.load())
        return which->router().failed(std::move(which), error{errc::cancelled, "the caller cancelled the call", executed::no});
    if (closed_) return refused(std::move(which), errc::unavailable);
    if (!flush_queued_) now_ = where().now();
    try {
        if (auto started = session_->start(which, now_); !started) [[unlikely]]
            return refused(std::move(which), std::move(started).error());
    } catch (const std::bad_alloc&) {
        return refused(std::move(which), error{errc::resource_exhausted, "out of memory", executed::no});
    }
    need_flush();
}

void connection::refused(intrusive_ptr<call> which, error why) noexcept {
    auto& router = which->router();
    if (closed_ || !session_->is_open())
        return router.failed(std::move(which), error{errc::unavailable, "the connection is closing", executed::no});
    if (session_->may_start(which->request)) return router.failed(std::move(which), std::move(why));
    starved_.store(true, std::memory_order_relaxed);
    owner_->park(*this, std::move(which));
}

inline void connection::cancel_here(call& which) noexcept {
    if (!which.router().is_at(which, *this)) return which.router().cancel(which);  // It moved on meanwhile.
    if (which.over() || closed_ || which.id == 0) return;
    auto taken = session_->cancel(which.id, where().now());
    if (!taken.call) return;
    auto& router = taken.call->router();
    router.failed(std::move(taken.call), error{errc::cancelled, "the caller cancelled the call", taken.ran});
    need_flush();
}

inline void connection::need_flush() noexcept {
    if (closed_) return;
    if (!std::exchange(flush_queued_, true)) {
        add_ref();
        if (auto* scope = this_thread().scope; scope && scope->inside(where())) {
            scope->push_last(flush_);
        } else {
            schedule(where(), flush_);
        }
    }
    if (!writing_ && session_->wants_flush()) write(false);
}

inline void connection::flush(bool accepted) noexcept {
    flush_queued_ = false;
    if (closed_) return;
    if (!accepted) return lose(error{errc::connection_lost, "the executor of the connection has ended"});
    if (!writing_) write(true);
    if (closed_) return;
    if (session_->is_draining() && session_->drained() && !writing_)
        return lose(error{errc::unavailable, "the connection was drained", executed::no}, ending::linger);
    if (!session_->is_open() && session_->drained() && !writing_)
        return lose(error{errc::unavailable, "the peer said goodbye", executed::no});
    if (starved_ && session_->is_open()) {
        starved_ = false;
        if (owner_->room(*this)) starved_ = true;
    }
    if (!want_room_.empty()) offer_room();
    set_alarm();
    if (session_->rest(now_)) rest();
    read();
    publish_stats();
}

// A buffer that is being read into has to wait for the next time.
inline void connection::rest() noexcept {
    if (reading_ || !input_.empty()) return;
    input_.reset();
    read_size_ = first_read;
}

inline void connection::write(bool try_first) noexcept {
    auto pieces = session_->to_send();
    if (pieces.empty()) return;
    try {
        if (try_first) {
            std::error_code code;
            const auto count = stream_->try_write(pieces, code);
            if (count > 0) session_->sent(count, now_);
            if (code && code != asio::error::would_block && code != asio::error::try_again)
                return lose(error{errc::connection_lost, "writing failed: " + code.message()});
            pieces = session_->to_send();
            if (pieces.empty()) return;
        }
        writing_ = true;
        stream_->write_some(pieces, *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        writing_ = false;
        close(error{errc::resource_exhausted, "out of memory while writing"});
    }
}

inline void connection::on_written(std::error_code code, std::size_t count) noexcept {
    running_scope scope{where()};
    writing_ = false;
    if (lingering_) stream_->shutdown_write();
    if (closed_) return;
    now_ = where().now();
    if (code) return lose(error{errc::connection_lost, "writing failed: " + code.message()});
    session_->sent(count, now_);
    need_flush();
}

inline void connection::read() noexcept {
    if (reading_ || closed_ || !session_->reading_allowed() || session_->has_more()) return;
    try {
        const auto room = std::max(session_->wanted(), read_size_ - std::min(read_size_ - 1, input_.size()));
        auto into = input_.prepare(room);
        into = into.first(std::min(into.size(), largest_read));
        offered_ = into.size();
        reading_ = true;
        stream_->read_some(into, *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        lose(error{errc::resource_exhausted, "out of memory for the receive buffer"});
    }
}

inline void connection::on_read(std::error_code code, std::size_t count) noexcept {
    running_scope scope{where()};
    reading_ = false;
    if (closed_) return lingering_ && !code ? linger() : stop_lingering();
    if (code) {
        return lose(error{errc::connection_lost,
                          code == asio::error::eof ? "the peer closed the connection" : "reading failed: " + code.message()});
    }
    input_.commit(count);
    if (count >= offered_) read_size_ = std::min(read_size_ * 4, largest_read);
    parse();
}

inline void connection::parse() noexcept {
    now_ = where().now();
    need_flush();  // First, so that it is known that this batch has a time.
    try {
        handle(session_->receive(input_, now_));
    } catch (const std::bad_alloc&) {
        return lose(error{errc::resource_exhausted, "out of memory while reading"});
    }
    if (closed_) return;
    if (input_.empty() && input_.capacity() > largest_read) input_.reset();
    if (session_->has_more()) {
        add_ref();
        if (!where().post(more_)) release();
    }
    need_flush();
}

// What is completed runs before the next event is looked at: so a value is used while it is warm, and its memory is free
// again for the next. It may also end this connection.
inline void connection::handle(std::span<event> events) noexcept {
    const auto owner = owner_;
    auto* const scope = this_thread().scope;
    const bool drains = scope && scope->inside(where());
    for (auto& it : events) {
        if (closed_) {
            handle_closed(it, *owner);
        } else {
            handle(it);
        }
        if (drains && (it.what == event::kind::reply || it.what == event::kind::failed)) scope->drain_between();
    }
}

inline void connection::handle(event& it) noexcept {
    switch (it.what) {
        case event::kind::request: owner_->requested(*this, it); break;
        case event::kind::reply:
            owner_->replied(*this, std::move(it.call), response{.body = it.body, .headers = it.headers});
            break;
        case event::kind::failed: {
            auto& router = it.call->router();
            router.failed(std::move(it.call), std::move(it.why));
            break;
        }
        case event::kind::ready: owner_->ready(*this); break;
        case event::kind::bound: owner_->bound(*this, it); break;
        case event::kind::cancelled: owner_->cancelled(*this, it.id, session_->tag(it.id)); break;
        // A stream refers back to this connection: the event lets go of it.
        case event::kind::accepted: {
            const auto port = std::move(it.streams);
            port->taken = true;
            port->accepted(*this, {it.id, true});
            break;
        }
        case event::kind::item: std::exchange(it.streams, nullptr)->item(it.body); break;
        case event::kind::items_end: std::exchange(it.streams, nullptr)->items_ended(); break;
        case event::kind::credit: std::exchange(it.streams, nullptr)->may_send(); break;
        case event::kind::load_query: tell_load(it.id); break;
        case event::kind::load: owner_->load_told(*this, it.id, it.load); break;
        case event::kind::goodbye:
        case event::kind::draining: owner_->leaving(*this, it.why); break;
        case event::kind::broken: {
            const auto why = it.why;
            write(true);
            lose(why, ending::linger);
            break;
        }
    }
}

// The connection was closed by what an event before this one completed. Its owner has heard of the end already.
void connection::handle_closed(event& it, connection_owner& owner) noexcept {
    it.streams = nullptr;
    if (it.what == event::kind::cancelled) return owner.cancelled(*this, it.id, session_->tag(it.id));
    if (!it.call) return;
    auto& router = it.call->router();
    if (it.what == event::kind::reply) it.why = error{errc::connection_lost, "the connection was closed before the reply was looked at", executed::yes};
    router.failed(std::move(it.call), std::move(it.why));
}

inline void connection::tell_load(std::uint64_t id) noexcept {
    const auto load = owner_->load();
    if (!load) return;
    try {
        session_->tell_load(id, *load);
    } catch (const std::bad_alloc&) {  // Then it is not told.
    }
}

inline void connection::ask_load() noexcept {
    if (closed_ || !session_->is_open()) return;
    try {
        static_cast<void>(session_->ask_load());
    } catch (const std::bad_alloc&) {
        return;
    }
    need_flush();
}

inline std::optional<std::uint64_t> connection::accept(std::uint64_t id, stream_port& streams, bool receives) noexcept {
    if (closed_) return std::nullopt;
    need_flush();
    try {
        return session_->accept(id, intrusive_ptr<stream_port>{&streams}, receives, where().now());
    } catch (const std::bad_alloc&) {
        return std::nullopt;
    }
}

inline item_fate connection::send_item(stream_key which, stream_port& streams, bytes_view body) noexcept {
    if (closed_) return item_fate::gone;
    try {
        const auto fate = session_->send_item(which, body);
        if (fate == item_fate::sent) need_flush();
        if (fate == item_fate::no_room) wants_room(streams);
        return fate;
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while an item was written"});
        return item_fate::gone;
    }
}

inline std::int64_t connection::credit(stream_key which, stream_port& streams) noexcept {
    if (closed_) return 0;
    if (session_->has_room_for_items()) return session_->credit(which);
    wants_room(streams);
    return 0;
}

inline void connection::wants_room(stream_port& streams) noexcept {
    if (std::exchange(streams.waits_for_room, true)) return;
    try {
        want_room_.emplace_back(&streams);
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while streams wait"});
    }
}

inline void connection::end_items(std::uint64_t id) noexcept {
    if (closed_) return;
    try {
        session_->end_items(id);
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while the end of a stream was written"});
    }
    need_flush();
}

inline void connection::grant(stream_key which, std::uint64_t more) noexcept {
    if (closed_) return;
    try {
        session_->grant(which, more, where().now());
    } catch (const std::bad_alloc&) {
        close(error{errc::resource_exhausted, "out of memory while credit was written"});
    }
    need_flush();
}

inline void connection::fail(stream_key which, const error& why) noexcept {
    if (closed_) return;
    auto taken = session_->cancel(which.id, where().now());
    if (!taken.call) return;
    auto& router = taken.call->router();
    router.failed(std::move(taken.call), why.with_executed(taken.ran));
    need_flush();
}

// First come, first served, as long as there is room: who takes it all stands behind the others afterwards.
inline void connection::offer_room() noexcept {
    auto waiting = std::exchange(want_room_, {});
    std::size_t served = 0;
    while (served < waiting.size() && !closed_ && session_->has_room_for_items()) {
        auto& each = *waiting[served++];
        each.waits_for_room = false;
        each.may_send();
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(served));
    for (auto& each : want_room_) waiting.push_back(std::move(each));
    want_room_ = closed_ ? std::vector<intrusive_ptr<stream_port>>{} : std::move(waiting);
}

inline void connection::ring(bool due) noexcept {
    armed_for_ = no_deadline;
    if (closed_) return stop_lingering();
    if (!due) return lose(error{errc::connection_lost, "the executor of the connection has ended"});
    now_ = where().now();
    try {
        handle(session_->advance(now_));
    } catch (const std::bad_alloc&) {
        return lose(error{errc::resource_exhausted, "out of memory"});
    }
    need_flush();
}

inline void connection::set_alarm() noexcept {
    if (const auto due = session_->next_wakeup(); due && *due < armed_for_) arm(*due);
}

inline void connection::arm(time_point due) noexcept {
    if (armed_for_ == no_deadline) add_ref();
    armed_for_ = due;
    where().arm(alarm_, due);
}

inline void connection::disarm() noexcept {
    if (armed_for_ == no_deadline || !where().disarm(alarm_)) return;
    armed_for_ = no_deadline;
    release();
}

// Closing while bytes wait to be read makes the system reset the connection, and the peer may then lose what
// was written last: the goodbye, the last replies. So what still comes is read, for a while, and dropped.
inline void connection::linger() noexcept {
    if (reading_) return;
    try {
        input_.clear();
        reading_ = true;
        stream_->read_some(input_.prepare(first_read).first(first_read), *this, intrusive_ptr<ref_counted>{this});
    } catch (...) {
        reading_ = false;
        stop_lingering();
    }
}

inline void connection::stop_lingering() noexcept {
    if (!std::exchange(lingering_, false)) return;
    stream_->close();
    disarm();
}

inline void connection::lose(const error& why, ending how) noexcept {
    if (std::exchange(closed_, true)) return;
    disarm();
    if (how == ending::linger) {
        lingering_ = true;
        if (!writing_) stream_->shutdown_write();
        arm(where().now() + linger_time);
        linger();
    } else {
        stream_->close();
    }
    const auto owner = owner_;
    for (auto& it : session_->lose_connection(why)) {
        if (it.what == event::kind::failed) {
            auto& router = it.call->router();
            router.failed(std::move(it.call), std::move(it.why));
        } else if (it.what == event::kind::cancelled) {
            owner->cancelled(*this, it.id, session_->tag(it.id));
        }
    }
    want_room_.clear();
    publish_stats();
    owner->closed(*this, why);
    owner_ = nullptr;
}

}  // namespace futon::detail
