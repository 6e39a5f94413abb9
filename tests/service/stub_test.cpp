// SPDX-License-Identifier: Apache-2.0
#include <futon/service/stub.hpp>

#include "service/support/contracts.hpp"
#include "service/support/stand_ins.hpp"
#include "service/support/widest_contract.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace tests::stubs {

// Ends a call by writing down that it was made.
struct recorder {
    std::string* text;
};

struct contract {
    std::string greet(std::string name);
    int sum(const tests::service::person& who, long years);
    void take(std::unique_ptr<int> what);
};
FUTON_SERVICE(contract, greet, sum, take)

using greet = futon::method_at<contract, 0>;
using sum = futon::method_at<contract, 1>;
using take = futon::method_at<contract, 2>;

}  // namespace tests::stubs

template <class R>
struct futon::detail::token_traits<tests::stubs::recorder, R> {
    static constexpr bool accepted = true;
};
template <class Method>
struct futon::detail::call_return<Method, tests::stubs::recorder> {
    using type = int;
};
template <class R>
struct futon::detail::call_start<tests::stubs::greet, R> {};
template <class R>
struct futon::detail::call_start<tests::stubs::sum, R> {};
template <class R>
struct futon::detail::call_start<tests::stubs::take, R> {};
template <>
inline int futon::detail::start_call<tests::stubs::greet>(const stub_core&, tests::stubs::recorder&& to,
                                                          std::string&& name) {
    *to.text = "greet " + name;
    return 1;
}
template <>
inline int futon::detail::start_call<tests::stubs::sum>(const stub_core&, tests::stubs::recorder&& to,
                                                        const tests::service::person& who, long&& years) {
    *to.text = "sum " + who.name + " " + std::to_string(years);
    return 2;
}
template <>
inline int futon::detail::start_call<tests::stubs::take>(const stub_core&, tests::stubs::recorder&& to,
                                                         std::unique_ptr<int>&& what) {
    *to.text = "take " + std::to_string(*what);
    return 3;
}

namespace {

using namespace tests::service;
using futon::future;
using futon::stub;

// What the call returns, without making it.
#define RETURNS(type, ...) CHECK(std::is_same_v<decltype(__VA_ARGS__), type>)

TEST_CASE("stub: each method of the contract is one, and returns a future of its result") {
    const stub<greeter> one;
    RETURNS(future<std::string>, one.greet(std::string{"ann"}));
    RETURNS(future<person>, one.older(person{"tom", 1}, 2));
    RETURNS(future<void>, one.log("line"));
    RETURNS(future<std::string>, stub<widest>{}.m63(1));
    RETURNS(future<int>, stub<derived_contract>{}.first(1));
    RETURNS(future<int>, stub<outer::nested_contract>{}.call(1));
}

TEST_CASE("stub: arguments convert as in a plain call, braced ones too") {
    const stub<greeter> one;
    RETURNS(future<std::string>, one.greet("ann"));
    RETURNS(future<std::string>, one.greet({}));
    RETURNS(future<std::string>, one.greet({'a', 'b'}));
    RETURNS(future<person>, one.older({"tom", 1}, 2));
    RETURNS(future<person>, one.older({.name = "tom"}, 2));
    RETURNS(future<std::vector<int>>, stub<second_greeter>{}.greet({1, 2, 3}, true));
    RETURNS(future<void>, stub<kinds>{}.views("text", {}));
    RETURNS(future<std::unique_ptr<int>>, stub<kinds>{}.moved(std::make_unique<int>(1), nullptr));
}

TEST_CASE("stub: what does not fit the parameters is no call") {
    const auto takes = []<class... A>(const auto& of, A&&... args) {
        return requires { of.greet(static_cast<A&&>(args)...); };
    };
    CHECK(takes(stub<greeter>{}, "ann"));
    CHECK_FALSE(takes(stub<greeter>{}, 1));
    CHECK_FALSE(takes(stub<greeter>{}));
    CHECK_FALSE(takes(stub<greeter>{}, std::unique_ptr<int>{}));
}

TEST_CASE("stub: names that the library uses itself are free for methods") {
    const stub<awkward> one;
    RETURNS(future<int>, one.name(1));
    RETURNS(future<int>, one.index(1));
    RETURNS(future<int>, one.members());
    RETURNS(future<int>, one.R());
    RETURNS(future<int>, one.Token());
    RETURNS(future<int>, one.core());
    RETURNS(future<int>, one.get());
}

TEST_CASE("stub: a call hands its converted arguments and its token on") {
    const stub<tests::stubs::contract> one;
    std::string text;
    CHECK(one.greet("ann", tests::stubs::recorder{&text}) == 1);
    CHECK(text == "greet ann");
    CHECK(one.sum({"tom", 1}, 2, tests::stubs::recorder{&text}) == 2);
    CHECK(text == "sum tom 2");
    CHECK(one.take(std::make_unique<int>(5), tests::stubs::recorder{&text}) == 3);
    CHECK(text == "take 5");
}

TEST_CASE("stub: it is a value, and no bigger than what it holds") {
    CHECK(sizeof(stub<widest>) == sizeof(futon::detail::stub_core));
    CHECK(std::is_nothrow_move_constructible_v<stub<greeter>>);
    CHECK(std::is_copy_assignable_v<stub<greeter>>);
    CHECK_FALSE(std::is_convertible_v<futon::detail::stub_core, stub<greeter>>);
    CHECK_FALSE(std::is_convertible_v<stub<greeter>, stub<second_greeter>>);
}

}  // namespace
