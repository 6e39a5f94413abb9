// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A hostile peer's bytes, and a session that they are fed to.

#include "support/session_host.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace futon::testing {

/// Bytes as a hostile peer would write them.
struct crafted {
    bytes all;

    crafted& raw(std::initializer_list<unsigned> some) {
        for (const auto one : some) all.push_back(static_cast<std::byte>(one));
        return *this;
    }
    crafted& text(std::string_view some) {
        const auto view = as_bytes(some);
        all.insert(all.end(), view.begin(), view.end());
        return *this;
    }
    crafted& u32(std::uint32_t value) {
        return raw({value & 0xFF, value >> 8 & 0xFF, value >> 16 & 0xFF, value >> 24});
    }
    crafted& u64(std::uint64_t value) {
        return u32(static_cast<std::uint32_t>(value)).u32(static_cast<std::uint32_t>(value >> 32));
    }
    crafted& preface() { return raw({0xC1, 'f', 'u', 't', 1, 0}); }
    crafted& frame(unsigned type, unsigned flags, const crafted& rest) {
        u32(static_cast<std::uint32_t>(rest.all.size() + 2)).raw({type, flags});
        all.insert(all.end(), rest.all.begin(), rest.all.end());
        return *this;
    }
    crafted& bind(unsigned number) {
        return frame(6, 0, crafted{}.raw({number, 4}).text("Test").raw({1}).text("m").raw({0}));
    }
    crafted& request(std::uint64_t id, unsigned method, std::string_view body) {
        return frame(1, 1, crafted{}.u64(id).raw({method}).text(body));
    }
};

/// An acceptor that somebody talks to.
struct victim {
    explicit victim(const limits& bounds = {}, detail::intrusive_ptr<detail::unsent_bytes> unsent = {})
        : host{side::acceptor, now, bounds, std::move(unsent)} {}

    victim& hears(const crafted& what, std::size_t piece = 1u << 20) {
        for (std::size_t i = 0; i < what.all.size(); i += piece)
            host.feed(bytes_view{what.all}.subspan(i, std::min(piece, what.all.size() - i)));
        return *this;
    }
    [[nodiscard]] bool broke() const { return host.has_event(event::kind::broken); }
    [[nodiscard]] std::string why() const { return host.last_why ? host.last_why->message() : ""; }
    /// The codes of the error replies written so far.
    std::vector<errc> refusals() {
        std::vector<errc> codes;
        const auto all = host.written();
        bytes_view left{all};
        peer_limits peer;
        frame_fault fault;
        if (!greeted) left = left.subspan(futon_protocol::parse_preface(left, peer, fault).size);
        greeted = true;
        for (frame from; !left.empty();) {
            const auto step = futon_protocol::parse(left, {}, from, fault);
            REQUIRE(step.what == parsed::status::complete);
            if (from.what == frame::kind::error) {
                CHECK(from.ran == executed::no);
                codes.push_back(static_cast<errc>(from.code));
            }
            left = left.subspan(step.size);
        }
        return codes;
    }
    // Whether the connection still serves.
    bool serves() {
        const auto before = host.ran.size();
        hears(crafted{}.bind(60).request(0x7777, 60, "still there?"));
        return !broke() && host.ran.size() == before + 1;
    }

    time_point now{std::chrono::seconds{100}};
    session_host host;
    bool greeted = false;
};

}  // namespace futon::testing
