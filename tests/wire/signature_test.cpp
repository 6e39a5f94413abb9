// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/signature.hpp>

#include <doctest/doctest.h>

#include <msgpack.hpp>

#include <array>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

enum class colour : short { red };
struct point {
    int x = 0;
    int y = 0;
};
struct person {
    std::string name;
    point home;
    std::optional<std::uint8_t> age;
};
struct tree {
    int value = 0;
    std::vector<tree> children;
};
struct second;
struct first {
    std::vector<second> seconds;
};
struct second {
    std::vector<first> firsts;
    std::vector<second> seconds;
};
struct defined {
    std::string name;
    char tag[4] = {};
    unsigned char raw[2] = {};
    short grid[2][1] = {};
    std::shared_ptr<defined> next;
    MSGPACK_DEFINE(name, tag, raw, grid, next)
};
struct named {
    int id = 7;
    std::map<std::string, named> parts;
    MSGPACK_DEFINE_MAP(id, MSGPACK_NVP("x-y:z", parts))
};
class by_hand {
public:
    template <class Packer>
    void msgpack_pack(Packer& to) const {
        to.pack_nil();
    }
    void msgpack_unpack(const msgpack::object&) {}
};
template <class T>
struct eight {
    T a, b, c, d, e, f, g, h;
};
using many = eight<eight<eight<eight<eight<eight<int>>>>>>;

TEST_CASE("signature: scalars are spelled by kind and width") {
    CHECK(futon::signature_of<void>() == "()->nil");
    CHECK(futon::signature_of<bool, std::int8_t, std::uint16_t, int, std::int64_t, unsigned long long>() ==
          "(i8,u16,i32,i64,u64)->bool");
    CHECK(futon::signature_of<double, float, colour, std::monostate>() == "(f32,i16,nil)->f64");
    CHECK(futon::signature_of<std::string, const std::string&, std::string_view>() == "(str,str)->str");
    CHECK(futon::signature_of<futon::bytes, futon::bytes_view, std::array<char, 4>, std::vector<unsigned char>>() ==
          "(bin,bin,bin)->bin");
    CHECK(futon::signature_of<std::chrono::hours, std::chrono::system_clock::time_point>() == "(time)->duration");
}

TEST_CASE("signature: compounds are spelled by what they hold") {
    CHECK(futon::signature_of<std::list<int>, std::set<int>, std::vector<bool>>() ==
          "(list<i32>,list<bool>)->list<i32>");
    CHECK(futon::signature_of<std::map<int, std::string>, std::unordered_map<std::string, int>>() ==
          "(map<str,i32>)->map<i32,str>");
    CHECK(futon::signature_of<std::optional<int>, std::unique_ptr<int>, std::shared_ptr<const int>>() ==
          "(opt<i32>,opt<i32>)->opt<i32>");
    CHECK(futon::signature_of<std::variant<int, std::string>, std::tuple<int, bool>, std::pair<int, std::tuple<>>,
                              std::array<int, 3>>() == "((i32,bool),(i32,()),array<3,i32>)->one<i32,str>");
    CHECK(futon::signature_of<person, point>() == "([i32,i32])->[str,[i32,i32],opt<u8>]");
}

TEST_CASE("signature: a type inside itself refers back") {
    CHECK(futon::signature_of<tree>() == "()->[i32,list<^1>]");
    CHECK(futon::signature_of<first, second>() == "([list<[list<^2>]>,list<^1>])->[list<[list<^2>,list<^1>]>]");
    CHECK(futon::signature_of<std::vector<tree>, person, tree>() ==
          "([str,[i32,i32],opt<u8>],[i32,list<^1>])->list<[i32,list<^1>]>");
}

TEST_CASE("signature: a struct with MSGPACK_DEFINE shows its fields, and its names where it sends them") {
    CHECK(futon::signature_of<defined>() == "()->[str,str,bin,array<2,array<1,i16>>,opt<^1>]");
    CHECK(futon::signature_of<named>() == "()->{id:i32,x%2dy%3az:map<str,^1>}");
    CHECK(futon::signature_of<by_hand, int, by_hand>() == "(i32,?)->?");
}

