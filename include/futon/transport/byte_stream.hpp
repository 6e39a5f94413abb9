// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a connection reads from and writes to: a socket, or a stand-in for one in memory.

#include <futon/core/bytes.hpp>
#include <futon/core/intrusive_ptr.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <system_error>

namespace futon::detail {

/// Receives the ends of reads and writes, inside the stream's executor.
class stream_events {
public:
    virtual void on_read(std::error_code code, std::size_t count) noexcept = 0;
    virtual void on_written(std::error_code code, std::size_t count) noexcept = 0;
    /// The executor ended before a read or a write did. While its context is destroyed: run no user code.
    virtual void on_dropped() noexcept = 0;

protected:
    ~stream_events() = default;
};

/// An ordered, reliable stream of bytes in both directions.
///
/// Thread-safety: only inside its executor. At most one read and one write are under way at a time.
/// Lifetime: `keep` is held until the operation's event was delivered.
class byte_stream {
public:
    virtual ~byte_stream() = default;

    /// Reads at least one byte; an end of the stream is an error.
    virtual void read_some(std::span<std::byte> into, stream_events& events, intrusive_ptr<ref_counted> keep) = 0;
    /// Writes a first part of `pieces`, which must stay valid until then.
    virtual void write_some(std::span<const bytes_view> pieces, stream_events& events,
                            intrusive_ptr<ref_counted> keep) = 0;
    /// Writes what can be taken at once; zero with `would_block` if nothing. Not while a write is under way.
    [[nodiscard]] virtual std::size_t try_write(std::span<const bytes_view> pieces, std::error_code& code) noexcept = 0;
    /// Tells the peer that nothing more will be written; reading goes on. Nothing where a stream cannot.
    virtual void shutdown_write() noexcept {}
    /// Ends both directions; operations under way end with an error. May be repeated.
    virtual void close() noexcept = 0;
    /// The other side, e.g. "tcp://10.0.0.1:4711"; for messages and for handlers that ask.
    [[nodiscard]] virtual const std::string& peer() const noexcept = 0;
};

}  // namespace futon::detail
