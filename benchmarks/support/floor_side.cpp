// SPDX-License-Identifier: Apache-2.0
#include "floor.hpp"

#include "open_caller.hpp"
#include "side.hpp"

#include <asio/post.hpp>

#include <cstring>
#include <string>
#include <thread>
#include <utility>

namespace benchmark {
namespace {

class floor_caller final : public caller {
public:
    floor_caller(std::uint16_t port, const load& of) : floor_{port, of.connections, of.in_flight, of.body_bytes} {}
    [[nodiscard]] std::uint64_t done() const noexcept override { return floor_.done(); }

private:
    floor::caller floor_;
};

class floor_open_caller final : public open_caller {
public:
    floor_open_caller(std::uint16_t port, const load& of, arrival arrived)
        : body_(of.body_bytes, 'x'), arrived_{std::move(arrived)} {
        floor::tcp::socket socket{context_};
        socket.connect({asio::ip::address_v4::loopback(), port});
        link_ = std::make_shared<floor::link<receiver>>(std::move(socket), receiver{this});
        link_->read();
    }
    ~floor_open_caller() override {
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }
    void repeat(std::function<void()> turn) override {
        turn_ = std::move(turn);
        again();
        thread_ = std::thread{[this] { context_.run(); }};
    }
    void call(std::uint64_t number) override {
        std::memcpy(body_.data(), &number, sizeof number);
        link_->append(body_);
    }

private:
    struct receiver {
        floor_open_caller* owner;
        void operator()(floor::link<receiver>&, std::string_view body) const {
            std::uint64_t echoed = 0;
            std::memcpy(&echoed, body.data(), sizeof echoed);
            owner->arrived_(echoed);
        }
    };
    void again() {
        asio::post(context_, [this] {
            turn_();
            link_->flush();
            again();
        });
    }

    std::string body_;
    arrival arrived_;
    std::function<void()> turn_;
    asio::io_context context_{1};
    std::shared_ptr<floor::link<receiver>> link_;
    std::thread thread_;
};

}  // namespace

side floor_side() {
    return {"floor", [](const announcement& announce) { floor::serve(announce); },
            [](std::uint16_t port, const load& of) { return std::make_unique<floor_caller>(port, of); }};
}

std::unique_ptr<open_caller> open_floor(std::uint16_t port, const load& of, arrival arrived) {
    return std::make_unique<floor_open_caller>(port, of, std::move(arrived));
}

}  // namespace benchmark
