// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A service that answers as the test says, method by method.

#include <futon/client/client.hpp>
#include <futon/core/runtime.hpp>
#include <futon/server/server.hpp>
#include <futon/service/service_key.hpp>
#include <futon/testing/detail/fake_answers.hpp>
#include <futon/testing/network.hpp>
#include <futon/testing/simulation.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace futon::testing {

#define FUTON_DETAIL_NO_METHOD_TO_FAKE \
    "futon: this is no method of the fake's contract: name one of its FUTON_SERVICE, e.g. on<&Greeter::greet>"
#define FUTON_DETAIL_CANNOT_ANSWER                                                          \
    "futon: this function cannot answer the method: it must take the method's parameters, " \
    "after an optional call_context& and an optional responder, and return the method's result"

/// Stands in for an implementation of `Contract`:
/// `fake.on<&Greeter::greet>([](std::string name) { return "hi " + name; })`.
///
/// Provide it as `server.provide<Greeter>(fake)`, or call it by `fake.stub()` where no server is wanted. The functions
/// may have all the forms that methods of an implementation may have, those with streams, too; they run on the
/// connection's I/O thread, where they must not block. Methods without a function answer `no_such_method`.
/// Thread-safety: safe. Lifetime: a cheap value; copies share answers and counts. Stubs fail with `client_closed` when
/// the last copy that is not inside a server is gone.
template <contract Contract>
class fake {
    template <auto Method>
    static constexpr std::size_t index = detail::index_of_pointer<Contract, Method>();
    template <auto Method>
    static constexpr bool known = index<Method> < method_count<Contract>;

public:
    fake() = default;

    /// Answers calls of `Method` from now on; a second one takes the place of the first.
    template <auto Method, class F>
        requires(detail::answers_method<Contract, index<Method>, F>)
    fake& on(F function) {
        answers_->template set<index<Method>>(std::move(function));
        return *this;
    }
    template <auto Method, class F>
        requires(!known<Method>)
    __attribute__((unavailable(FUTON_DETAIL_NO_METHOD_TO_FAKE))) fake& on(F function);
    template <auto Method, class F>
        requires(known<Method> && !detail::answers_method<Contract, index<Method>, F>)
    __attribute__((unavailable(FUTON_DETAIL_CANNOT_ANSWER))) fake& on(F function);

    /// How often the method was called, answered or not.
    template <auto Method>
        requires(known<Method>)
    [[nodiscard]] std::size_t calls() const {
        return answers_->calls(index<Method>);
    }
    /// With what, a tuple for each call, in the order of arrival; a parameter that is a stream is left out. Views in
    /// them are good as long as the fake and `forget_calls` allow.
    template <auto Method>
        requires(known<Method>)
    [[nodiscard]] auto arguments() const {
        return answers_->template arguments<index<Method>>();
    }
    void forget_calls() { answers_->forget(); }

    /// Calls the fake from a thread of its own, which it gets with the first stub. All is as over a network: arguments
    /// are encoded and decoded, deadlines and cancels work.
    [[nodiscard]] futon::stub<Contract> stub() const { return stubs_->in(nullptr, *this).template stub<Contract>(); }
    /// The same inside of a runtime that has a network in memory: on "memory://fake-NAME", NAME being that of the
    /// service, for whoever injects faults there; others of that name follow on "memory://fake-NAME-2"...
    [[nodiscard]] futon::stub<Contract> stub(const futon::runtime& where) const {
        return stubs_->in(&where, *this).template stub<Contract>();
    }
    [[nodiscard]] futon::stub<Contract> stub(const simulation& world) const { return stub(world.runtime()); }

private:
    template <class Method, class Implementation>
    friend class detail::typed_handler;

    // One server and one client for each runtime that stubs were wanted in.
    class meetings {
    public:
        futon::client& in(const futon::runtime* where, const fake& whose) {
            const std::lock_guard lock{mutex_};
            auto& made = all_[where ? where->state().get() : nullptr];
            if (!made)
                made = std::make_unique<meeting>(
                    where ? *where : futon::runtime{{.pool_threads = 1, .network = network{}}}, whose);
            return *made->client;
        }

    private:
        struct meeting {
            meeting(const futon::runtime& where, const fake& whose) {
                const std::string name{"memory://fake-" + std::string{service_name<Contract>}};
                // Others may have taken the name.
                for (int number = 1; !client; ++number) {
                    const auto address = number == 1 ? name : name + "-" + std::to_string(number);
                    server = std::make_unique<futon::server>(server_options{.listen = address, .runtime = where});
                    server->template provide<Contract>(whose);
                    try {
                        server->start();
                    } catch (const rpc_error& e) {
                        if (e.code() != errc::listen_failed) throw;
                        continue;
                    }
                    client = std::make_unique<futon::client>(client_options{.endpoints = address, .runtime = where});
                }
            }
            std::unique_ptr<futon::server> server;
            std::unique_ptr<futon::client> client;
        };
        std::mutex mutex_;
        std::map<const detail::runtime_state*, std::unique_ptr<meeting>> all_;
    };

    std::shared_ptr<detail::fake_answers<Contract>> answers_ = std::make_shared<detail::fake_answers<Contract>>();
    std::shared_ptr<meetings> stubs_ = std::make_shared<meetings>();
};

}  // namespace futon::testing

namespace futon::detail {

// A fake has a fitting handler for each method, though none by its name.
template <class Method, class Contract>
struct handler_finder<Method, testing::fake<Contract>> {
    template <class R, class... A>
    struct with {
        using type = found_handler<R, R, false, false>;
    };
};

/// Passes calls on to the answer of the moment. Keeps the answers and not the fake, which may own the server.
template <class Method, class Contract>
class typed_handler<Method, testing::fake<Contract>> final : public method_handler {
public:
    static constexpr bool is_plain = false;

    typed_handler(const std::string& service, const std::shared_ptr<testing::fake<Contract>>& whose)
        : method_handler{describe<Method>(service)}, answers_{whose->answers_} {
        keeps_arguments = true;
    }
    void handle(intrusive_ptr<incoming_call> call) noexcept override {
        try {
            answers_->handle(Method::index, info, call);
        } catch (const std::exception& e) {
            call->answer_error(error{errc::resource_exhausted, e.what(), executed::maybe});
        }
    }
    // Of the same type as any answer's.
    void open_streams(incoming_call& call, item_carrier& over, std::uint64_t window) override {
        using traits = method_traits<Method>;
        using streams = typename traits::streams;
        using port =
            callee_streams<typename streams::item, typename streams::final_result, typename traits::taken_item>;
        if constexpr (streams::any) call.streams = make_intrusive<port>(call, over, window);
    }
    void release() noexcept override { answers_.reset(); }

private:
    std::shared_ptr<fake_answers<Contract>> answers_;
};

}  // namespace futon::detail
