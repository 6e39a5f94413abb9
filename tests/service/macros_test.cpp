// SPDX-License-Identifier: Apache-2.0
#include <futon/contract.hpp>
// The header under test holds only macros; contract.hpp is how it is included.
#include <futon/service/macros.hpp>

#include "service/support/contracts.hpp"
#include "service/support/widest_contract.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace tests::macros {

// A using-directive brings in what the macro made elsewhere; that must not disturb a contract here.
using namespace tests::service;

struct local {
    int greet(int x);
};
FUTON_SERVICE(local, greet)

// Attributes are expressions of this scope.
constexpr auto patience = std::chrono::seconds{7};
struct patient {
    int first();
    int second();
};
FUTON_SERVICE_AS(patient, "patient", (first, futon::timeout(patience), futon::idempotent), (second))

namespace {
struct hidden {
    int greet(int x);
};
FUTON_SERVICE(hidden, greet)

TEST_CASE("macros: a contract in an unnamed namespace is one") {
    CHECK(futon::contract<hidden>);
    CHECK(futon::service_name<hidden> == "hidden");
}
}  // namespace

}  // namespace tests::macros

// In the global namespace too, with or without a semicolon.
struct global_contract_of_macros_test {
    int greet(int x);
};
FUTON_SERVICE(global_contract_of_macros_test, greet);

namespace {

using namespace tests::service;
using namespace std::chrono_literals;

TEST_CASE("macros: a contract is one wherever it stands") {
    CHECK(futon::contract<greeter>);
    CHECK(futon::contract<deeper::greeter>);
    CHECK(futon::contract<outer::nested_contract>);
    CHECK(futon::contract<tests::macros::local>);
    CHECK(futon::contract<::global_contract_of_macros_test>);
    CHECK(futon::contract<derived_contract>);
}

TEST_CASE("macros: nothing else is a contract") {
    CHECK_FALSE(futon::contract<undescribed>);
    CHECK_FALSE(futon::contract<base_contract>);
    CHECK_FALSE(futon::contract<int>);
    CHECK_FALSE(futon::contract<std::string>);
}

TEST_CASE("macros: what derives from a contract is none by that") {
    struct heir : greeter {};
    CHECK_FALSE(futon::contract<heir>);
}

TEST_CASE("macros: the name on the wire is the contract's own, without its scope, unless it is given") {
    CHECK(futon::service_name<greeter> == "greeter");
    CHECK(futon::service_name<deeper::greeter> == "greeter");
    CHECK(futon::service_name<outer::nested_contract> == "nested_contract");
    CHECK(futon::service_name<second_greeter> == "com.example.Greeter:1.0");
}

TEST_CASE("macros: methods keep the order and the spelling of the macro") {
    CHECK(futon::method_count<greeter> == 3);
    CHECK(futon::method_at<greeter, 0>::name == "greet");
    CHECK(futon::method_at<greeter, 1>::name == "older");
    CHECK(futon::method_at<greeter, 2>::name == "log");
    CHECK(futon::method_at<awkward, 0>::name == "name");
    CHECK(futon::method_at<awkward, 7>::name == "R");
}

TEST_CASE("macros: 64 methods are taken, and each knows its place") {
    CHECK(futon::method_count<widest> == 64);
    CHECK(futon::method_at<widest, 0>::name == "m0");
    CHECK(futon::method_at<widest, 63>::name == "m63");
    std::size_t place = 0;
    futon::for_each_method<widest>([&](auto method) { CHECK(method.index == place++); });
    CHECK(place == 64);
}

TEST_CASE("macros: attributes stand behind the name, in any order, or not at all") {
    using greet = futon::method_at<greeter, 0>;
    CHECK_FALSE(greet::attributes.idempotent);
    CHECK(greet::attributes.timeout == futon::duration::zero());
    using older = futon::method_at<greeter, 1>;
    CHECK(older::attributes.idempotent);
    CHECK(older::attributes.timeout == 500ms);
    using first = futon::method_at<tests::macros::patient, 0>;
    CHECK(first::attributes.idempotent);
    CHECK(first::attributes.timeout == 7s);
    CHECK_FALSE(futon::method_at<tests::macros::patient, 1>::attributes.idempotent);
}

TEST_CASE("macros: two contracts of one namespace may have equal method names") {
    using one = futon::method_at<greeter, 0>;
    using other = futon::method_at<second_greeter, 0>;
    CHECK(one::name == other::name);
    CHECK_FALSE(std::is_same_v<one, other>);
    CHECK(std::is_same_v<one::contract, greeter>);
    CHECK(std::is_same_v<other::contract, second_greeter>);
}

}  // namespace
