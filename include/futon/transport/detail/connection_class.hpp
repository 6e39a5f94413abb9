// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The class of a connection. What its functions do stands beside this, by concern; include transport/connection.hpp.

#include <futon/core/executor.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/message/call.hpp>
#include <futon/session/any_session.hpp>
#include <futon/transport/byte_stream.hpp>
#include <futon/transport/connection_owner.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
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
          end_{*this},
          alarm_{*this} {}

    /// Where its executor ended without running it, e.g. with a lent `io_context`: no call is left behind.
    ~connection() override {
        if (closed_) return;
        for (auto& it :
             session_->lose_connection(error{errc::connection_lost, "the executor of the connection has ended"}))
            if (it.call) it.call->fail(std::move(it.why));
    }

    /// Something that is held until its socket is closed, which may be a while after it ended. Before it is opened.
    void hold(intrusive_ptr<ref_counted> what) noexcept { held_ = std::move(what); }

    /// Begins to read and to write. Inside its executor.
    void open() noexcept {
        now_ = where().now();
        need_flush();
        read();
    }

    void submit(intrusive_ptr<call> which) noexcept {
        // Not past those that come from other threads.
        if (inside(where()) && !has_inbox()) return begin(std::move(which));
        submitted_.fetch_add(1, std::memory_order_relaxed);
        auto* queued = which.detach();
        if (!where().post(*queued)) queued->run(false);
    }
    /// Cancels a call that this connection has. Without memory for that the call goes on.
    void cancel(intrusive_ptr<call> which) noexcept {
        on_executor([self = intrusive_ptr<connection>{this}, which = std::move(which)] { self->cancel_here(*which); });
    }
    /// Ends at once: calls fail with `why`, or are given back to be tried elsewhere.
    void close(error why) noexcept {
        {
            const std::lock_guard lock{outer_mutex_};
            if (end_why_) return;
            end_why_ = std::move(why);
        }
        add_ref();
        schedule(where(), end_);
    }
    /// Ends one whose executor has ended.
    void on_dropped() noexcept override {
        lose(error{errc::connection_lost, "the executor of the connection has ended"});
    }
    /// Says goodbye, and ends when the calls in flight are done.
    void drain(error why) noexcept {
        const bool asked = on_executor([self = intrusive_ptr<connection>{this}, why] {
            if (self->closed_) return;
            try {
                self->session_->begin_drain(why, self->where().now());
            } catch (const std::bad_alloc&) {
                return self->lose(why);
            }
            self->need_flush();
        });
        if (!asked) close(std::move(why));
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
    [[nodiscard]] bool has_inbox() const noexcept {
        return submitted_.load(std::memory_order_relaxed) != arrived_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] executor& where() const noexcept override { return *place_.where; }
    [[nodiscard]] const io_place& place() const noexcept { return place_; }
    [[nodiscard]] const std::string& peer() const noexcept override { return stream_->peer(); }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    /// Neither side has said goodbye. Inside its executor.
    [[nodiscard]] bool is_serving() const noexcept {
        return !closed_ && session_->is_open() && !session_->is_draining();
    }
    /// The peer takes no more calls now, and some wait for it. Thread-safety: safe.
    [[nodiscard]] bool is_starved() const noexcept { return starved_.load(std::memory_order_relaxed); }
    /// The time of the current batch; the clock is read once for it.
    [[nodiscard]] time_point batch_time() const noexcept { return now_; }

    /// Bytes are on their way to the socket, and what is made now waits behind them. Inside its executor.
    [[nodiscard]] bool is_writing() const noexcept { return writing_; }
    /// The session, to answer calls with; follow with `need_flush()`. Null once closed.
    [[nodiscard]] any_session* session() noexcept { return closed_ ? nullptr : session_.get(); }
    /// A call that came in ended without the session: once closed, nothing else takes it out of what `cancelled` names.
    void forget(std::uint64_t id) noexcept { static_cast<void>(session_->track(id, nullptr)); }
    /// There was no memory for what the peer waits for: ends at the end of this turn, which needs none.
    void give_up() noexcept {
        out_of_memory_ = true;
        need_flush();
    }
    /// Writes at the end of this turn of the executor, or now if much has gathered.
    void need_flush() noexcept;
    /// As of the end of the last batch. Thread-safety: safe.
    [[nodiscard]] session_stats stats() const noexcept {
        const std::lock_guard lock{outer_mutex_};
        return stats_;
    }

    /// Asks the peer how busy it is; the owner's `load_told` comes. Thread-safety: safe.
    void ask_load() noexcept {
        on_executor([self = intrusive_ptr<connection>{this}] { self->ask_load_here(); });
    }
    /// Asks the peer for a sign of life unless it gave one after
    /// `since`; the owner's `alive` comes. Thread-safety: safe.
    void ask_alive(std::uint64_t token, time_point since) noexcept {
        on_executor([self = intrusive_ptr<connection>{this}, token, since] { self->ask_alive_here(token, since); });
    }

    // What streams do.
    [[nodiscard]] inline std::optional<std::uint64_t> accept(std::uint64_t id, stream_port& streams,
                                                             bool receives) noexcept override;
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
            owner.more_queued_ = false;
            if (accepted && !owner.closed_ && owner.session_->reading_allowed()) owner.parse();
        }
        connection& owner;
    };
    // Made beforehand, and also run where the executor has ended: then nothing else runs there.
    struct end_work final : work {
        explicit end_work(connection& whose) : owner{whose} {}
        void run(bool) noexcept override {
            const auto keep = intrusive_ptr<connection>::adopt(&owner);
            owner.lose(owner.why_it_ends());
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
    template <class F>
    struct once final : work, recycled {
        explicit once(F what) : f{std::move(what)} {}
        void run(bool accepted) noexcept override {
            if (accepted) f();
            delete this;
        }
        F f;
    };

    // Never inside the caller: what it ends may be what the caller stands on. False: there is no memory.
    template <class F>
    bool on_executor(F f) noexcept {
        try {
            schedule(where(), *new once<F>{std::move(f)});
            return true;
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    [[nodiscard]] error why_it_ends() const noexcept {
        const std::lock_guard lock{outer_mutex_};
        return *end_why_;
    }

    inline void on_read(std::error_code code, std::size_t count) noexcept override;
    inline void on_written(std::error_code code, std::size_t count) noexcept override;
    void read() noexcept;
    [[nodiscard]] std::span<std::byte> room_to_read();
    [[nodiscard]] bool in_large_frame() const noexcept;
    void parse() noexcept;
    void parse_more() noexcept;
    void handle(std::span<event> events) noexcept;
    void handle(event& it) noexcept;
    [[gnu::cold]] void handle_closed(event& it, connection_owner& owner) noexcept;
    [[gnu::cold]] void refused(intrusive_ptr<call> which, error why) noexcept;
    void cancel_here(call& which) noexcept;
    void tell_load(std::uint64_t id) noexcept;
    void ask_load_here() noexcept;
    void ask_alive_here(std::uint64_t token, time_point since) noexcept;
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
    void write_the_rest(std::size_t just_written) noexcept;
    void publish_stats() noexcept {
        const auto current = session_->stats();
        const std::lock_guard lock{outer_mutex_};
        stats_ = current;
    }

    static constexpr std::size_t first_read = 256;  // All that an idle connection needs.
    static constexpr std::size_t dropped_read = 4096;
    static constexpr duration linger_time = std::chrono::seconds{1};

    io_place place_;
    std::unique_ptr<byte_stream> stream_;
    std::unique_ptr<any_session> session_;
    intrusive_ptr<connection_owner> owner_;
    intrusive_ptr<ref_counted> held_;
    byte_buffer input_;
    std::size_t read_size_ = first_read;
    std::size_t offered_ = 0;  // Of the read that is under way.
    time_point now_{};
    time_point armed_for_ = no_deadline;
    bool reading_ = false;
    bool writing_ = false;
    bool flush_queued_ = false;
    bool more_queued_ = false;
    bool handling_ = false;  // Events, whose memory the session must keep meanwhile.
    bool out_of_memory_ = false;
    std::atomic<bool> starved_{false};
    std::atomic<std::size_t> submitted_{0};  // To the inbox;
    std::atomic<std::size_t> arrived_{0};    // and out of it, counted inside the executor alone.
    bool closed_ = false;
    bool lingering_ = false;
    flush_work flush_;
    more_work more_;
    end_work end_;
    alarm alarm_;
    std::vector<intrusive_ptr<stream_port>> want_room_;  // Streams with items that wait for the socket.
    mutable std::mutex outer_mutex_;                     // Guards what follows, which other threads look at.
    session_stats stats_;
    std::optional<error> end_why_;
};

}  // namespace futon::detail
