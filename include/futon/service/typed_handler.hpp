// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From an encoded call to the user's method and back: one class per method and implementation.

#include <futon/async/awaitable.hpp>
#include <futon/async/future.hpp>
#include <futon/async/sink.hpp>
#include <futon/async/stream.hpp>
#include <futon/async/task.hpp>
#include <futon/service/detail/callee_streams.hpp>
#include <futon/service/implementation.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/service/packability.hpp>
#include <futon/service/responder.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/signature.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace futon {
namespace detail {

template <class T, class Executor>
struct handler_return<asio::awaitable<T, Executor>> {
    using value = T;
    static constexpr returns_kind kind = returns_kind::awaitable;
};

template <class T>
struct wire_type {
    using type = T;
};
template <class T, class R>
struct wire_type<stream<T, R>> {
    using type = item_stream<T, R>;
};

template <class Method>
struct method_signature {
    template <class R, class... A>
    struct of {
        static std::string text() {
            return signature_of<typename wire_type<R>::type, typename wire_type<A>::type...>();
        }
    };
};

/// What the contract says about one of its methods, as the wire needs it.
template <class Method>
[[nodiscard]] method_info describe(const std::string& service) {
    method_info info;
    info.service = service;
    info.name = Method::name;
    info.signature = method_traits<Method>::template apply<method_signature<Method>::template of>::text();
    info.idempotent = Method::attributes.idempotent;
    info.failfast = Method::attributes.failfast;
    info.timeout = Method::attributes.timeout;
    info.has_streams = method_traits<Method>::streams::any;
    return info;
}

/// Those of a whole contract, in its order.
template <class Contract>
[[nodiscard]] std::vector<method_info> describe_all(const std::string& service) {
    std::vector<method_info> all;
    all.reserve(method_count<Contract>);
    for_each_method<Contract>([&](auto method) { all.push_back(describe<decltype(method)>(service)); });
    return all;
}

/// Holds a provided object in any of the forms that `provide` takes.
template <class Implementation>
using implementation_ptr = std::shared_ptr<Implementation>;

template <class Method, class Implementation>
class typed_handler final : public method_handler {
    using traits = method_traits<Method>;
    using streams = typename traits::streams;
    using result_type = typename streams::final_result;
    using port = callee_streams<typename streams::item, result_type, typename traits::taken_item>;
    static constexpr handler_shape shape = handler_of<Method, Implementation>::shape;

public:
    static constexpr bool is_plain =
        !shape.passes_responder && (shape.returns == returns_kind::value || shape.returns == returns_kind::result);

    typed_handler(const std::string& service, implementation_ptr<Implementation> implementation)
        : method_handler{describe<Method>(service)}, implementation_{std::move(implementation)} {
        keeps_arguments = !is_plain || streams::any;
    }

    void handle(intrusive_ptr<incoming_call> call) noexcept override {
        const context_scope scope{call.get()};
        try {
            using travelling = typename traits::template apply_arguments<plain_arguments>;
            auto arguments = decode(call->arguments, *call->complexity, static_cast<travelling*>(nullptr));
            if (!arguments) {
                call->answer_error(arguments.error().with_executed(executed::no));
                return;
            }
            if constexpr (streams::any) {
                intrusive_ptr<port> its_streams{static_cast<port*>(call->streams.get())};
                [[maybe_unused]] auto taken = its_streams->taken(current_executor());
                its_streams->begin();
                traits::template apply_arguments<argument_merger>::apply(*arguments, taken, [&](auto&&... each) {
                    invoke(answer_to{std::move(call), std::move(its_streams)}, std::move(each)...);
                });
            } else {
                std::apply([&](auto&... each) { invoke(answer_to{std::move(call)}, std::move(each)...); }, *arguments);
            }
        } catch (const std::exception& e) {
            // Only running out of memory gets here: what the user's code throws is caught around it.
            call->answer_error(error{errc::resource_exhausted, e.what(), executed::maybe});
        }
    }

