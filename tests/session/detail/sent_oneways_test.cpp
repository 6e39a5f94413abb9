// SPDX-License-Identifier: Apache-2.0
#include <futon/session/detail/sent_oneways.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using futon::detail::call;
using futon::detail::intrusive_ptr;
using futon::detail::sent_oneways;

// Calls that say their ordinal by the hash key.
struct book {
    void send(std::size_t bytes = 1) {
        auto made = intrusive_ptr<call>::adopt(new call{nullptr, nullptr, nullptr});
        made->request.hash_key = ++ordinal;
        made->request.arguments.append(futon::as_bytes(std::string(bytes, 'x')));
        kept.make_room();
        kept.add(std::move(made), ordinal, batch);
    }
    auto give_back() {
        return [this](intrusive_ptr<call> which) { back.push_back(which->request.hash_key); };
    }

    sent_oneways kept;
    std::uint64_t ordinal = 0;
    std::uint64_t batch = 1;
    std::vector<std::uint64_t> back;
};

using numbers = std::vector<std::uint64_t>;

TEST_CASE("sent_oneways: what was not taken is given back in order, and what was taken is forgotten") {
    book at;
    for (int i = 0; i < 100; ++i) {
        at.send();
        if (i >= 2) at.kept.taken_through(at.ordinal - 2);
        CHECK(at.kept.size() <= 2);
    }
    at.send();
    CHECK(at.kept.refuse_past(100, at.give_back()) == 0);
    CHECK(at.back == numbers{101});
    CHECK(at.kept.refuse_past(99, at.give_back()) == 0);  // A second goodbye that promises less.
    CHECK(at.back == numbers{101, 100});
    CHECK(at.kept.size() == 1);
}

TEST_CASE("sent_oneways: past the limit of calls the oldest are let go of, and their number is known") {
    book at;
    for (std::size_t i = 0; i < sent_oneways::most_calls + 30; ++i) at.send();
    CHECK(at.kept.size() == sent_oneways::most_calls);
    CHECK(at.kept.refuse_past(20, at.give_back()) == 10);
    CHECK(at.back.size() == sent_oneways::most_calls);
    CHECK(at.back.front() == 31);
    CHECK(at.kept.refuse_past(15, at.give_back()) == 5);
    CHECK(at.kept.empty());
}

TEST_CASE("sent_oneways: past the limit of bytes the oldest are let go of, and the newest is kept however big") {
    book at;
    for (int i = 0; i < 5; ++i) at.send(sent_oneways::most_bytes / 4);
    CHECK(at.kept.size() == 4);
    at.send(2 * sent_oneways::most_bytes);
    CHECK(at.kept.size() == 1);
    CHECK(at.kept.refuse_past(0, at.give_back()) == 5);
    CHECK(at.back == numbers{6});
}

TEST_CASE("sent_oneways: what was let go of and is known to have been taken is not lost") {
    book at;
    for (std::size_t i = 0; i < sent_oneways::most_calls + 30; ++i) at.send();
    at.kept.taken_through(30);
    at.send();
    CHECK(at.kept.refuse_past(30, at.give_back()) == 1);
}

TEST_CASE("sent_oneways: the end gives back what was never written, and says how many of those it has not") {
    book at;
    at.send();
    at.batch = 2;
    at.send();
    at.send();
    CHECK(at.kept.count_in(2) == 2);
    CHECK(at.kept.end(2, at.give_back()) == 0);
    CHECK(at.back == numbers{2, 3});
    CHECK(at.kept.empty());

    at.batch = 3;
    for (std::size_t i = 0; i < sent_oneways::most_calls + 7; ++i) at.send();
    CHECK(at.kept.count_in(3) == sent_oneways::most_calls);
    CHECK(at.kept.end(3, at.give_back()) == 7);
    CHECK(at.kept.end(3, at.give_back()) == 0);
}

TEST_CASE("sent_oneways: the answer to a ping proves what was sent before it, and nothing more") {
    book at;
    at.send();
    at.kept.ping_sent(5, at.ordinal);
    at.send();
    at.kept.ping_sent(6, at.ordinal);  // One is awaited already.
    at.kept.ping_answered(4);
    CHECK(at.kept.size() == 2);
    at.kept.ping_answered(5);
    CHECK(at.kept.size() == 1);
    at.kept.ping_answered(6);
    CHECK(at.kept.size() == 1);
    at.kept.ping_sent(7, at.ordinal);
    at.kept.ping_answered(7);
    CHECK(at.kept.empty());
}

}  // namespace