TEST_CASE("signature: what would be too long loses its depth and stays compatible with itself") {
    const auto text = futon::signature_of<many, point>();
    CHECK(text.size() <= futon::longest_signature);
    CHECK(text.starts_with("([i32,i32])->[[["));
    CHECK(text.find('?') != std::string::npos);
    CHECK(futon::compatible(text, text));
    CHECK(futon::compatible(text, "([i32,i32])->?"));
    CHECK_FALSE(futon::compatible(text, "([i32,i32])->str"));
}

TEST_CASE("signature: each is compatible with itself") {
    for (const auto& text :
         {futon::signature_of<void>(), futon::signature_of<person, tree, first>(),
          futon::signature_of<defined, named>(),
          futon::signature_of<std::variant<int, std::map<int, tree>>, std::array<std::optional<named>, 2>>()}) {
        CAPTURE(text);
        CHECK(futon::compatible(text, text));
    }
}

struct row {
    const char* theirs;
    const char* ours;
    bool compatible;
};

TEST_CASE("signature: what is compatible with what") {
    constexpr row table[] = {
        // Integers of any width and signedness, floats of any width; nothing else stands in for another kind.
        {"(i8)->nil", "(u64)->nil", true},
        {"(i32)->nil", "(i64)->nil", true},
        {"(f32)->nil", "(f64)->nil", true},
        {"(i32)->nil", "(f64)->nil", false},
        {"(bool)->nil", "(i8)->nil", false},
        {"(str)->nil", "(bin)->nil", false},
        {"(duration)->nil", "(i64)->nil", false},
        {"(duration)->nil", "(time)->nil", false},
        {"()->nil", "()->i32", false},
        {"()->str", "()->i32", false},
        // Arguments are exact.
        {"()->nil", "(i32)->nil", false},
        {"(i32,i32)->nil", "(i32)->nil", false},
        {"(i32,str)->nil", "(str,i32)->nil", false},
        // A struct may be a prefix of the other, in both directions and at any depth.
        {"([str])->nil", "([str,i32])->nil", true},
        {"([str,i32])->nil", "([str])->nil", true},
        {"([])->nil", "([str,list<map<str,(i32,?)>>])->nil", true},
        {"([str,[i32]])->list<[i32]>", "([str,[i32,i32],f64])->list<[i32,str]>", true},
        {"([str,i32])->nil", "([i32,str])->nil", false},
        {"([str,[i32],i32])->nil", "([str,[str]])->nil", false},
        // A named struct agrees on the names that both have.
        {"({a:i32,b:str})->nil", "({b:str,a:i64})->nil", true},
        {"({a:i32})->nil", "({b:str})->nil", true},
        {"({})->nil", "({b:str})->nil", true},
        {"({a:i32,b:[i32]})->nil", "({c:nil,b:[i32,str],a:u8})->nil", true},
        {"({a:i32})->nil", "({a:str})->nil", false},
        {"({a:i32,b:str})->nil", "({b:i32})->nil", false},
        {"({x%2dy:i32})->nil", "({x%2dy:str})->nil", false},
        {"({a:i32})->nil", "([i32])->nil", false},
        // Tuples, arrays and variants are exact.
        {"((i32,str))->nil", "((i64,str))->nil", true},
        {"((i32,str))->nil", "((i32))->nil", false},
        {"((i32,str))->nil", "([i32,str])->nil", false},
        {"(array<3,i32>)->nil", "(array<3,i8>)->nil", true},
        {"(array<3,i32>)->nil", "(array<4,i32>)->nil", false},
        {"(array<0,i32>)->nil", "(array<0,i8>)->nil", true},
        {"(array<3,i32>)->nil", "(list<i32>)->nil", false},
        {"(one<i32,str>)->nil", "(one<i8,str>)->nil", true},
        {"(one<i32,str>)->nil", "(one<i32>)->nil", false},
        {"(one<i32,str>)->nil", "(one<str,i32>)->nil", false},
        // What holds others agrees if they do.
        {"(list<i32>)->nil", "(list<i64>)->nil", true},
        {"(list<i32>)->nil", "(list<str>)->nil", false},
        {"(map<str,i32>)->nil", "(map<str,u8>)->nil", true},
        {"(map<str,i32>)->nil", "(map<i32,i32>)->nil", false},
        {"(map<str,i32>)->nil", "(list<(str,i32)>)->nil", false},
        {"(opt<i32>)->nil", "(opt<u8>)->nil", true},
        {"(opt<i32>)->nil", "(i32)->nil", false},
        // Recursion refers to the same struct outwards.
        {"([i32,list<^1>])->nil", "([i32,list<^1>,str])->nil", true},
        {"([[^2]])->nil", "([[^1]])->nil", false},
        {"([list<^1>])->nil", "([list<i32>])->nil", false},
        {"({a:list<^1>})->nil", "({b:str,a:list<^1>})->nil", true},
        // Anything goes with the unknown.
        {"(?)->?", "([str,list<^1>])->map<str,i32>", true},
        {"([i32,?])->nil", "([i32,[str,opt<^1>]])->nil", true},
        {"(?)->nil", "()->nil", false},
        {"(list<?>)->nil", "(map<?,?>)->nil", false},
    };
    for (const auto& [theirs, ours, expected] : table) {
        CAPTURE(theirs);
        CAPTURE(ours);
        CHECK(futon::compatible(theirs, ours) == expected);
        CHECK(futon::compatible(ours, theirs) == expected);
    }
    static_assert(futon::compatible("([str,i32])->f32", "([str])->f64"));
}

