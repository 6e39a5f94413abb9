// SPDX-License-Identifier: Apache-2.0
#include <futon/transport/connection.hpp>

#include "transport/support/connected.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

using direction = futon::testing::loopback::direction;
using futon::testing::link_faults;

futon::error error_of(placed_call& made) {
    REQUIRE(made.outcome.is_ready());
    auto got = std::move(made.outcome).get_result();
    return got ? futon::error{futon::errc::internal, "it succeeded"} : got.error();
}

TEST_CASE("connection: calls are answered, in pieces of any size") {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, link_faults::never}) {
        CAPTURE(piece);
        connected both;
        both.wire.set_faults(direction::to_right, {.slice = piece});
        both.wire.set_faults(direction::to_left, {.slice = piece, .most_buffered = 16});
        std::vector<placed_call> calls;
        for (int i = 0; i < 50; ++i) calls.push_back(both.call("call " + std::to_string(i)));
        both.settle();
        for (int i = 0; i < 50; ++i)
            CHECK(std::move(calls[static_cast<std::size_t>(i)].outcome).get() == "call " + std::to_string(i));
        CHECK(both.left->stats().late_replies == 0);
    }
}

TEST_CASE("connection: what one turn makes leaves together") {
    connected both;
    both.settle();
    const auto before = both.wire.taken(direction::to_right);
    std::vector<placed_call> calls;
    {
        const futon::detail::running_scope turn{*both.place.ref()};
        for (int i = 0; i < 10; ++i) calls.push_back(both.call("x"));
        CHECK(both.wire.taken(direction::to_right) == before);
    }
    CHECK(both.wire.taken(direction::to_right) > before);
    CHECK(both.at_right->ran.empty());
    both.settle();
    CHECK(both.at_right->ran["x"] == 10);
}

TEST_CASE("connection: cut after any number of bytes, each call ends once and tells the truth") {
    std::size_t all = 0;
    {
        connected both;
        for (int i = 0; i < 5; ++i) static_cast<void>(both.call("call " + std::to_string(i)));
        both.settle();
        all = both.wire.taken(direction::to_right);
        REQUIRE(all > 100);
    }
    for (const auto which : {direction::to_right, direction::to_left}) {
        for (std::size_t bytes = 0; bytes <= all; ++bytes) {
            CAPTURE(bytes);
            connected both;
            both.wire.set_faults(which, {.slice = 40, .cut_after_bytes = bytes});
            std::vector<placed_call> calls;
            for (int i = 0; i < 5; ++i) calls.push_back(both.call("call " + std::to_string(i)));
            both.settle();
            const bool cut = both.wire.taken(which) >= bytes;
            for (int i = 0; i < 5; ++i) {
                const auto text = "call " + std::to_string(i);
                REQUIRE(calls[static_cast<std::size_t>(i)].outcome.is_ready());
                auto got = std::move(calls[static_cast<std::size_t>(i)].outcome).get_result();
                const auto ran = both.at_right->ran.contains(text) ? both.at_right->ran[text] : 0;
                CHECK(ran <= 1);
                if (got) {
                    CHECK(ran == 1);
                    continue;
                }
                CHECK(cut);
                CHECK(got.error() == futon::errc::connection_lost);
                if (got.error().ran() == futon::executed::no) CHECK(ran == 0);
            }
            CHECK(both.at_left->ends == (cut ? 1 : 0));
            CHECK(both.at_right->ends == (cut ? 1 : 0));
        }
    }
}

TEST_CASE("connection: a call cancelled before it left never arrives, one that left is cancelled there") {
    connected both;
    both.at_right->holding = true;
    both.settle();
    auto sent = both.call("sent");
    both.settle();
    placed_call kept;
    {
        const futon::detail::running_scope turn{*both.place.ref()};
        kept = both.call("kept");
        both.router->cancel(*kept.call);
    }
    both.settle();
    auto why = error_of(kept);
    CHECK(why == futon::errc::cancelled);
    CHECK(why.ran() == futon::executed::no);
    CHECK_FALSE(both.at_right->ran.contains("kept"));

    both.router->cancel(*sent.call);
    both.settle();
    why = error_of(sent);
    CHECK(why == futon::errc::cancelled);
    CHECK(why.ran() == futon::executed::maybe);
    CHECK(both.at_right->cancels == 1);

    // The answer that comes all the same is dropped on the other side, and the connection goes on.
    both.at_right->answer_held(*both.right);
    both.at_right->holding = false;
    auto next = both.call("next");
    both.settle();
    CHECK(std::move(next.outcome).get() == "next");
}

