// SPDX-License-Identifier: Apache-2.0
#include <futon/service/description.hpp>

#include "service/support/contracts.hpp"
#include "service/support/widest_contract.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace tests::service;
using futon::detail::unqualified;
using futon::detail::valid_wire_name;

TEST_CASE("description: methods are visited in the order of the macro") {
    std::string names;
    futon::for_each_method<greeter>([&]<class Method>(Method) { names.append(Method::name).append(" "); });
    CHECK(names == "greet older log ");
}

TEST_CASE("description: a method calls its namesake of any object that has a fitting one") {
    struct implementation {
        std::string greet(const std::string& name) const { return "hello " + name; }
        person older(person who, long years) { return {who.name, who.age + static_cast<int>(years)}; }
        int log(int) { return 0; }
    };
    implementation one;
    const implementation fixed;
    using greet = futon::method_at<greeter, 0>;
    using older = futon::method_at<greeter, 1>;
    using log = futon::method_at<greeter, 2>;
    CHECK(greet::invoke(one, "ann") == "hello ann");
    CHECK(greet::invoke(fixed, std::string{"bob"}) == "hello bob");
    CHECK(older::invoke(one, person{"tom", 1}, 2) == person{"tom", 3});

    constexpr auto callable = []<class Method, class Object, class... A>(Method, Object&, A&&... args) {
        return requires(Object& object) { Method::invoke(object, static_cast<A&&>(args)...); };
    };
    CHECK(callable(greet{}, one, "ann"));
    CHECK_FALSE(callable(greet{}, one, 1));
    CHECK_FALSE(callable(greet{}, one));
    CHECK_FALSE(callable(older{}, fixed, person{}, 1));
    CHECK_FALSE(callable(log{}, one, "line"));
}

TEST_CASE("description: references and move-only values pass through a call by name") {
    struct implementation {
        int& first(int& x) { return x; }
        std::unique_ptr<int> second(std::unique_ptr<int> x) { return x; }
    };
    implementation one;
    int x = 0;
    CHECK(&futon::method_at<derived_contract, 0>::invoke(one, x) == &x);
    CHECK(*futon::method_at<derived_contract, 1>::invoke(one, std::make_unique<int>(4)) == 4);
}

TEST_CASE("description: the scope of a contract is not part of its name") {
    CHECK(unqualified("Greeter") == "Greeter");
    CHECK(unqualified("app::Greeter") == "Greeter");
    CHECK(unqualified("::a::b::Greeter") == "Greeter");
    CHECK(unqualified("app :: Greeter") != "app :: Greeter");
}

TEST_CASE("description: a wire name is short and has no blanks") {
    CHECK(valid_wire_name("Greeter"));
    CHECK(valid_wire_name("com.example.Greeter:1.0:blue"));
    CHECK(valid_wire_name(std::string(255, 'x')));
    CHECK_FALSE(valid_wire_name(""));
    CHECK_FALSE(valid_wire_name("two words"));
    CHECK_FALSE(valid_wire_name("line\n"));
    CHECK_FALSE(valid_wire_name(std::string(256, 'x')));
}

}  // namespace
