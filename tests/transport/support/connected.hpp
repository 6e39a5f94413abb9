// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Two connections over a loopback on one manual executor, an owner that keeps book, and calls to make.

#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/session/session.hpp>
#include <futon/testing/loopback_stream.hpp>
#include <futon/testing/manual_executor.hpp>
#include <futon/transport/connection.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon_tests {

using futon::detail::intrusive_ptr;

/// Serves by echoing, at once or when told; books everything else.
class booking_owner final : public futon::detail::connection_owner {
public:
    void requested(futon::detail::connection& from, futon::event& request) noexcept override {
        std::string text{futon::as_text(request.body)};
        ++ran[text];
        if (request.oneway) return;
        if (holding) {
            from.session()->track(request.id, this);
            held.emplace_back(request.id, std::move(text));
            return;
        }
        answer(from, request.id, text);
    }
    void answer(futon::detail::connection& from, std::uint64_t id, const std::string& text) noexcept {
        auto* const machine = from.session();
        if (!machine) return;
        if (auto* into = machine->begin_reply(id)) {
            into->append(futon::as_bytes(text.size() == 1 ? std::string(reply_size, text[0]) : text));
            machine->end_reply();
        }
        from.need_flush();
    }
    void answer_held(futon::detail::connection& from) noexcept {
        for (auto& [id, text] : std::exchange(held, {})) answer(from, id, text);
    }
    void cancelled(futon::detail::connection&, std::uint64_t, void* tag) noexcept override {
        cancels += tag == this ? 1u : 0u;
    }
    void replied(futon::detail::connection&, intrusive_ptr<futon::detail::call> which,
                 const futon::response& reply) noexcept override {
        which->succeed(reply);
    }
    void park(futon::detail::connection&, intrusive_ptr<futon::detail::call> which) noexcept override {
        parked.push_back(std::move(which));
    }
    bool room(futon::detail::connection& at) noexcept override {
        auto again = std::exchange(parked, {});
        for (auto& each : again) at.submit(std::move(each));
        return false;
    }
    void leaving(futon::detail::connection&, const futon::error& why) noexcept override { left = why; }
    void closed(futon::detail::connection&, const futon::error& why) noexcept override {
        ++ends;
        last = why;
    }

    bool holding = false;
    std::size_t reply_size = 1;  ///< Of the answers to requests of one byte.
    std::map<std::string, int> ran;
    std::vector<std::pair<std::uint64_t, std::string>> held;
    std::vector<intrusive_ptr<futon::detail::call>> parked;
    std::size_t cancels = 0;
    std::optional<futon::error> left;
    int ends = 0;
    std::optional<futon::error> last;
};

/// Completes what comes back, without another try.
class plain_router final : public futon::detail::call_router {
public:
    void cancel(futon::detail::call& which) noexcept override {
        which.cancel_requested = true;
        if (which.at)
            static_cast<futon::detail::connection&>(*which.at).cancel(intrusive_ptr<futon::detail::call>{&which});
    }
    void failed(intrusive_ptr<futon::detail::call> which, futon::error why) noexcept override {
        which->fail(std::move(why));
    }
};

struct placed_call {
    intrusive_ptr<futon::detail::call> call;
    futon::future<std::string> outcome;
};

/// `left` calls, `right` serves.
class connected {
public:
    using stream = std::unique_ptr<futon::detail::byte_stream>;

    /// `wrap` may put something around the stream of `right`.
    explicit connected(const futon::limits& of_left = {}, const futon::limits& of_right = {},
                       const std::function<stream(stream)>& wrap = {})
        : wire{place, place} {
        left = make(futon::side::opener, of_left, wire.left(), at_left);
        right = make(futon::side::acceptor, of_right, wrap ? wrap(wire.right()) : wire.right(), at_right);
    }
    ~connected() {
        left->close(futon::error{futon::errc::connection_lost});
        right->close(futon::error{futon::errc::connection_lost});
        place.run_ready();
    }

    placed_call call(const std::string& text, futon::duration timeout = std::chrono::hours{1}) {
        static const futon::method_info method{.service = "Test", .name = "echo", .signature = "(str)->[str]"};
        auto state = futon::detail::make_intrusive<futon::detail::future_state<std::string>>(place);
        auto made = futon::detail::make_intrusive<futon::detail::call>(
            router, state,
            +[](intrusive_ptr<futon::detail::operation> ending, const futon::response& reply,
                const futon::detail::call&) noexcept {
                static_cast<futon::detail::outcome<std::string>&>(*ending).complete(
                    std::string{futon::as_text(reply.body)});
            });
        made->request.method = &method;
        made->request.arguments.append(futon::as_bytes(text));
        made->request.deadline = timeout == futon::duration::max() ? futon::no_deadline : place.now() + timeout;
        made->started = place.now();
        made->at = left;
        left->submit(made);
        return {std::move(made), futon::future<std::string>{std::move(state)}};
    }
    /// Lets everything happen that needs no time.
    void settle() { place.run_ready(); }

    futon::testing::manual_executor place;
    futon::testing::loopback wire;
    intrusive_ptr<plain_router> router = futon::detail::make_intrusive<plain_router>();
    intrusive_ptr<booking_owner> at_left = futon::detail::make_intrusive<booking_owner>();
    intrusive_ptr<booking_owner> at_right = futon::detail::make_intrusive<booking_owner>();
    intrusive_ptr<futon::detail::connection> left;
    intrusive_ptr<futon::detail::connection> right;

private:
    intrusive_ptr<futon::detail::connection> make(futon::side role, const futon::limits& bounds,
                                                  std::unique_ptr<futon::detail::byte_stream> over,
                                                  const intrusive_ptr<booking_owner>& owner) {
        auto machine = std::make_unique<futon::session<futon::futon_protocol>>(
            futon::session_options{.role = role, .limits = bounds}, place.now());
        auto made = futon::detail::make_intrusive<futon::detail::connection>(
            futon::detail::io_place{place, {}}, std::move(over), std::move(machine), owner);
        const futon::detail::running_scope scope{*place.ref()};
        made->open();
        return made;
    }
};

}  // namespace futon_tests