TEST_CASE("connection: a call past its deadline ends, a late answer is counted, and the connection goes on") {
    connected both;
    both.at_right->holding = true;
    auto late = both.call("late", 50ms);
    both.settle();
    // Neither the cancel nor anything else gets through until the answer is on its way.
    both.wire.set_faults(direction::to_right, {.drop = true});
    both.place.advance(49ms);
    CHECK_FALSE(late.outcome.is_ready());
    both.place.advance(5ms);
    CHECK(error_of(late) == futon::errc::deadline_exceeded);
    both.at_right->answer_held(*both.right);
    both.settle();
    both.wire.set_faults(direction::to_right, {});
    both.at_right->holding = false;
    auto next = both.call("next");
    both.settle();
    CHECK(std::move(next.outcome).get() == "next");
    CHECK(both.left->stats().late_replies == 1);
}

TEST_CASE("connection: calls past the peer's limit wait for room, and none is forgotten") {
    connected both{{}, {.max_in_flight = 2}};
    both.at_right->holding = true;
    both.settle();
    std::vector<placed_call> calls;
    for (int i = 0; i < 10; ++i) calls.push_back(both.call("call " + std::to_string(i)));
    both.settle();
    CHECK(both.at_right->held.size() == 2);
    CHECK(both.at_left->parked.size() == 8);
    for (int i = 0; i < 5; ++i) {
        CHECK(both.at_right->held.size() == 2);
        both.at_right->answer_held(*both.right);
        both.settle();
    }
    for (auto& each : calls) CHECK(each.outcome.is_ready());
}

