// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A TCP or Unix socket as a byte stream.

#include <futon/core/asio.hpp>
#include <futon/core/recycling.hpp>
#include <futon/transport/byte_stream.hpp>
#include <futon/transport/close_on_exec.hpp>

#include <asio/buffer.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace futon::detail {

/// Pieces as Asio wants them; at most as many as one system call takes. Copies are cheap enough to pass by value.
class gather_buffers {
public:
    using value_type = asio::const_buffer;
    using const_iterator = const asio::const_buffer*;

    explicit gather_buffers(std::span<const bytes_view> pieces) noexcept
        : count_{std::min(pieces.size(), buffers_.size())} {
        for (std::size_t i = 0; i < count_; ++i) buffers_[i] = asio::const_buffer{pieces[i].data(), pieces[i].size()};
    }
    [[nodiscard]] const_iterator begin() const noexcept { return buffers_.data(); }
    [[nodiscard]] const_iterator end() const noexcept { return buffers_.data() + count_; }

private:
    std::array<asio::const_buffer, 16> buffers_;
    std::size_t count_;
};

/// Tells the end of a read or a write; where that never comes, that.
template <void (stream_events::*End)(std::error_code, std::size_t) noexcept>
class stream_handler {
public:
    // Asio would use the block of a larger operation again, such
    // as of the one that accepted; but a read waits for long.
    using allocator_type = block_allocator<void>;

    stream_handler(stream_events& events, intrusive_ptr<ref_counted> keep) noexcept
        : events_{&events}, keep_{std::move(keep)} {}
    stream_handler(stream_handler&& other) noexcept
        : events_{std::exchange(other.events_, nullptr)}, keep_{std::move(other.keep_)} {}
    stream_handler& operator=(stream_handler&&) = delete;
    ~stream_handler() {
        if (events_) events_->on_dropped();
    }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }
    void operator()(const std::error_code& code, std::size_t count) {
        (std::exchange(events_, nullptr)->*End)(code, count);
    }

private:
    stream_events* events_;
    intrusive_ptr<ref_counted> keep_;
};

class socket_stream final : public byte_stream {
public:
    using socket = asio::generic::stream_protocol::socket;

    socket_stream(socket connected, std::string peer) : socket_{std::move(connected)}, peer_{std::move(peer)} {
        std::error_code ignored;
        socket_.non_blocking(true, ignored);
    }

    void read_some(std::span<std::byte> into, stream_events& events, intrusive_ptr<ref_counted> keep) override {
        socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                stream_handler<&stream_events::on_read>{events, std::move(keep)});
    }
    void write_some(std::span<const bytes_view> pieces, stream_events& events,
                    intrusive_ptr<ref_counted> keep) override {
        socket_.async_write_some(gather_buffers{pieces},
                                 stream_handler<&stream_events::on_written>{events, std::move(keep)});
    }
    std::size_t try_write(std::span<const bytes_view> pieces, std::error_code& code) noexcept override {
        // Cheaper in the kernel than a list of one.
        if (pieces.size() == 1) return socket_.write_some(asio::const_buffer{pieces[0].data(), pieces[0].size()}, code);
        return socket_.write_some(gather_buffers{pieces}, code);
    }
    void shutdown_write() noexcept override {
        std::error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }
    void close() noexcept override {
        std::error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_both, ignored);
        socket_.close(ignored);
    }
    const std::string& peer() const noexcept override { return peer_; }

private:
    socket socket_;
    std::string peer_;
};

/// "tcp://1.2.3.4:5", "tcp://[::1]:5" or "unix:///path".
[[nodiscard]] inline std::string address_text(const asio::generic::stream_protocol::endpoint& address) {
    if (address.protocol().family() == AF_UNIX) {
        asio::local::stream_protocol::endpoint local;
        if (address.size() > local.capacity()) return "unix://";
        std::memcpy(local.data(), address.data(), address.size());
        local.resize(address.size());
        return "unix://" + local.path();
    }
    asio::ip::tcp::endpoint tcp;
    if (address.size() > tcp.capacity()) return "tcp://";
    std::memcpy(tcp.data(), address.data(), address.size());
    tcp.resize(address.size());
    const auto host = tcp.address().to_string();
    return "tcp://" + (tcp.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(tcp.port());
}

/// Sends small frames at once: coalescing is done above, where it costs no delay. No-op for Unix sockets. Other programs
/// do not inherit it.
inline void tune(asio::generic::stream_protocol::socket& connected) noexcept {
    close_on_exec(connected);
    std::error_code ignored;
    connected.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

}  // namespace futon::detail
