// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Two byte streams joined in memory. One thing because every end of a read or a write turns on both directions.

#include <futon/core/asio.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/recycling.hpp>
#include <futon/testing/link_faults.hpp>
#include <futon/transport/byte_stream.hpp>

#include <asio/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace futon::detail {

/// End 0 and end 1, each on its own executor, which may be the same.
///
/// What was written before a cut is still read, as with a network that carried it. Every end of a read or a
/// write is posted, never delivered inside the function that began it.
/// Thread-safety: safe. Lifetime: shared with the streams.
class wire final : public ref_counted {
public:
    enum class news : std::uint8_t { carried, cut, over };
    /// Told of bytes that were written to end `to`, of a cut, and when both ends are closed. With the wire's lock held.
    using watcher = std::function<void(news, std::size_t to, std::size_t count)>;

    wire(executor_ref where_0, executor_ref where_1, std::uint64_t seed = 1, watcher told = {})
        : dice_{seed}, told_{std::move(told)} {
        ends_[0].where = std::move(where_0);
        ends_[1].where = std::move(where_1);
    }

    /// Each end once.
    [[nodiscard]] std::unique_ptr<byte_stream> stream_of(std::size_t which, std::string peer) {
        return std::make_unique<stream>(intrusive_ptr<wire>{this}, which, std::move(peer));
    }
    void set_faults(std::size_t to, const testing::link_faults& faults) {
        const std::lock_guard lock{mutex_};
        ends_[to].in.faults = faults;
        ends_[to].in.silent = faults.drop;
        move(to);
    }
    /// Breaks both directions now.
    void cut() {
        const std::lock_guard lock{mutex_};
        cut_locked();
    }
    [[nodiscard]] std::size_t taken(std::size_t to) const {
        const std::lock_guard lock{mutex_};
        return ends_[to].in.taken;
    }
    [[nodiscard]] bool is_closed() const {
        const std::lock_guard lock{mutex_};
        return ends_[0].closed && ends_[1].closed;
    }

private:
    // The end of a read or a write on its way to whoever began it.
    struct delivery final : work, recycled {
        delivery(stream_events& to, intrusive_ptr<ref_counted> kept, bool reads, std::error_code c, std::size_t n)
            : events{to}, keep{std::move(kept)}, is_read{reads}, code{c}, count{n} {}
        void run(bool accepted) noexcept override {
            const std::unique_ptr<delivery> self{this};
            if (!accepted) return events.on_dropped();
            is_read ? events.on_read(code, count) : events.on_written(code, count);
        }
        stream_events& events;
        intrusive_ptr<ref_counted> keep;
        bool is_read;
        std::error_code code;
        std::size_t count;
    };
    // Rings when the next bytes on the way arrive. Holds the wire while it is armed.
    struct arrival_alarm final : timer {
        void fire(bool due) noexcept override {
            const auto keep = intrusive_ptr<wire>::adopt(owner);
            const std::lock_guard lock{keep->mutex_};
            armed = false;
            keep->arrive(to, !due);
        }
        wire* owner = nullptr;
        std::size_t to = 0;
        bool armed = false;
    };

    struct part {
        time_point due;
        std::size_t count;
    };
    // The bytes that go to one end.
    struct pipe {
        byte_buffer bytes;
        std::size_t arrived = 0;  // Of these.
        std::deque<part> on_the_way;
        testing::link_faults faults;
        std::size_t taken = 0;
        bool silent = false;
        bool ended = false;   // Nothing more is written: the reader gets an end behind what is left.
        bool broken = false;  // The same, and as an error.
    };
    struct end {
        executor_ref where;
        pipe in;
        bool closed = false;
        stream_events* reader = nullptr;
        std::span<std::byte> into;
        intrusive_ptr<ref_counted> reader_keep;
        stream_events* writer = nullptr;
        std::span<const bytes_view> from;
        intrusive_ptr<ref_counted> writer_keep;
        arrival_alarm alarm;
    };

    void tell(news what, std::size_t to = 0, std::size_t count = 0) {
        if (told_) told_(what, to, count);
    }
    [[nodiscard]] double roll() { return std::uniform_real_distribution<double>{0.0, 1.0}(dice_); }

    void deliver(end& at, bool is_read, std::error_code code, std::size_t count) {
        auto* const events = std::exchange(is_read ? at.reader : at.writer, nullptr);
        if (!events) return;
        auto* const made =
            new delivery{*events, std::move(is_read ? at.reader_keep : at.writer_keep), is_read, code, count};
        if (!at.where->post(*made)) made->run(false);
    }

    void arrive(std::size_t to, bool at_once) {
        auto& in = ends_[to].in;
        const auto now = ends_[to].where->now();
        while (!in.on_the_way.empty() && (at_once || in.on_the_way.front().due <= now)) {
            in.arrived += in.on_the_way.front().count;
            in.on_the_way.pop_front();
        }
        await_arrival(to);
        move(to);
    }
    void await_arrival(std::size_t to) {
        auto& reader = ends_[to];
        if (reader.in.on_the_way.empty() || reader.closed || std::exchange(reader.alarm.armed, true)) return;
        reader.alarm.owner = this;
        reader.alarm.to = to;
        add_ref();
        reader.where->arm(reader.alarm, reader.in.on_the_way.front().due);
    }
    // Bytes were written, or, with none, an end.
    void send(std::size_t to, std::size_t count) {
        auto& in = ends_[to].in;
        const auto& faults = in.faults;
        const bool at_once = faults.delay <= duration{} && faults.jitter <= duration{} && in.on_the_way.empty();
        if (at_once) {
            in.arrived += count;
            return;
        }
        auto takes = faults.delay;
        if (faults.jitter > duration{})
            takes += duration{static_cast<duration::rep>(roll() * static_cast<double>(faults.jitter.count()))};
        auto due = deadline_after(ends_[1 - to].where->now(), takes);
        if (!in.on_the_way.empty()) due = std::max(due, in.on_the_way.back().due);
        in.on_the_way.push_back({due, count});
        await_arrival(to);
    }

