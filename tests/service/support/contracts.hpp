// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Contracts that several tests of this room share: they are compiled in more than one translation unit.

#include <futon/contract.hpp>
#include <futon/core/bytes.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tests::service {

struct person {
    std::string name;
    int age = 0;
    friend bool operator==(const person&, const person&) = default;
};

struct greeter {
    std::string greet(std::string name);
    person older(person who, int years);
    void log(std::string_view line) const noexcept;
};
FUTON_SERVICE(greeter, greet, (older, futon::idempotent, futon::timeout(500ms)), log)

// The same method names in the same namespace.
struct second_greeter {
    std::vector<int> greet(const std::vector<int>& numbers, bool reversed);
    int older() const;
};
FUTON_SERVICE_AS(second_greeter, "com.example.Greeter:1.0", (greet, futon::timeout(2s)), older)

// One parameter of each accepted kind.
struct kinds {
    void views(std::string_view text, futon::bytes_view blob);
    std::unique_ptr<int> moved(std::unique_ptr<int> by_value, std::unique_ptr<int>&& by_reference);
    int constant(const int by_value, const std::string& by_reference) const;
    void nothing() noexcept;
};
FUTON_SERVICE(kinds, views, moved, constant, nothing)

// Names that the macro's own could clash with.
struct awkward {
    int name(int index);
    int index(int name);
    int attributes();
    int methods();
    int members();
    int invoke();
    int address();
    int R();
    int Token();
    int args(int token);
    int implementation();
    int core();
    int get();
};
FUTON_SERVICE(awkward, name, index, attributes, methods, members, invoke, address, R, Token, args, implementation, core,
              get)

struct base_contract {
    int first(int x);
};
// Inherited methods are named like one's own.
struct derived_contract : base_contract {
    int second(int x);
};
FUTON_SERVICE(derived_contract, first, second)

struct outer {
    struct nested_contract {
        int call(int x);
    };
};
FUTON_SERVICE(outer::nested_contract, call)

namespace deeper {
inline namespace v1 {
struct greeter {
    std::string greet(int number);
};
FUTON_SERVICE(greeter, greet)
}  // namespace v1
}  // namespace deeper

struct undescribed {
    int call(int x);
};

}  // namespace tests::service
