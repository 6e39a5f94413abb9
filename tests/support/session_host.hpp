// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A driver for one session without sockets: plays handlers, keeps book of every call, and judges the book.

#include <futon/session/session.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace futon::testing {

/// What the handler of a method does with a request.
enum class behaviour : std::uint32_t { echo, later, error, segment, abandon, oversize, timed };

/// The methods that both sides offer, by behaviour; more than 64 numbers exist, to need the peer's limit of binds.
[[nodiscard]] inline const method_info& method_of(std::uint32_t number) {
    static const auto all = [] {
        std::vector<std::unique_ptr<method_info>> made;
        for (std::uint32_t i = 0; i < 80; ++i) {
            made.push_back(std::make_unique<method_info>());
            made.back()->service = "Test";
            made.back()->name = "m" + std::to_string(i);
            made.back()->signature = "(str)->[str]";
            made.back()->number = i;
        }
        return made;
    }();
    return *all.at(number);
}
[[nodiscard]] inline const method_info& method_of(behaviour what) {
    return method_of(static_cast<std::uint32_t>(what));
}

/// One call's streams at one end: numbered items out, and a check
/// that those that come are in order and within the window.
class host_port final : public detail::stream_port {
public:
    host_port(any_session& machine, bool mine) : machine_{&machine}, mine_{mine} {}

    void accepted(detail::item_carrier&, detail::stream_key) noexcept override {}
    void item(bytes_view body) noexcept override {
        const std::string expected = (mine_ ? "callee " : "caller ") + std::to_string(received++) + " ";
        if (!as_text(body).starts_with(expected) && wrong.empty())
            wrong = "got '" + std::string{as_text(body.first(std::min<std::size_t>(40, body.size())))} + "', not '" +
                    expected + "'";
        if (ended) wrong = "an item after the end";
        largest = std::max(largest, item_cost(body.size()));
        held += item_cost(body.size());
        most_held = std::max(most_held, held);
    }
    void items_ended() noexcept override { ended = true; }
    void may_send() noexcept override { ++credits; }
    void close(const error&) noexcept override {}

    [[nodiscard]] detail::stream_key key() const { return {id, mine_}; }
    detail::item_fate send(std::size_t size) {
        std::string text = (mine_ ? "caller " : "callee ") + std::to_string(sent) + " ";
        if (size > text.size()) text.resize(size, 'i');
        const auto fate = machine_->send_item(key(), as_bytes(text));
        if (fate == detail::item_fate::sent) ++sent;
        return fate;
    }
    void consume(time_point now) { machine_->grant(key(), std::exchange(held, 0), now); }

    std::uint64_t id = 0;
    int acceptances = 0;
    int credits = 0;
    int sent = 0;
    int received = 0;
    std::uint64_t held = 0;
    std::uint64_t most_held = 0;
    std::uint64_t largest = 0;
    bool ended = false;
    std::string wrong;

private:
    any_session* machine_;
    bool mine_;
};

/// How a call ended.
struct outcome {
    int endings = 0;
    bool ok = false;
    error why{errc::internal};
    std::string body;
    std::optional<metadata> headers;
    call_times times;
};

class session_host {
public:
    using call_ptr = detail::intrusive_ptr<detail::call>;

    session_host(side role, const time_point& now, const limits& bounds = {},
                 detail::intrusive_ptr<detail::unsent_bytes> unsent = {})
        : now_{&now},
          made_{std::make_unique<session<futon_protocol>>(
              session_options{
                  .role = role, .limits = bounds, .categories = categories, .unsent = std::move(unsent)}, now)} {}

    [[nodiscard]] any_session& machine() const { return *made_; }

    /// What to call; the text must be unique among the calls of both hosts for the book to be judged.
    struct request {
        std::string body = "x";
        behaviour what = behaviour::echo;
        duration timeout = std::chrono::seconds{3};
        metadata headers{};
        bool oneway = false;
        bool wants_times = false;
        std::optional<std::uint32_t> number{};
        std::optional<detail::stream_terms> streams{};
    };