TEST_CASE("signature: streams are marked, as parameters and as results") {
    using futon::item_stream;
    CHECK(futon::signature_of<item_stream<point>, std::string>() == "(str)->*[i32,i32]");
    CHECK(futon::signature_of<long, item_stream<int>>() == "(*i32)->i64");
    CHECK(futon::signature_of<item_stream<int, std::string>, int, const item_stream<person>&>() ==
          "(i32,*[str,[i32,i32],opt<u8>])->*i32;str");
    CHECK(futon::signature_of<item_stream<tree>>() == "()->*[i32,list<^1>]");
}

TEST_CASE("signature: a stream is compatible with a stream of the same items only") {
    const auto both = [](const char* a, const char* b) {
        CHECK(futon::compatible(a, b) == futon::compatible(b, a));
        return futon::compatible(a, b);
    };
    CHECK(both("()->*i32", "()->*i64"));
    CHECK(both("(*i32)->str", "(*u8)->str"));
    CHECK(both("(str,*[i32])->*i32;[str]", "(str,*[i32,str])->*i32;[str,i8]"));
    CHECK(both("()->*?", "()->*i64"));
    CHECK_FALSE(both("()->*i32", "()->i32"));
    CHECK_FALSE(both("()->*i32", "()->?"));
    CHECK_FALSE(both("(*i32)->nil", "(i32)->nil"));
    CHECK_FALSE(both("(*i32)->nil", "(?)->nil"));
    CHECK_FALSE(both("(*i32)->nil", "()->nil"));
    CHECK_FALSE(both("()->*i32", "()->*str"));
    CHECK_FALSE(both("()->*i32", "()->*i32;nil"));
    CHECK_FALSE(both("()->*i32;str", "()->*i32;i32"));
    for (const auto* text : {"()->i32;str", "()->*", "()->*i32;", "()->**i32", "()->list<*i32>", "(*)->nil",
                             "((*i32))->nil", "()->[*i32]", "()->*i32;*i32", "()->*i32;i32;i32"}) {
        CAPTURE(text);
        CHECK_FALSE(futon::compatible(text, text));
    }
}

