// SPDX-License-Identifier: Apache-2.0
#include <futon/service/method.hpp>

#include "service/support/contracts.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace {

using namespace tests::service;
using futon::detail::parameter_list;

template <class Contract, std::size_t I>
using traits = futon::method_traits<futon::method_at<Contract, I>>;

TEST_CASE("method: result and parameters are those of the declaration") {
    CHECK(std::is_same_v<traits<greeter, 0>::signature, std::string(std::string)>);
    CHECK(std::is_same_v<traits<greeter, 1>::result, person>);
    CHECK(std::is_same_v<traits<greeter, 1>::parameters, parameter_list<person, int>>);
    CHECK(std::is_same_v<traits<second_greeter, 0>::parameters, parameter_list<const std::vector<int>&, bool>>);
    CHECK(std::is_same_v<traits<kinds, 1>::parameters, parameter_list<std::unique_ptr<int>, std::unique_ptr<int>&&>>);
}

TEST_CASE("method: what travels has neither const nor references") {
    CHECK(std::is_same_v<traits<second_greeter, 0>::arguments, parameter_list<std::vector<int>, bool>>);
    CHECK(std::is_same_v<traits<kinds, 0>::arguments, parameter_list<std::string_view, futon::bytes_view>>);
    CHECK(std::is_same_v<traits<kinds, 1>::arguments, parameter_list<std::unique_ptr<int>, std::unique_ptr<int>>>);
    CHECK(std::is_same_v<traits<kinds, 2>::result, int>);
    CHECK(std::is_same_v<traits<kinds, 2>::arguments, parameter_list<int, std::string>>);
    CHECK(std::is_same_v<traits<kinds, 3>::arguments, parameter_list<>>);
}

template <class R, class... A>
struct all_types {};

TEST_CASE("method: the types can be handed to a template, with the result or without") {
    CHECK(std::is_same_v<traits<second_greeter, 0>::apply<all_types>,
                         all_types<std::vector<int>, std::vector<int>, bool>>);
    CHECK(std::is_same_v<traits<second_greeter, 0>::apply_arguments<std::tuple>, std::tuple<std::vector<int>, bool>>);
}

TEST_CASE("method: const and noexcept change nothing") {
    CHECK(std::is_same_v<traits<greeter, 2>::signature, void(std::string_view)>);
    CHECK(std::is_same_v<traits<second_greeter, 1>::signature, int()>);
}

TEST_CASE("method: an inherited method is a method") {
    CHECK(std::is_same_v<traits<derived_contract, 0>::signature, int(int)>);
    CHECK(std::is_same_v<traits<derived_contract, 1>::signature, int(int)>);
}

TEST_CASE("method: a call without a token returns a future") {
    using futon::detail::call_return;
    CHECK(std::is_same_v<call_return<futon::method_at<greeter, 1>, futon::use_future_t>::type, futon::future<person>>);
    CHECK(std::is_same_v<call_return<futon::method_at<greeter, 2>, const futon::use_future_t&>::type,
                         futon::future<void>>);
}

struct unfit {
    int overloaded(int x);
    int overloaded(double x);
    template <class T>
    int generic(T x);
    static int fixed(int x);
    int data;
    int open(int x, ...);
    int qualified() &;
    int& reference();
    const char* pointer();
    std::string_view view();
    futon::bytes_view const_view() const;
    int out(int& x);
    int text(const char* x);
    int with();
    int good();

private:
    int secret();
};

// What the macro makes, as far as the check looks at it.
#define METHOD(m)                                  \
    struct has_##m {                               \
        using contract = unfit;                    \
        static constexpr std::string_view name{#m}; \
        struct futon_twin {                        \
            int m;                                 \
        };                                         \
        template <class C>                         \
        static auto address() -> decltype(&C::m);  \
    };
METHOD(overloaded)
METHOD(generic)
METHOD(fixed)
METHOD(data)
METHOD(open)
METHOD(qualified)
METHOD(reference)
METHOD(pointer)
METHOD(view)
METHOD(const_view)
METHOD(out)
METHOD(text)
METHOD(with)
METHOD(good)
METHOD(secret)
METHOD(absent)
#undef METHOD

TEST_CASE("method: each unfit declaration is told apart") {
    using futon::detail::problem_of;
    using problem = futon::detail::method_problem;
    CHECK(problem_of<has_good>() == problem::none);
    CHECK(problem_of<has_overloaded>() == problem::ambiguous);
    CHECK(problem_of<has_generic>() == problem::ambiguous);
    CHECK(problem_of<has_secret>() == problem::ambiguous);
    CHECK(problem_of<has_absent>() == problem::missing);
    CHECK(problem_of<has_fixed>() == problem::no_member_function);
    CHECK(problem_of<has_data>() == problem::no_member_function);
    CHECK(problem_of<has_open>() == problem::variadic);
    CHECK(problem_of<has_qualified>() == problem::qualified);
    CHECK(problem_of<has_reference>() == problem::reference_result);
    CHECK(problem_of<has_pointer>() == problem::pointer_result);
    CHECK(problem_of<has_view>() == problem::view_result);
    CHECK(problem_of<has_const_view>() == problem::view_result);
    CHECK(problem_of<has_out>() == problem::pointer_parameter);
    CHECK(problem_of<has_text>() == problem::pointer_parameter);
    CHECK(problem_of<has_with>() == problem::reserved_name);
}

TEST_CASE("method: an unfit declaration has an empty signature, so that one mistake is one error") {
    CHECK(std::is_same_v<futon::detail::declared_signature<has_overloaded>::type, void()>);
}

}  // namespace
