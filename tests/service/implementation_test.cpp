// SPDX-License-Identifier: Apache-2.0
#include <futon/service/implementation.hpp>

#include "service/support/contracts.hpp"
#include "service/support/stand_ins.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using namespace tests::service;
using futon::call_context;
using futon::responder;
using futon::detail::handler_of;
using futon::detail::handler_shape;
using futon::detail::returns_kind;

using greet = futon::method_at<greeter, 0>;
using log_method = futon::method_at<greeter, 2>;

template <class Implementation>
constexpr bool fits_greet = futon::detail::fits<greet, Implementation>;
template <class Implementation>
constexpr handler_shape shape_of = handler_of<greet, Implementation>::shape;

TEST_CASE("implementation: a handler may return its value in any of the accepted wrappings") {
    struct value {
        std::string greet(std::string);
    };
    struct checked {
        futon::result<std::string> greet(std::string);
    };
    struct later {
        futon::future<std::string> greet(std::string);
    };
    struct coroutine {
        futon::task<std::string> greet(std::string);
    };
    CHECK(fits_greet<value>);
    CHECK(shape_of<value> == handler_shape{false, false, returns_kind::value});
    CHECK(fits_greet<checked>);
    CHECK(shape_of<checked>.returns == returns_kind::result);
    CHECK(fits_greet<later>);
    CHECK(shape_of<later>.returns == returns_kind::future);
    CHECK(fits_greet<coroutine>);
    CHECK(shape_of<coroutine>.returns == returns_kind::task);
    CHECK(std::is_same_v<handler_of<greet, coroutine>::value, std::string>);
    CHECK(std::is_same_v<handler_of<greet, coroutine>::returned, futon::task<std::string>>);
}

TEST_CASE("implementation: the result may be anything that converts to the contract's") {
    struct literal {
        const char* greet(std::string);
    };
    struct reference {
        const std::string& greet(std::string);
    };
    struct later {
        futon::future<const char*> greet(std::string);
    };
    struct number {
        int greet(std::string);
    };
    struct nothing {
        void greet(std::string);
    };
    struct view {
        std::string_view greet(std::string);
    };
    struct wrapped_twice {
        futon::future<futon::result<std::string>> greet(std::string);
    };
    CHECK(fits_greet<literal>);
    CHECK(fits_greet<reference>);
    CHECK(fits_greet<later>);
    CHECK_FALSE(fits_greet<number>);
    CHECK_FALSE(fits_greet<nothing>);
    CHECK_FALSE(fits_greet<view>);
    CHECK_FALSE(fits_greet<wrapped_twice>);
    CHECK(handler_of<greet, number>::found);
    CHECK_FALSE(handler_of<greet, number>::returns_right);
}

TEST_CASE("implementation: a method without a result returns none") {
    struct none {
        void log(std::string_view);
    };
    struct checked {
        futon::result<void> log(std::string_view);
    };
    struct some {
        int log(std::string_view);
    };
    CHECK(futon::detail::fits<log_method, none>);
    CHECK(futon::detail::fits<log_method, checked>);
    CHECK_FALSE(futon::detail::fits<log_method, some>);
}

TEST_CASE("implementation: a handler may take the context, a responder, or both in this order") {
    struct context {
        std::string greet(call_context&, std::string);
    };
    struct answers {
        void greet(responder<std::string>, std::string);
    };
    struct both {
        void greet(call_context&, responder<std::string>, std::string);
    };
    struct other_order {
        void greet(responder<std::string>, call_context&, std::string);
    };
    struct answers_twice {
        std::string greet(responder<std::string>, std::string);
    };
    struct answers_later {
        futon::task<void> greet(responder<std::string>, std::string);
    };
    struct other_responder {
        void greet(responder<int>, std::string);
    };
    CHECK(fits_greet<context>);
    CHECK(shape_of<context> == handler_shape{true, false, returns_kind::value});
    CHECK(fits_greet<answers>);
    CHECK(shape_of<answers> == handler_shape{false, true, returns_kind::value});
    CHECK(fits_greet<both>);
    CHECK(shape_of<both> == handler_shape{true, true, returns_kind::value});
    CHECK_FALSE(handler_of<greet, other_order>::found);
    CHECK_FALSE(fits_greet<answers_twice>);
    CHECK_FALSE(fits_greet<answers_later>);
    CHECK_FALSE(handler_of<greet, other_responder>::found);
}

TEST_CASE("implementation: parameters take the decoded arguments as rvalues") {
    struct by_reference {
        std::string greet(const std::string&) const;
    };
    struct by_rvalue {
        std::string greet(std::string&&);
    };
    struct by_view {
        std::string greet(std::string_view);
    };
    struct by_lvalue {
        std::string greet(std::string&);
    };
    struct too_many {
        std::string greet(std::string, int);
    };
    struct defaulted {
        std::string greet(std::string, int = 0);
    };
    CHECK(fits_greet<by_reference>);
    CHECK(fits_greet<const by_reference>);
    CHECK(fits_greet<by_rvalue>);
    CHECK_FALSE(fits_greet<const by_rvalue>);
    CHECK(fits_greet<by_view>);
    CHECK_FALSE(fits_greet<by_lvalue>);
    CHECK_FALSE(fits_greet<too_many>);
    CHECK(fits_greet<defaulted>);
}

struct overloads {
    std::string greet(int);
    std::string greet(std::string);
    std::string greet(call_context&, std::string);
};
struct generic {
    template <class T>
    T greet(T name) {
        return name;
    }
};
struct takes_anything {
    std::string greet(auto&&...) { return {}; }
};

TEST_CASE("implementation: overloads and templates are fine, and the contract's own form comes first") {
    CHECK(fits_greet<overloads>);
    CHECK(shape_of<overloads> == handler_shape{});
    CHECK(fits_greet<generic>);
    CHECK(fits_greet<takes_anything>);
    CHECK(shape_of<takes_anything> == handler_shape{});
}

TEST_CASE("implementation: move-only values travel through") {
    struct mover {
        void views(std::string_view, futon::bytes_view);
        std::unique_ptr<int> moved(std::unique_ptr<int>, std::unique_ptr<int>&&);
        int constant(int, const std::string&) const;
        void nothing();
    };
    CHECK(futon::implements<mover, kinds>);
}

TEST_CASE("implementation: the whole contract is asked for") {
    struct whole {
        std::string greet(std::string);
        person older(person, int);
        void log(std::string);
    };
    struct inherits : whole {
        using whole::greet;
        std::string greet(int);
    };
    struct part {
        std::string greet(std::string);
    };
    // The contract's string_view does not become a string by itself.
    CHECK_FALSE(futon::implements<whole, greeter>);
    CHECK_FALSE(futon::implements<inherits, greeter>);
    CHECK_FALSE(futon::implements<part, greeter>);
    CHECK_FALSE(futon::implements<whole, undescribed>);

    struct right : whole {
        void log(std::string_view);
    };
    CHECK(futon::implements<right, greeter>);
    CHECK(futon::detail::require_implementation<greeter, right>());
}

}  // namespace