    void open_streams(incoming_call& call, item_carrier& over, std::uint64_t window) override {
        if constexpr (streams::any) call.streams = make_intrusive<port>(call, over, window);
    }
    void release() noexcept override { implementation_.reset(); }

private:
    // Who hears of the handler's result: where items go out before it, their port.
    struct plain_answer {
        intrusive_ptr<incoming_call> call;
        intrusive_ptr<port> its_streams{};
        void give(result<result_type>&& outcome) const noexcept { call->answer(std::move(outcome)); }
        void fail(const error& why) const noexcept { call->answer_error(why); }
        void fail_with_exception() const noexcept { call->answer_exception(); }
        [[nodiscard]] auto ending() const { return responder<result_type>{call}; }
    };
    struct last_answer {
        intrusive_ptr<incoming_call> call;
        intrusive_ptr<port> its_streams;
        void give(result<result_type> outcome) const noexcept { its_streams->conclude(std::move(outcome)); }
        void fail(error why) const noexcept { its_streams->conclude(std::move(why)); }
        void fail_with_exception() const noexcept {
            fail(error::from_exception(std::current_exception(), executed::yes));
        }
        [[nodiscard]] auto ending() const {
            using item = typename streams::item;
            return sink<item>{make_intrusive<call_sink<item, port>>(call, its_streams), current_executor()};
        }
    };
    using answer_to = std::conditional_t<streams::gives_items, last_answer, plain_answer>;

    template <class... A>
    static auto decode(bytes_view body, const complexity_limits& limits, std::tuple<std::type_identity<A>...>*) {
        return decode_arguments<A...>(body, limits);
    }

    template <class... A>
    void invoke(answer_to to, A&&... arguments) noexcept {
        const auto run = [&]() -> decltype(auto) {
            return call_handler<Method>(
                *implementation_, *to.call, [&] { return to.ending(); }, std::forward<A>(arguments)...);
        };
        try {
            if constexpr (shape.passes_responder) {
                run();
            } else if constexpr (shape.returns == returns_kind::value) {
                if constexpr (std::is_void_v<result_type>) {
                    run();
                    to.give({});
                } else {
                    to.give(result<result_type>{std::in_place, run()});
                }
            } else if constexpr (shape.returns == returns_kind::result) {
                settle(to, run());
            } else if constexpr (shape.returns == returns_kind::stream) {
                to.its_streams->forward(run());
            } else if constexpr (shape.returns == returns_kind::future) {
                answer_later(to, run(), nullptr);
            } else {
                // A coroutine uses the implementation until it ends.
                answer_later(to, spawn(current_executor(), run()), implementation_);
            }
        } catch (...) {
            to.fail_with_exception();
        }
    }

    // The handler's own value type may only convert to the contract's.
    template <class T>
    static void settle(const answer_to& to, result<T>&& outcome) noexcept {
        // Its own error is news of a handler that ran.
        if (!outcome) return to.fail(outcome.error().with_executed(executed::yes));
        if constexpr (std::is_same_v<T, result_type>) {
            to.give(std::move(outcome));
        } else {
            try {
                to.give(result<result_type>{std::in_place, *std::move(outcome)});
            } catch (...) {
                to.fail_with_exception();
            }
        }
    }

    template <class T>
    static void answer_later(const answer_to& to, future<T> pending, const implementation_ptr<Implementation>& keep) {
        // The caller's cancel ends what the handler waits for.
        if (!to.call->run_to_end) to.call->waits_for(pending.get_cancel_handle().target());
        // On the connection's executor, which no full queue can refuse, whatever executor the future has.
        std::move(pending).on_complete(to.call->home(), [answer = owed_answer{to}, keep](result<T>&& outcome) {
            settle(answer.to, std::move(outcome));
        });
    }

    // Where that executor ends before the future, the call must not just go: its connection still names it.
    struct owed_answer {
        explicit owed_answer(answer_to whom) noexcept : to{std::move(whom)} {}
        owed_answer(owed_answer&&) noexcept = default;
        owed_answer& operator=(owed_answer&&) = delete;
        ~owed_answer() {
            if (to.call && !to.call->answered())
                to.fail(error{errc::connection_lost, "the executor of the connection has ended"});
        }
        answer_to to;
    };

    implementation_ptr<Implementation> implementation_;
};

}  // namespace detail
}  // namespace futon
