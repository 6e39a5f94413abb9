// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Real sockets for the tests of `connector` and `acceptor`.

#include <futon/core/runtime.hpp>
#include <futon/transport/acceptor.hpp>
#include <futon/transport/connector.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace futon_tests {

using futon::detail::intrusive_ptr;

class temporary_folder {
public:
    temporary_folder() {
        char name[] = "/tmp/futon_test_XXXXXX";
        if (!::mkdtemp(name)) throw std::runtime_error{"no temporary folder"};
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() { static_cast<void>(std::system(("rm -rf '" + path_ + "'").c_str())); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// Listens, accepts nobody, and has no room for more, so that a further connection is never made.
class deaf_listener {
public:
    deaf_listener() {
        socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<::sockaddr*>(&address);
        if (::bind(socket_, any, size) != 0 || ::listen(socket_, 0) != 0 || ::getsockname(socket_, any, &size) != 0)
            throw std::runtime_error{"cannot listen"};
        port_ = ntohs(address.sin_port);
        for (auto& each : waiting_) {
            each = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            static_cast<void>(::connect(each, any, size));
        }
    }
    deaf_listener(const deaf_listener&) = delete;
    deaf_listener& operator=(const deaf_listener&) = delete;
    ~deaf_listener() {
        for (const int each : waiting_) ::close(each);
        ::close(socket_);
    }
    [[nodiscard]] futon::endpoint address() const { return {.host = "127.0.0.1", .port = port_}; }

private:
    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::array<int, 3> waiting_{};
};

class listening;

/// One I/O thread.
struct place {
    futon::runtime runtime{};
    futon::detail::io_place io = runtime.state()->next_place();

    futon::detail::connector::outcome connect(const futon::endpoint& to,
                                              futon::duration limit = std::chrono::seconds{30}) {
        std::promise<futon::detail::connector::outcome> done;
        static_cast<void>(futon::detail::connector::start(
            io, to, limit, [&](futon::detail::connector::outcome how) { done.set_value(std::move(how)); }));
        return done.get_future().get();
    }
    void close(const intrusive_ptr<futon::detail::acceptor>& which) {
        std::promise<void> done;
        asio::post(io.asio, [&] {
            which->close();
            done.set_value();
        });
        done.get_future().get();
    }
    futon::error cannot_listen(const futon::endpoint& at) {
        auto made = futon::detail::make_intrusive<futon::detail::acceptor>(io, [this] { return io; }, nullptr);
        const auto how = made->open(at);
        return how ? futon::error{futon::errc::internal, "it listens"} : how.error();
    }
    /// Connects, and sends some bytes through.
    bool speaks(listening& to, const futon::endpoint& address);
    /// A port on which nobody listens.
    futon::endpoint address_of_nobody();
};

/// An open acceptor that keeps what it accepts.
class listening {
public:
    listening(place& at, const futon::endpoint& address) : at_{at} {
        acceptor_ = futon::detail::make_intrusive<futon::detail::acceptor>(
            at.io, [&at] { return at.io; },
            [this](futon::detail::io_place, std::unique_ptr<futon::detail::byte_stream> stream) {
                const std::lock_guard lock{mutex_};
                accepted_.push_back(std::move(stream));
                changed_.notify_all();
            });
        acceptor_->open(address).value();
        acceptor_->start();
    }
    listening(const listening&) = delete;
    listening& operator=(const listening&) = delete;
    ~listening() { at_.close(acceptor_); }

    [[nodiscard]] const futon::endpoint& address() const noexcept { return acceptor_->address(); }
    std::unique_ptr<futon::detail::byte_stream> next() {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, std::chrono::seconds{60}, [this] { return !accepted_.empty(); })) return nullptr;
        auto first = std::move(accepted_.front());
        accepted_.erase(accepted_.begin());
        return first;
    }

private:
    place& at_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<futon::detail::byte_stream>> accepted_;
    intrusive_ptr<futon::detail::acceptor> acceptor_;
};

/// Waits for one read.
class one_read final : public futon::detail::stream_events {
public:
    void on_read(std::error_code code, std::size_t count) noexcept override {
        done.set_value(code ? std::string{} : std::string{reinterpret_cast<char*>(into.data()), count});
    }
    void on_written(std::error_code, std::size_t) noexcept override {}
    void on_dropped() noexcept override {}
    std::array<std::byte, 64> into{};
    std::promise<std::string> done;
};

inline bool place::speaks(listening& to, const futon::endpoint& address) {
    auto there = connect(address);
    if (!there) return false;
    auto here = to.next();
    if (!here) return false;
    for (auto* const way : {&*there, &here}) {
        auto& from = **way;
        auto& into = way == &here ? **there : *here;
        one_read read;
        asio::post(io.asio, [&] {
            into.read_some(read.into, read, nullptr);
            const std::string text = "hello";
            const futon::bytes_view piece = futon::as_bytes(text);
            std::error_code code;
            static_cast<void>(from.try_write({&piece, 1}, code));
        });
        if (read.done.get_future().get() != "hello") return false;
    }
    return true;
}

inline futon::endpoint place::address_of_nobody() {
    listening closed_soon{*this, {.host = "127.0.0.1"}};
    return closed_soon.address();
}

}  // namespace futon_tests