    /// Its index in `outcomes`; where `start` refuses, the call ends with that.
    std::size_t place(const request& asked) {
        auto made = detail::intrusive_ptr<detail::call>::adopt(new detail::call{nullptr, nullptr, nullptr});
        made->request.method = asked.number ? &method_of(*asked.number) : &method_of(asked.what);
        made->request.arguments.append(as_bytes(asked.body));
        made->request.headers = asked.headers;
        made->request.deadline = asked.timeout == duration::max() ? no_deadline : *now_ + asked.timeout;
        made->request.oneway = asked.oneway;
        made->wants_times = asked.wants_times;
        made->request.has_streams = asked.streams.has_value();
        ports.emplace_back();
        if (asked.streams) {
            ports.back() = detail::make_intrusive<host_port>(*made_, true);
            ports.back()->terms = *asked.streams;
            made->streams = ports.back();
        }
        made->started = *now_;
        const auto index = calls.size();
        calls.push_back(made);
        bodies.push_back(asked.body);
        outcomes.emplace_back();
        oneways.push_back(asked.oneway);
        auto given = made;
        if (auto started = made_->start(given, *now_); !started) {
            end(index).why = started.error();
        } else if (asked.streams) {
            ports[index]->id = made->id;
        } else if (asked.oneway) {
            end(index).ok = true;
        }
        return index;
    }
    std::size_t call(std::string body, behaviour what = behaviour::echo) {
        return place({.body = std::move(body), .what = what});
    }

    /// False if it was over.
    bool cancel(std::size_t index) {
        auto taken = made_->cancel(calls[index]->id, *now_);
        if (!taken.call) return false;
        end(index_of(taken.call)).why = error{errc::cancelled, taken.ran};
        return true;
    }
    void feed(bytes_view blob) {
        input_.append(blob);
        do handle(made_->receive(input_, *now_));
        while (made_->has_more());
        static_cast<void>(made_->rest(*now_));
    }
    void advance() { handle(made_->advance(*now_)); }
    void lose() { handle(made_->lose_connection(error{errc::connection_lost, "cut"})); }

    /// Everything that is to be written, as if the socket took it at once.
    bytes written() {
        bytes all;
        for (auto part = made_->to_send(); !part.empty(); part = made_->to_send()) {
            std::size_t count = 0;
            for (const auto& view : part) {
                all.insert(all.end(), view.begin(), view.end());
                count += view.size();
            }
            made_->sent(count, *now_);
        }
        return all;
    }
    /// Answers the calls that wait in `behaviour::later`.
    void answer_waiting() {
        for (auto& [id, text] : std::exchange(waiting, {})) {
            byte_buffer body;
            body.append(as_bytes(text));
            made_->reply(id, std::move(body));
        }
    }
    [[nodiscard]] bool has_event(event::kind what) const { return std::count(seen.begin(), seen.end(), what) > 0; }