TEST_CASE("connection: stops reading from a peer that does not read, and goes on when it does") {
    connected both{{}, {.write_pause_bytes = 10'000}};
    both.at_right->reply_size = 1000;
    both.settle();
    both.wire.set_faults(direction::to_left, {.most_buffered = 1000, .drop = true});
    std::vector<placed_call> calls;
    for (int i = 0; i < 200; ++i) {
        calls.push_back(both.call("x"));
        both.settle();
    }
    // Ten answers wait to be written, and a few more requests came with the read that reached the limit.
    CHECK(both.at_right->ran["x"] >= 10);
    CHECK(both.at_right->ran["x"] < 30);
    both.wire.set_faults(direction::to_left, {});
    both.settle();
    CHECK(both.at_right->ran["x"] == 200);
    for (auto& each : calls) CHECK(each.outcome.is_ready());
}

TEST_CASE("connection: gives up a peer that reads nothing for long while much waits to be written") {
    connected both{{}, {.write_pause_bytes = 10'000, .max_write_bytes = 20'000, .write_stall_time = 3s}};
    both.at_right->reply_size = 30'000;
    both.settle();
    both.wire.set_faults(direction::to_left, {.most_buffered = 1000, .drop = true});
    auto call = both.call("x");
    both.settle();
    both.place.advance(2s);
    CHECK(both.at_right->ends == 0);
    both.place.advance(2s);
    CHECK(both.at_right->ends == 1);
    REQUIRE(both.at_right->last);
    CHECK(*both.at_right->last == futon::errc::connection_lost);
}

TEST_CASE("connection: a silent peer is asked, and given up when it does not answer") {
    connected both{{.heartbeat_after = 2s, .heartbeat_timeout = 1s}, {}};
    both.at_right->holding = true;
    auto call = both.call("x");
    both.settle();
    both.place.advance(10s);
    CHECK(both.left->stats().pings_sent >= 3);
    CHECK(both.at_left->ends == 0);
    both.wire.set_faults(direction::to_left, {.drop = true});
    both.place.advance(4s);
    CHECK(both.at_left->ends == 1);
    const auto why = error_of(call);
    CHECK(why == futon::errc::connection_lost);
    CHECK(why.ran() == futon::executed::maybe);
}

TEST_CASE("connection: given up in the middle of a write, it sends nothing twice, and still says goodbye") {
    connected both{{.heartbeat_after = 2s, .heartbeat_timeout = 1s}, {}};
    both.at_right->holding = true;
    both.settle();
    // The peer takes a while to read: its buffer is full, and what does not fit waits here.
    both.wire.set_faults(direction::to_right, {.most_buffered = 1000, .drop = true});
    std::vector<placed_call> calls;
    for (int i = 0; i < 30; ++i) {
        calls.push_back(both.call("call " + std::to_string(i) + std::string(200, '.')));
        both.settle();
    }
    both.place.advance(3200ms);
    CHECK(both.at_left->ends == 1);
    for (auto& each : calls) CHECK(error_of(each).is(futon::cond::unavailable));
    both.wire.set_faults(direction::to_right, {});
    both.settle();
    CHECK(both.at_right->ran.size() > 4);
    for (const auto& [text, times] : both.at_right->ran) CHECK(times == 1);
    REQUIRE(both.at_right->left);
    both.place.advance(2s);
    CHECK(both.at_right->ends == 1);
    CHECK(both.at_right->last->message().find("frame") == std::string::npos);
}

TEST_CASE("connection: an idle one is closed by the side that accepted it, with a goodbye first") {
    connected both{{}, {.idle_close = 30s}};
    auto call = both.call("x");
    both.settle();
    both.place.advance(20s);
    auto more = both.call("y");
    both.settle();
    both.place.advance(20s);
    CHECK(both.at_left->ends == 0);
    both.place.advance(20s);
    CHECK(both.at_right->ends == 1);
    REQUIRE(both.at_left->left);
    CHECK(*both.at_left->left == futon::errc::unavailable);
    CHECK(both.at_left->ends == 1);
}

// Notes how much room each read is given.
class noting_stream final : public futon::detail::byte_stream {
public:
    noting_stream(std::unique_ptr<byte_stream> inner, std::vector<std::size_t>& rooms)
        : inner_{std::move(inner)}, rooms_{rooms} {}
    void read_some(std::span<std::byte> into, futon::detail::stream_events& events,
                   intrusive_ptr<futon::detail::ref_counted> keep) override {
        rooms_.push_back(into.size());
        inner_->read_some(into, events, std::move(keep));
    }
    void write_some(std::span<const futon::bytes_view> pieces, futon::detail::stream_events& events,
                    intrusive_ptr<futon::detail::ref_counted> keep) override {
        inner_->write_some(pieces, events, std::move(keep));
    }
    std::size_t try_write(std::span<const futon::bytes_view> pieces, std::error_code& code) noexcept override {
        return inner_->try_write(pieces, code);
    }
    void close() noexcept override { inner_->close(); }
    const std::string& peer() const noexcept override { return inner_->peer(); }

private:
    std::unique_ptr<byte_stream> inner_;
    std::vector<std::size_t>& rooms_;
};

TEST_CASE("connection: its receive buffer grows while much comes, and is small again soon after the calls are over") {
    std::vector<std::size_t> rooms;
    connected both{{.heartbeat_after = 5s}, {.heartbeat_after = 20s},
                   [&](auto of_right) { return std::make_unique<noting_stream>(std::move(of_right), rooms); }};
    both.settle();
    const auto idle = rooms.back();
    CHECK(idle <= 512);
    const auto burst = [&] {
        std::vector<placed_call> calls;
        for (int i = 0; i < 100; ++i) calls.push_back(both.call(std::string(1000, 'x')));
        both.settle();
        for (auto& each : calls) CHECK(std::move(each.outcome).get().size() == 1000);
    };
    burst();
    const auto busy = rooms.back();
    CHECK(busy >= 64 * 1024);
    both.place.advance(500ms);
    burst();
    CHECK(rooms.back() >= busy);
    both.place.advance(6s);  // A ping comes.
    CHECK(rooms.back() == idle);
    burst();
    CHECK(rooms.back() >= 64 * 1024);
    CHECK(both.at_right->ends == 0);
}

TEST_CASE("connection: the rest of a large frame is read by itself, at once if one of its size has come before") {
    std::vector<std::size_t> rooms;
    connected both{{}, {}, [&](auto of_right) { return std::make_unique<noting_stream>(std::move(of_right), rooms); }};
    const std::string text(800'000, 'x');
    const auto send = [&](const std::string& what) {
        rooms.erase(rooms.begin(), rooms.end() - 1);
        const auto before = both.wire.taken(direction::to_right);
        auto made = both.call(what);
        both.settle();
        CHECK(std::move(made.outcome).get() == what);
        return both.wire.taken(direction::to_right) - before;
    };
    both.settle();
    send(text);
    const auto first = rooms;
    CHECK(first.size() > 3);
    for (std::size_t i = 0, came = 0; i + 1 < first.size(); came += first[i++])
        CHECK(first[i] <= std::max(std::size_t{128 * 1024}, 3 * came));  // Not on the word of one that has sent nothing.

    const auto frame = send(text);
    REQUIRE(rooms.size() == 3);
    CHECK(rooms[0] <= 16 * 1024);
    CHECK(rooms[1] == frame - rooms[0]);
    CHECK(rooms[2] <= 16 * 1024);

    // What stands behind it is left there.
    std::vector<placed_call> calls;
    rooms.clear();
    for (int i = 0; i < 10; ++i) calls.push_back(both.call(text));
    both.settle();
    for (auto& each : calls) CHECK(std::move(each.outcome).get().size() == text.size());
    for (const auto room : rooms) CHECK((room <= 16 * 1024 || room == frame - 16 * 1024));
}

TEST_CASE("connection: drained, it answers what came in, refuses what comes, and ends") {
    connected both;
    both.at_right->holding = true;
    auto before = both.call("before");
    both.settle();
    both.right->drain(futon::error{futon::errc::unavailable, "stopping"});
    both.settle();
    REQUIRE(both.at_left->left);
    auto after = both.call("after");
    both.settle();
    const auto why = error_of(after);
    CHECK(why == futon::errc::unavailable);
    CHECK(why.ran() == futon::executed::no);
    CHECK(both.at_right->ends == 0);
    both.at_right->answer_held(*both.right);
    both.settle();
    CHECK(std::move(before.outcome).get() == "before");
    CHECK(both.at_right->ends == 1);
    CHECK(both.at_left->ends == 1);
    CHECK(both.wire.is_closed());
    CHECK(both.at_right->ran.size() == 1);
}

TEST_CASE("connection: a request that crossed the goodbye on its way did not run, and its caller knows") {
    connected both;
    auto first = both.call("first");
    both.settle();
    both.wire.set_faults(direction::to_right, {.drop = true});
    auto crossing = both.call("crossing");
    both.settle();
    both.right->drain(futon::error{futon::errc::unavailable, "stopping"});
    both.settle();
    const auto why = error_of(crossing);
    CHECK(why == futon::errc::unavailable);
    CHECK(why.ran() == futon::executed::no);
    both.wire.set_faults(direction::to_right, {});
    both.settle();
    CHECK_FALSE(both.at_right->ran.contains("crossing"));
}

TEST_CASE("connection: when its executor ends, its calls end with it") {
    connected both;
    both.at_right->holding = true;
    auto sent = both.call("sent");
    both.settle();
    auto queued = both.call("queued");
    both.place.close();
    CHECK(error_of(sent) == futon::errc::connection_lost);
    const auto why = error_of(queued);
    CHECK(why == futon::errc::connection_lost);
    CHECK(why.ran() == futon::executed::no);
    CHECK(both.at_left->ends == 1);
    CHECK(both.at_right->ends == 1);
}

TEST_CASE("connection: one that has no memory for an answer ends, and its caller hears") {
    connected both;
    both.at_right->holding = true;
    auto sent = both.call("sent");
    both.settle();
    {
        const futon::detail::running_scope turn{*both.place.ref()};
        both.right->forget(both.at_right->held.front().first);
        both.right->give_up();
        CHECK(both.at_right->ends == 0);  // Not under the feet of who is in the midst of it.
    }
    both.settle();
    CHECK(both.at_right->ends == 1);
    CHECK(both.at_right->last == futon::errc::resource_exhausted);
    CHECK(both.at_right->cancels == 0);
    CHECK(error_of(sent) == futon::errc::connection_lost);
    CHECK(both.at_left->ends == 1);
}

TEST_CASE("connection: one that a reply's receiver closes still ends each call of the same batch, once") {
    connected both;
    both.settle();
    std::vector<placed_call> calls;
    {
        const futon::detail::running_scope turn{*both.place.ref()};
        for (int i = 0; i < 4; ++i) calls.push_back(both.call("x"));
    }
    int told = 0;
    std::move(calls[0].outcome).on_complete([&](const futon::result<std::string>& got) {
        CHECK(got.has_value());
        ++told;
        both.left->close(futon::error{futon::errc::client_closed});
    });
    for (std::size_t i = 1; i < calls.size(); ++i) {
        std::move(calls[i].outcome).on_complete([&](const futon::result<std::string>& got) {
            CHECK(got.error() == futon::errc::connection_lost);
            CHECK(got.error().ran() == futon::executed::yes);
            ++told;
        });
    }
    both.settle();
    CHECK(told == 4);
    CHECK(both.at_left->ends == 1);
}

TEST_CASE("connection: bytes that are no frame end it, and its calls say why") {
    connected both;
    both.settle();
    auto call = both.call("x");
    auto intruder = both.wire.right();  // Writes into the same direction.
    const std::string garbage(64, '\xee');
    const futon::bytes_view piece = futon::as_bytes(garbage);
    std::error_code code;
    CHECK(intruder->try_write({&piece, 1}, code) == garbage.size());
    both.settle();
    CHECK(both.at_left->ends == 1);
    REQUIRE(both.at_left->last);
    CHECK(*both.at_left->last == futon::errc::protocol_error);
}

TEST_CASE("connection: what it holds is let go of when its socket is closed, a second after its end at most") {
    struct counted final : futon::detail::ref_counted {
        explicit counted(int& into) : gone{into} {}
        ~counted() override { ++gone; }
        int& gone;
    };
    for (const bool reads : {false, true}) {
        CAPTURE(reads);
        connected both;
        both.settle();
        int gone = 0;
        both.right->hold(futon::detail::make_intrusive<counted>(gone));
        if (!reads) both.wire.set_faults(direction::to_left, {.drop = true});
        both.right->drain(futon::error{futon::errc::unavailable, "stopping"});
        both.settle();
        CHECK(both.at_right->ends == 1);
        CHECK(gone == (reads ? 1 : 0));
        both.place.advance(999ms);
        CHECK(gone == (reads ? 1 : 0));
        both.place.advance(1ms);
        CHECK(gone == 1);
    }
    connected cut;
    cut.settle();
    int gone = 0;
    cut.right->hold(futon::detail::make_intrusive<counted>(gone));
    cut.right->close(futon::errc::unavailable);
    cut.settle();
    CHECK(gone == 1);
}

TEST_CASE("connection: of what has come already no more than a batch is looked at while the peer does not read") {
    connected both{{}, {.write_pause_bytes = 10'000, .max_write_bytes = 10'000}};
    both.at_right->reply_size = 1000;
    both.settle();
    // From now on it reads much at a time: all requests that follow stand in one read.
    std::vector<placed_call> before;
    for (int i = 0; i < 40; ++i) before.push_back(both.call(std::string(50'000, 'b')));
    both.settle();
    for (auto& each : before) REQUIRE(each.outcome.is_ready());
    both.wire.set_faults(direction::to_left, {.most_buffered = 1000, .drop = true});
    std::vector<placed_call> calls;
    for (int i = 0; i < 6000; ++i) calls.push_back(both.call("x"));
    both.settle();
    const auto ran = both.at_right->ran["x"];
    CHECK(ran >= 10);
    CHECK(ran <= 512);
    both.place.advance(1s);
    CHECK(both.at_right->ran["x"] == ran);
    both.wire.set_faults(direction::to_left, {});
    both.settle();
    CHECK(both.at_right->ran["x"] == 6000);
    for (auto& each : calls) CHECK(each.outcome.is_ready());
}

}  // namespace