    // Moves what can be moved to end `to`.
    void move(std::size_t to) {
        auto& reader = ends_[to];
        auto& writer = ends_[1 - to];
        for (;;) {
            if (writer.writer) {
                std::error_code code;
                const auto count = take(to, writer.from, code);
                if (count > 0 || (code && code != asio::error::would_block)) deliver(writer, false, code, count);
            }
            auto& in = reader.in;
            if (!reader.reader || in.silent) return;
            const auto count = std::min({reader.into.size(), in.arrived, in.faults.slice});
            if (count == 0) {
                if (!in.on_the_way.empty()) return;
                if (in.broken) return deliver(reader, true, asio::error::connection_reset, 0);
                if (in.ended) deliver(reader, true, asio::error::eof, 0);
                return;
            }
            std::memcpy(reader.into.data(), in.bytes.data(), count);
            in.bytes.consume(count);
            in.arrived -= count;
            deliver(reader, true, {}, count);
            // There is room again.
        }
    }
    std::size_t take(std::size_t to, std::span<const bytes_view> from, std::error_code& code) {
        auto& in = ends_[to].in;
        if (in.ended || in.broken || ends_[to].closed) {
            code = asio::error::broken_pipe;
            return 0;
        }
        const auto& faults = in.faults;
        const auto room = faults.most_buffered - std::min(faults.most_buffered, in.bytes.size());
        auto left = std::min({faults.slice, room, faults.cut_after_bytes - std::min(faults.cut_after_bytes, in.taken)});
        std::size_t count = 0;
        for (const auto& piece : from) {
            const auto some = piece.first(std::min(piece.size(), left));
            in.bytes.append(some);
            count += some.size();
            left -= some.size();
        }
        in.taken += count;
        if (count == 0) {
            code = asio::error::would_block;
        } else {
            if (faults.drop_chance > 0 && roll() < faults.drop_chance) in.silent = true;
            send(to, count);
            tell(news::carried, to, count);
        }
        if (in.taken >= faults.cut_after_bytes || (count > 0 && faults.cut_chance > 0 && roll() < faults.cut_chance))
            cut_locked();
        return count;
    }
    void cut_locked() {
        if (ends_[0].in.broken && ends_[1].in.broken) return;
        for (auto& each : ends_) each.in.broken = true;
        tell(news::cut);
        for (const std::size_t to : {std::size_t{0}, std::size_t{1}}) {
            deliver(ends_[to], false, asio::error::broken_pipe, 0);
            move(to);
        }
    }
    void end_of(std::size_t which) {
        auto& in = ends_[1 - which].in;
        if (!std::exchange(in.ended, true)) send(1 - which, 0);
        move(1 - which);
    }
    void close(std::size_t which) {
        auto& mine = ends_[which];
        if (std::exchange(mine.closed, true)) return;
        deliver(mine, true, asio::error::operation_aborted, 0);
        deliver(mine, false, asio::error::operation_aborted, 0);
        if (mine.alarm.armed && mine.where->disarm(mine.alarm)) {
            mine.alarm.armed = false;
            release();  // The stream holds another one.
        }
        end_of(which);
        deliver(ends_[1 - which], false, asio::error::broken_pipe, 0);
        if (ends_[1 - which].closed) {
            tell(news::over);
            told_ = nullptr;
        }
    }

    class stream final : public byte_stream {
    public:
        stream(intrusive_ptr<wire> shared, std::size_t which, std::string peer)
            : wire_{std::move(shared)}, which_{which}, peer_{std::move(peer)} {}
        ~stream() override { close(); }

        void read_some(std::span<std::byte> into, stream_events& events, intrusive_ptr<ref_counted> keep) override {
            const std::lock_guard lock{wire_->mutex_};
            auto& mine = wire_->ends_[which_];
            mine.reader = &events;
            mine.into = into;
            mine.reader_keep = std::move(keep);
            wire_->move(which_);
        }
        void write_some(std::span<const bytes_view> pieces, stream_events& events,
                        intrusive_ptr<ref_counted> keep) override {
            const std::lock_guard lock{wire_->mutex_};
            auto& mine = wire_->ends_[which_];
            mine.writer = &events;
            mine.from = pieces;
            mine.writer_keep = std::move(keep);
            wire_->move(1 - which_);
        }
        std::size_t try_write(std::span<const bytes_view> pieces, std::error_code& code) noexcept override {
            const std::lock_guard lock{wire_->mutex_};
            const auto count = wire_->take(1 - which_, pieces, code);
            wire_->move(1 - which_);
            return count;
        }
        void shutdown_write() noexcept override {
            const std::lock_guard lock{wire_->mutex_};
            wire_->end_of(which_);
        }
        void close() noexcept override {
            const std::lock_guard lock{wire_->mutex_};
            wire_->close(which_);
        }
        const std::string& peer() const noexcept override { return peer_; }

    private:
        intrusive_ptr<wire> wire_;
        std::size_t which_;
        std::string peer_;
    };

    mutable std::recursive_mutex mutex_;  // A refused delivery may end a connection, and with it a stream.
    end ends_[2];
    std::mt19937_64 dice_;
    watcher told_;
};

}  // namespace futon::detail