    std::vector<call_ptr> calls;
    std::vector<detail::intrusive_ptr<host_port>> ports;  ///< Null for calls without streams.
    /// Of the calls that came in, answered ones too.
    std::map<std::uint64_t, detail::intrusive_ptr<host_port>> ports_in;
    bool accepts = true;
    bool reads_items = true;
    std::vector<std::string> bodies;
    std::vector<bool> oneways;
    std::vector<outcome> outcomes;
    std::vector<std::string> given_back;         ///< Of one-way calls that turned out not to have run.
    std::uint64_t oneways_lost = 0;              ///< As the session says.
    std::map<std::string, int> ran;              ///< Bodies that a handler was given, and how often.
    std::map<std::uint64_t, std::string> waiting;  ///< Incoming calls that are not answered yet.
    std::vector<std::uint64_t> cancelled;
    std::vector<event::kind> seen;
    std::map<std::uint32_t, std::string> bound;
    std::vector<metadata> headers_received;
    std::vector<time_point> deadlines_received;
    load_report load;                            ///< What the peer is told when it asks.
    std::vector<std::pair<std::uint64_t, load_report>> loads_told;
    std::vector<std::uint64_t> signs_of_life;
    std::optional<error> last_why;               ///< Of the last goodbye, draining or broken.
    std::span<const std::error_category* const> categories{};
    metadata reply_headers;                      ///< Sent with each echo.
    std::size_t oversize = 0;                    ///< The result of `behaviour::oversize` in bytes.

private:
    outcome& end(std::size_t index) {
        ++outcomes[index].endings;
        return outcomes[index];
    }
    std::size_t index_of(const call_ptr& which) const {
        return static_cast<std::size_t>(std::find(calls.begin(), calls.end(), which) - calls.begin());
    }
    void handle(std::span<event> events) {
        for (auto& it : events) {
            seen.push_back(it.what);
            switch (it.what) {
                case event::kind::ready: break;
                case event::kind::accepted: ++static_cast<host_port&>(*it.streams).acceptances; break;
                case event::kind::item: it.streams->item(it.body); break;
                case event::kind::items_end: it.streams->items_ended(); break;
                case event::kind::credit: it.streams->may_send(); break;
                case event::kind::load_query: made_->tell_load(it.id, load); break;
                case event::kind::load: loads_told.emplace_back(it.id, it.load); break;
                case event::kind::alive: signs_of_life.push_back(it.id); break;
                case event::kind::bound:
                    bound[it.method] = std::string{it.names->service} + "." + std::string{it.names->method};
                    break;
                case event::kind::request: serve(it); break;
                case event::kind::cancelled:
                    cancelled.push_back(it.id);
                    break;
                case event::kind::reply: {
                    auto& its = end(index_of(it.call));
                    its.ok = true;
                    its.body = as_text(it.body);
                    if (it.headers) its.headers = *it.headers;
                    its.times = it.call->times;
                    break;
                }
                case event::kind::failed: {
                    const auto index = index_of(it.call);
                    if (oneways[index]) {  // What was said of it at first is taken back.
                        outcomes[index] = {};
                        given_back.push_back(bodies[index]);
                    }
                    auto& its = end(index);
                    its.why = it.why;
                    its.times = it.call->times;
                    break;
                }
                case event::kind::oneways_lost:
                    oneways_lost += it.id;
                    last_why = it.why;
                    break;
                case event::kind::goodbye:
                case event::kind::draining:
                case event::kind::broken: last_why = it.why; break;
            }
        }
    }
    void serve(const event& it) {
        std::string text{as_text(it.body)};
        ++ran[text];
        if (it.headers) headers_received.push_back(*it.headers);
        deadlines_received.push_back(it.deadline);
        if (it.oneway) return;
        if (it.has_streams && accepts) {
            auto& port = ports_in[it.id] = detail::make_intrusive<host_port>(*made_, false);
            port->id = it.id;
            made_->accept(it.id, port, reads_items, *now_);
        }
        switch (static_cast<behaviour>(it.method)) {
            case behaviour::later:
                made_->track(it.id, this);
                waiting[it.id] = std::move(text);
                return;
            case behaviour::error: made_->reply_error(it.id, error{errc::remote_error, text, executed::yes}); return;
            case behaviour::segment: {
                byte_buffer body;
                body.append(it.body);
                made_->reply(it.id, std::move(body));
                return;
            }
            case behaviour::abandon:
                if (auto* into = made_->begin_reply(it.id)) {
                    into->append("half", 4);
                    made_->abandon_reply();
                    made_->reply_error(it.id, error{errc::internal, "could not encode", executed::yes});
                }
                return;
            case behaviour::oversize: {
                const std::string big(oversize, 'b');
                if (auto* into = made_->begin_reply(it.id)) {
                    into->append(big.data(), big.size());
                    made_->end_reply();
                }
                return;
            }
            case behaviour::timed:
            case behaviour::echo:
            default: break;
        }
        const auto time = static_cast<behaviour>(it.method) == behaviour::timed && it.wants_times
                              ? std::chrono::milliseconds{7}
                              : duration{-1};
        if (auto* into = made_->begin_reply(it.id, {.headers = &reply_headers, .handler_time = time})) {
            into->append(it.body);
            made_->end_reply();
        }
    }

    const time_point* now_;
    std::unique_ptr<any_session> made_;
    byte_buffer input_;
};

/// What is wrong with the calls that `caller` made and `server`
/// saw, both of which have lost their connection; empty: nothing.
[[nodiscard]] inline std::string judge(const session_host& caller, const session_host& server) {
    for (std::size_t i = 0; i < caller.outcomes.size(); ++i) {
        const auto& its = caller.outcomes[i];
        const auto found = server.ran.find(caller.bodies[i]);
        const auto times = found == server.ran.end() ? 0 : found->second;
        const auto who = "call '" + caller.bodies[i].substr(0, 40) + "' ";
        if (its.endings != 1) return who + "ended " + std::to_string(its.endings) + " times";
        if (times > 1) return who + "ran " + std::to_string(times) + " times";
        if (its.ok && !caller.oneways[i] && times == 0) return who + "succeeded and never ran";
        if (!its.ok && its.why.ran() == executed::no && times > 0)
            return who + "ran, though it is said that it did not: " + its.why.describe();
        if (!its.ok && its.why.ran() == executed::yes && times == 0)
            return who + "never ran, though it is said that it did: " + its.why.describe();
        if (its.ok && !caller.oneways[i] && its.body != caller.bodies[i])
            return who + "got the answer of another: " + its.body.substr(0, 40);
    }
    return {};
}

}  // namespace futon::testing