TEST_CASE("signature: malformed text is compatible with nothing, not even with itself") {
    for (const std::string_view text : {
             "",
             "?",
             "(",
             "()",
             "()-",
             "()->",
             "()->x",
             "nil",
             "->nil",
             "()->nil ",
             " ()->nil",
             "()->nilnil",
             "()->nil,nil",
             "(,)->nil",
             "(i32,)->nil",
             "(,i32)->nil",
             "(i32 ,i32)->nil",
             "(i32;i32)->nil",
             "(i32->nil",
             "i32)->nil",
             "(i7)->nil",
             "(I32)->nil",
             "(uuid)->nil",
             "(i32<str>)->nil",
             "(list)->nil",
             "(list<>)->nilx",
             "(list<i32)->nil",
             "(list<i32]>)->nil",
             "(array<i32>)->nil",
             "(array<,i32>)->nil",
             "(array<03,i32>)->nil",
             "(array<3>)->nil",
             "(array<3,i32,i32>)->nil",
             "(list<>)->nil",
             "(list<i32,i32>)->nil",
             "(opt<>)->nil",
             "(map<i32>)->nil",
             "(map<i32,i32,i32>)->nil",
             "([i32)->nil",
             "([i32,)->nil",
             "({a})->nil",
             "({a:})->nil",
             "({a:i32,})->nil",
             "({a=i32})->nil",
             "({a:i32)->nil",
             "(^)->nil",
             "(^1)->nil",
             "([^2])->nil",
             "([^0])->nil",
             "([^01])->nil",
             "([^9999999])->nil",
             "([^-1])->nil",
             "(?"
             "?)->nil",
             "()->nil->nil",
         }) {
        CAPTURE(text);
        CHECK_FALSE(futon::compatible(text, text));
        CHECK_FALSE(futon::compatible(text, "(?)->?"));
        CHECK_FALSE(futon::compatible("(?)->?", text));
    }
    CHECK_FALSE(futon::compatible(std::string_view{"()->nil\0", 8}, "()->nil"));
}

TEST_CASE("signature: no prefix of a signature is one") {
    const std::string whole = "([str,list<^1>],{a:map<str,opt<i32>>},array<12,one<bin,time>>,(f32,?))->duration";
    REQUIRE(futon::compatible(whole, whole));
    for (std::size_t size = 0; size != whole.size(); ++size) {
        const std::string prefix = whole.substr(0, size);
        CAPTURE(prefix);
        CHECK_FALSE(futon::compatible(prefix, whole));
        CHECK_FALSE(futon::compatible(whole, prefix));
        CHECK_FALSE(futon::compatible(prefix, prefix));
    }
}

TEST_CASE("signature: hostile text is judged in bounded time and stack") {
    const auto nested = [](std::string_view open, std::string_view close, std::size_t depth) {
        std::string text = "(";
        for (std::size_t i = 0; i != depth; ++i) text += open;
        text += "i32";
        for (std::size_t i = 0; i != depth; ++i) text += close;
        return text + ")->nil";
    };
    CHECK(futon::compatible(nested("(", ")", 60), nested("(", ")", 60)));
    CHECK(futon::compatible(nested("{a:", "}", 60), nested("{a:", "}", 60)));
    CHECK_FALSE(futon::compatible(nested("(", ")", 65), nested("(", ")", 65)));
    CHECK_FALSE(futon::compatible(nested("(", ")", 65), "(?)->nil"));
    CHECK_FALSE(futon::compatible(nested("(", ")", 1000), nested("(", ")", 1000)));
    CHECK_FALSE(futon::compatible(std::string(2048, '('), std::string(2048, '(')));
    CHECK_FALSE(futon::compatible(std::string(2048, '['), std::string(2048, '[')));

    // As many names as fit, in opposite orders, and the same name over and over.
    std::string up = "({";
    std::string down = "})->nil";
    for (int i = 0; i != 200; ++i) {
        const auto field = "n" + std::to_string(i) + ":i8";
        up += (i ? "," : "") + field;
        down.insert(0, (i != 199 ? "," : "") + field);
    }
    CHECK(futon::compatible(up + "})->nil", "({" + down));
    std::string same = "({a:i8";
    while (same.size() < 2000) same += ",a:{a:i8}";
    same += "})->nil";
    CHECK_FALSE(futon::compatible(same, same));

    CHECK_FALSE(futon::compatible("()->nil" + std::string(2042, ' '), "()->nil"));
    std::string longest = "(";
    while (longest.size() < 2036) longest += "i32,";
    longest += "i32)->nil";
    REQUIRE(longest.size() <= futon::longest_signature);
    CHECK(futon::compatible(longest, longest));
    std::string longer = "(i32,i32," + longest.substr(1);
    REQUIRE(longer.size() > futon::longest_signature);
    CHECK_FALSE(futon::compatible(longer, longer));
}

}  // namespace
