// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Any bytes as a script for two connected sessions and whoever meddles with the bytes between them. Run by the fuzzer,
/// and by the unit tests over the corpus.

#include "support/session_host.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace futon::testing {

/// Reads the script, zeros behind its end.
class script_reader {
public:
    explicit script_reader(bytes_view script) noexcept : left_{script} {}
    [[nodiscard]] bool done() const noexcept { return left_.empty(); }
    std::size_t next() noexcept {
        if (left_.empty()) return 0;
        const auto value = std::to_integer<std::size_t>(left_.front());
        left_ = left_.subspan(1);
        return value;
    }
    bytes_view take(std::size_t count) noexcept {
        const auto part = left_.first(std::min(count, left_.size()));
        left_ = left_.subspan(part.size());
        return part;
    }

private:
    bytes_view left_;
};

/// Plays the script; says what went wrong, or nothing.
///
/// Each call must end exactly once. As long as nobody meddled, no session may find the other broken, and what is said
/// about `executed` must be true. After time was told there must be nothing left to do at that time.
[[nodiscard]] inline std::string play_session(bytes_view script_bytes) {
    script_reader script{script_bytes};
    time_point now{std::chrono::seconds{1000}};
    const auto flags = script.next();
    limits bounds;
    bounds.max_body_bytes = flags & 1 ? 300 : 100'000;
    bounds.max_in_flight = flags & 2 ? 4 : 8192;
    bounds.stream_window = flags & 4 ? 150 : 64u << 10;
    bounds.max_streams = flags & 8 ? 2 : 16'384;
    bounds.write_pause_bytes = 2000;
    bounds.max_write_bytes = 20'000;
    session_host opener{side::opener, now, bounds};
    session_host acceptor{side::acceptor, now, bounds};
    bytes to_acceptor;
    bytes to_opener;
    bool meddled = false;
    bool stalled = false;
    int made = 0;

    const auto deliver = [&](session_host& from, session_host& to, bytes& between, std::size_t count) {
        const auto fresh = from.written();
        between.insert(between.end(), fresh.begin(), fresh.end());
        count = std::min(count, between.size());
        to.feed(bytes_view{between}.first(count));
        between.erase(between.begin(), between.begin() + static_cast<std::ptrdiff_t>(count));
    };
    // One of the streams that a side has, of its own calls or of those that came in.
    const auto pick_port = [](session_host& of, bool incoming, std::size_t which) -> host_port* {
        std::vector<host_port*> all;
        for (const auto& it : of.ports)
            if (it && !incoming) all.push_back(it.get());
        for (const auto& [id, it] : of.ports_in)
            if (incoming) all.push_back(it.get());
        return all.empty() ? nullptr : all[which % all.size()];
    };
    for (int step = 0; step < 500 && !script.done(); ++step) {
        const auto what = script.next();
        const bool first = (what & 0x80) == 0;
        auto& one = first ? opener : acceptor;
        auto& other = first ? acceptor : opener;
        auto& between = first ? to_acceptor : to_opener;
        switch (what & 0x0F) {
            case 0: case 1: {
                const auto how = script.next();
                auto body = (first ? "a" : "b") + std::to_string(made++);
                if (how & 0x80) body += std::string(script.next() * 80, 'z');
                one.place({.body = body,
                           .what = static_cast<behaviour>(how & 3),
                           .timeout = how & 4 ? duration{std::chrono::milliseconds{1 + script.next()}}
                                              : duration{std::chrono::seconds{30}},
                           .headers = how & 8 ? metadata{{"key", body.substr(0, 5)}} : metadata{},
                           .oneway = (how & 0x30) == 0x30,
                           .wants_times = (how & 0x40) != 0});
                break;
            }
            case 2:
                if (!one.calls.empty()) one.cancel(script.next() % one.calls.size());
                break;
            case 3: deliver(one, other, between, script.next()); break;
            case 4: deliver(one, other, between, 1u << 20); break;
            case 5: one.answer_waiting(); break;
            case 6: case 7: {
                const auto amount = static_cast<int>(script.next());
                now += what & 1 ? duration{std::chrono::milliseconds{amount}}
                                : duration{std::chrono::milliseconds{amount * 200}};
                // Nobody may have delivered a byte since.
                if (now > time_point{std::chrono::seconds{1004}}) stalled = true;
                for (auto* each : {&opener, &acceptor}) {
                    each->advance();
                    if (const auto due = each->machine().next_wakeup(); due && *due <= now)
                        return "time was told, and yet something is due";
                }
                break;
            }
            case 8:
                if (what == 8 || what == 0x88) one.machine().begin_drain(error{errc::unavailable, "leaving"}, now);
                break;
            case 9: {
                meddled = true;
                const auto bytes_in = script.take(script.next());
                between.insert(between.end(), bytes_in.begin(), bytes_in.end());
                break;
            }
            case 10:
                if (!between.empty()) {
                    meddled = true;
                    const auto at = script.next() % between.size();
                    between[at] = static_cast<std::byte>(script.next());
                }
                break;
            case 11: {
                // A whole frame of the script's choice, its length put right.
                meddled = true;
                const auto type = script.next();
                const auto its_flags = script.next();
                const auto rest = script.take(script.next());
                std::byte head[6];
                auto* end = detail::put_little(head, static_cast<std::uint32_t>(rest.size() + 2));
                *end++ = static_cast<std::byte>(type);
                *end++ = static_cast<std::byte>(its_flags);
                between.insert(between.end(), head, end);
                between.insert(between.end(), rest.begin(), rest.end());
                break;
            }
            case 14: {
                // The same about a call that is under way on either side: an id that a peer knows.
                meddled = true;
                std::vector<std::uint64_t> ids;
                for (const auto* each : {&opener, &acceptor})
                    for (const auto& call : each->calls) ids.push_back(call->id);
                const auto which = script.next();
                const auto type = script.next();
                const auto its_flags = script.next();
                const auto rest = script.take(script.next());
                if (ids.empty()) break;
                std::byte head[14];
                auto* end = detail::put_little(head, static_cast<std::uint32_t>(rest.size() + 10));
                *end++ = static_cast<std::byte>(type);
                *end++ = static_cast<std::byte>(its_flags);
                end = detail::put_little(end, ids[which % ids.size()]);
                between.insert(between.end(), head, end);
                between.insert(between.end(), rest.begin(), rest.end());
                break;
            }
            case 12: case 13: {
                const auto how = script.next();
                if ((how & 7) == 0) {
                    one.place({.body = (first ? "a" : "b") + std::to_string(made++),
                               .what = behaviour::later,
                               .timeout = std::chrono::seconds{30},
                               .streams = detail::stream_terms{
                                   .sends = (how & 8) != 0,
                                   .receives = (how & 16) != 0,
                                   .deadline = how & 32 ? now + std::chrono::milliseconds{script.next()} : no_deadline,
                                   .idle_timeout = how & 64 ? duration{std::chrono::milliseconds{1 + script.next()}}
                                                            : duration::max()}});
                    break;
                }
                auto* const port = pick_port(one, (how & 8) != 0, script.next());
                if (!port) break;
                if ((how & 7) == 1 && port->id != 0 && (how & 8) == 0) {
                    one.machine().end_items(port->id);
                } else if ((how & 7) < 5) {
                    const auto size = script.next();
                    for (auto count = how >> 4; count-- > 0;)
                        static_cast<void>(
                            port->send(std::min(how & 1 ? size * 10 : size, one.machine().most_item_bytes())));
                } else {
                    port->consume(now);
                }
                break;
            }
            default: deliver(opener, acceptor, to_acceptor, 1u << 20); deliver(acceptor, opener, to_opener, 1u << 20);
        }
    }
    opener.lose();
    acceptor.lose();
    const auto every_port = [](const session_host& of) {
        std::vector<host_port*> all;
        for (const auto& it : of.ports)
            if (it) all.push_back(it.get());
        for (const auto& [id, it] : of.ports_in) all.push_back(it.get());
        return all;
    };
    const auto gone_wrong = [&](const session_host& host) {
        if (host.machine().stats().in_flight_sent != 0) return std::string{"calls are left behind"};
        for (std::size_t i = 0; i < host.outcomes.size(); ++i)
            if (host.outcomes[i].endings != 1)
                return "call " + host.bodies[i].substr(0, 20) + " ended " + std::to_string(host.outcomes[i].endings) +
                       " times";
        for (auto* each : every_port(host)) {
            if (each->most_held > bounds.stream_window + each->largest)
                return std::string{"a stream holds more than its window"};
            if (!meddled && !each->wrong.empty()) return each->wrong;
        }
        return std::string{};
    };
    if (auto wrong = gone_wrong(opener) + gone_wrong(acceptor); !wrong.empty()) return wrong;
    if (meddled) return {};
    if (!stalled && (opener.has_event(event::kind::broken) || acceptor.has_event(event::kind::broken)))
        return "broken without reason: " + opener.last_why.value_or(error{errc::internal}).describe() + " / " +
               acceptor.last_why.value_or(error{errc::internal}).describe();
    return judge(opener, acceptor) + judge(acceptor, opener);
}

}  // namespace futon::testing
