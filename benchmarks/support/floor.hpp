// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The floor: an echo of length-prefixed frames in raw Asio, with nothing of RPC in it.
///
/// As good as it gets with `async_read_some` and `async_write`: one growing receive buffer per connection, every
/// complete frame is parsed before more is read, one write per batch.

#include <futon/core/asio.hpp>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace benchmark::floor {

using asio::ip::tcp;

/// Bytes to send; never zero-filled.
class send_buffer {
public:
    [[nodiscard]] char* extend(std::size_t count) {
        if (size_ + count > capacity_) {
            capacity_ = std::max(size_ + count, 2 * capacity_);
            auto grown = std::make_unique_for_overwrite<char[]>(capacity_);
            if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
            bytes_ = std::move(grown);
        }
        return bytes_.get() + std::exchange(size_, size_ + count);
    }
    void clear() noexcept { size_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] asio::const_buffer bytes() const noexcept { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// One connection. `Received(link&, body)` is called for each frame.
template <class Received>
class link : public std::enable_shared_from_this<link<Received>> {
public:
    link(tcp::socket socket, Received received)
        : socket_{std::move(socket)}, received_{std::move(received)}, input_(std::size_t{64} << 10) {
        socket_.set_option(tcp::no_delay{true});
    }

    void append(std::string_view body) {
        const auto size = static_cast<std::uint32_t>(body.size());
        auto* const to = filling_.extend(sizeof size + body.size());
        std::memcpy(to, &size, sizeof size);
        std::memcpy(to + sizeof size, body.data(), body.size());
    }
    void flush() {
        if (writing_now_ || filling_.empty()) return;
        writing_now_ = true;
        std::swap(writing_, filling_);
        asio::async_write(socket_, writing_.bytes(),
                          [self = this->shared_from_this()](std::error_code code, std::size_t) {
                              self->writing_now_ = false;
                              self->writing_.clear();
                              if (!code) self->flush();
                          });
    }
    void read() {
        socket_.async_read_some(asio::buffer(input_.data() + end_, input_.size() - end_),
                                [self = this->shared_from_this()](std::error_code code, std::size_t count) {
                                    if (code) return;
                                    self->end_ += count;
                                    self->parse();
                                    self->flush();
                                    self->read();
                                });
    }

private:
    void parse() {
        std::size_t begin = 0;
        std::uint32_t size = 0;
        while (end_ - begin >= sizeof size) {
            std::memcpy(&size, input_.data() + begin, sizeof size);
            if (end_ - begin - sizeof size < size) break;
            received_(*this, std::string_view{input_.data() + begin + sizeof size, size});
            begin += sizeof size + size;
            size = 0;
        }
        if (begin > 0) std::memmove(input_.data(), input_.data() + begin, end_ - begin);
        end_ -= begin;
        if (size + sizeof size > input_.size()) input_.resize(size + sizeof size);
    }

    tcp::socket socket_;
    Received received_;
    std::vector<char> input_;
    std::size_t end_ = 0;
    send_buffer filling_;
    send_buffer writing_;
    bool writing_now_ = false;
};

/// Listens on a free port of 127.0.0.1, tells it, and echoes until the process is killed.
template <class Announce>
void serve(Announce&& announce) {
    asio::io_context context{1};
    tcp::acceptor acceptor{context, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    struct echo {
        void operator()(link<echo>& from, std::string_view body) const { from.append(body); }
    };
    struct accept_next {
        tcp::acceptor& from;
        void operator()(std::error_code code, tcp::socket accepted) {
            if (code) return;
            std::make_shared<link<echo>>(std::move(accepted), echo{})->read();
            from.async_accept(*this);
        }
    };
    acceptor.async_accept(accept_next{acceptor});
    announce(acceptor.local_endpoint().port());
    context.run();
}

/// Keeps `in_flight` frames under way on each of `connections`, from one I/O thread, until the process ends.
class caller {
public:
    caller(std::uint16_t port, std::size_t connections, std::size_t in_flight, std::size_t body_bytes)
        : body_(body_bytes, 'x') {
        for (std::size_t i = 0; i < connections; ++i) {
            tcp::socket socket{context_};
            socket.connect({asio::ip::address_v4::loopback(), port});
            auto made = std::make_shared<link<again>>(std::move(socket), again{this});
            for (std::size_t k = 0; k < in_flight; ++k) made->append(body_);
            made->flush();
            made->read();
        }
        thread_ = std::thread{[this] { context_.run(); }};
    }
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;
    ~caller() {
        context_.stop();
        thread_.join();
    }

    [[nodiscard]] std::uint64_t done() const noexcept { return done_.load(std::memory_order_relaxed); }

private:
    struct again {
        caller* owner;
        void operator()(link<again>& from, std::string_view body) const {
            if (body.size() != owner->body_.size()) std::abort();
            owner->done_.store(owner->done_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            from.append(owner->body_);
        }
    };

    std::string body_;
    std::atomic<std::uint64_t> done_{0};
    asio::io_context context_{1};
    std::thread thread_;
};

}  // namespace benchmark::floor
