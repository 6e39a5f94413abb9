// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/signature_difference.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using futon::signature_difference;

TEST_CASE("signature difference: the first of what does not fit, in words") {
    CHECK(signature_difference("(str,i32)->str", "(str)->str") == " in the number of parameters, 2 and 1");
    CHECK(signature_difference("()->str", "(str)->str") == " in the number of parameters, 0 and 1");
    CHECK(signature_difference("(str,map<str,i32>)->str", "(str,[i32,str])->str") ==
          " in parameter 2, map<str,i32> and [i32,str]");
    CHECK(signature_difference("({a:i32,b:opt<str>},bool)->nil", "({a:i32,b:opt<str>},str)->nil") ==
          " in parameter 2, bool and str");
    CHECK(signature_difference("(str)->[str,i32]", "(str)->str") == " in the result, [str,i32] and str");
}

TEST_CASE("signature difference: what fits beside it is passed over") {
    CHECK(signature_difference("(i32,bool)->nil", "(i64,str)->nil") == " in parameter 2, bool and str");
}

TEST_CASE("signature difference: what is long is named and not quoted") {
    const std::string many(60, '?');
    CHECK(signature_difference("(bool," + many + ")->nil", "(str," + many + ")->nil") == " in parameter 1, bool and str");
    CHECK(signature_difference("(list<" + many + ">)->nil", "(str)->nil") == " in parameter 1");
}

TEST_CASE("signature difference: of what is no signature nothing is said") {
    for (const char* odd : {"", "ssss", "(", ")", "(str", "(str)", "(str)-", "(str)->", "str)->str", "((((", ")->str"}) {
        CAPTURE(odd);
        CHECK(signature_difference(odd, "(str)->str").empty());
        CHECK(signature_difference("(str)->str", odd).empty());
    }
}

}  // namespace
