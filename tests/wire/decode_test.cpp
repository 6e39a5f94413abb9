// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/decode.hpp>

#include <futon/wire/encode.hpp>
#include <futon/wire/signature.hpp>

#include <doctest/doctest.h>

#include "support/hex.hpp"

#include <msgpack.hpp>

#include <pthread.h>

#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using test_support::hex;
using test_support::repeat;
using test_support::to_hex;

template <class T>
T decoded(std::string_view text) {
    auto value = futon::decode<T>(hex(text));
    if (!value) FAIL(value.error().describe());
    return *std::move(value);
}

template <class T>
std::string complaint(const futon::bytes& message) {
    const auto value = futon::decode<T>(message);
    if (value) return "fine";
    CHECK(value.error().ran() == futon::executed::no);
    if (value.error() != futon::errc::bad_arguments) return value.error().describe();
    return value.error().message();
}
template <class T>
std::string complaint(std::string_view text) {
    return complaint<T>(hex(text));
}

enum class colour : std::uint8_t { red = 3 };
enum class flag : bool { off, on };

struct point {
    int x = 0;
    int y = 0;
    bool operator==(const point&) const = default;
};
struct person {
    std::string name;
    point home;
    std::optional<int> age;
    bool operator==(const person&) const = default;
};
struct nothing {
    bool operator==(const nothing&) const = default;
};
struct tree {
    int value = 0;
    std::vector<tree> children;
    std::unique_ptr<tree> spare;
    bool operator==(const tree& other) const {
        return value == other.value && children == other.children && !spare == !other.spare &&
               (!spare || *spare == *other.spare);
    }
};

struct defined {
    std::string name = "n";
    double ratio = 2.0;
    point at{1, 2};
    char tag[4] = {'a', 'b', 0, 0};
    unsigned char raw[2] = {1, 2};
    short grid[2][1] = {{5}, {6}};
    std::vector<defined> more;
    MSGPACK_DEFINE(name, ratio, at, tag, raw, grid, more)
    bool operator==(const defined&) const = default;
};
struct named {
    int id = 7;
    std::string text = "t";
    std::shared_ptr<named> next;
    MSGPACK_DEFINE_MAP(id, MSGPACK_NVP("x-text", text), next)
    bool operator==(const named& other) const {
        return id == other.id && text == other.text && !next == !other.next && (!next || *next == *other.next);
    }
};
struct derived : point {
    int more = 1;
    MSGPACK_DEFINE_ARRAY(MSGPACK_BASE_ARRAY(point), more)
    bool operator==(const derived&) const = default;
};
template <class T>
struct boxed {
    T held{};
    MSGPACK_DEFINE(held)
    bool operator==(const boxed&) const = default;
};
struct view_inside {
    std::string_view text;
    MSGPACK_DEFINE(text)
};

// Keeps a sum beside its fields, which only its own msgpack_unpack knows of.
class by_hand {
public:
    by_hand() = default;
    by_hand(int a, int b) : a_{a}, b_{b}, sum_{a + b} {}
    template <class Packer>
    void msgpack_pack(Packer& to) const {
        to.pack_array(2);
        to.pack(a_);
        to.pack(b_);
    }
    void msgpack_unpack(const msgpack::object& from) {
        if (from.type != msgpack::type::ARRAY || from.via.array.size != 2) throw msgpack::type_error{};
        a_ = from.via.array.ptr[0].as<int>();
        b_ = from.via.array.ptr[1].as<int>();
        if (a_ == 13) throw std::runtime_error{"unlucky"};
        if (a_ == 14) throw 14;
        sum_ = a_ + b_;
    }
    bool operator==(const by_hand&) const = default;

private:
    int a_ = 0;
    int b_ = 0;
    int sum_ = 0;
};

// Cannot be packed as long as it is empty.
class never_empty {
public:
    template <class Packer>
    void msgpack_pack(Packer& to) const {
        if (text_.empty()) throw std::logic_error{"empty"};
        to.pack(text_);
    }
    void msgpack_unpack(const msgpack::object& from) { from.convert(text_); }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

struct allocates {
    allocates() { throw std::bad_alloc{}; }
    MSGPACK_DEFINE()
};

template <class T>
void check_every_truncation(const futon::bytes& message) {
    for (std::size_t size = 0; size != message.size(); ++size) {
        // A copy of exactly the prefix, so that a sanitizer sees any read past it.
        const futon::bytes prefix(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_FALSE(futon::decode<T>(prefix));
        // Not even bytes that nobody validated are read past their end.
        futon::detail::failure why;
        futon::detail::reader in{prefix, futon::detail::views::refused, why};
        T value{};
        const bool read = futon::detail::read_value(in, value);
        CHECK_FALSE((read && in.position() > prefix.data() + prefix.size()));
    }
}

template <class T>
void check_round_trip(const T& value) {
    futon::byte_buffer out;
    futon::encode(out, value);
    const futon::bytes message(out.view().begin(), out.view().end());
    CAPTURE(to_hex(message));
    const auto back = futon::decode<T>(message);
    if (!back) FAIL(back.error().describe());
    CHECK(*back == value);
    check_every_truncation<T>(message);
}

TEST_CASE("decode: every type comes back as it was sent, and no truncation of it is accepted") {
    check_round_trip(true);
    check_round_trip(std::int8_t{-128});
    check_round_trip(std::uint16_t{65'535});
    check_round_trip(std::numeric_limits<std::int64_t>::min());
    check_round_trip(std::numeric_limits<std::uint64_t>::max());
    check_round_trip('x');
    check_round_trip(L'x');
    check_round_trip(2.0);
    check_round_trip(-0.1f);
    check_round_trip(std::numeric_limits<double>::infinity());
    for (const std::size_t size : {0u, 31u, 32u, 255u, 256u}) check_round_trip(std::string(size, 'x'));
    check_round_trip(futon::bytes(300));
    check_round_trip(std::vector<char>{1, 2});
    check_round_trip(std::array<std::byte, 3>{});
    check_round_trip(std::monostate{});
    check_round_trip(std::vector<std::string>(20, "ab"));
    for (const std::size_t size : {15u, 16u}) check_round_trip(std::vector<int>(size, 7));
    check_round_trip(std::vector<bool>{true, false, true});
    check_round_trip(std::deque<int>{1, 2});
    check_round_trip(std::list<int>{1, 2});
    check_round_trip(std::array<int, 2>{1, 2});
    check_round_trip(std::set<int>{1, 2});
    check_round_trip(std::multiset<int>{1, 1, 2});
    check_round_trip(std::unordered_set<std::string>{"a", "b"});
    check_round_trip(std::map<std::string, point>{{"a", {1, 2}}, {"b", {}}});
    check_round_trip(std::multimap<int, int>{{1, 3}, {1, 2}});
    check_round_trip(std::unordered_map<int, std::string>{{1, "a"}});
    check_round_trip(std::unordered_multimap<int, int>{{1, 2}});
    check_round_trip(std::optional<int>{});
    check_round_trip(std::optional<std::string>{"a"});
    check_round_trip(std::variant<std::monostate, int, std::string>{"a"});
    check_round_trip(std::tuple<>{});
    check_round_trip(std::tuple<int, std::string, point>{1, "a", {2, 3}});
    check_round_trip(std::pair<int, bool>{1, true});
    check_round_trip(1500ms);
    check_round_trip(std::chrono::duration<double>{0.25});
    check_round_trip(std::chrono::nanoseconds::min());
    check_round_trip(std::chrono::duration<int, std::ratio<1, 60>>{-7});
    check_round_trip(std::chrono::sys_time<std::chrono::nanoseconds>{1'700'000'000'123'456'789ns});
    check_round_trip(std::chrono::sys_time<std::chrono::nanoseconds>::min());
    check_round_trip(std::chrono::sys_time<std::chrono::nanoseconds>::max());
    check_round_trip(std::chrono::sys_seconds::min());
    check_round_trip(std::chrono::sys_days{std::chrono::days{-719'162}});
    check_round_trip(colour::red);
    check_round_trip(flag::on);
    check_round_trip(nothing{});
    check_round_trip(person{"ann", {1, -2}, 30});
    check_round_trip(tree{1, {}, std::make_unique<tree>(tree{2, {}, nullptr})});
    check_round_trip(defined{"x", 0.5, {}, {'1', '2', '3', '4'}, {}, {}, std::vector<defined>(2)});
    check_round_trip(named{1, "x", std::make_shared<named>()});
    check_round_trip(derived{{3, 4}, 5});
    check_round_trip(boxed<point>{{1, 2}});
    check_round_trip(boxed<std::variant<int, point>>{point{1, 2}});
    check_round_trip(by_hand{3, 4});
    check_round_trip(
        std::map<int, std::vector<std::optional<boxed<by_hand>>>>{{1, {std::nullopt, boxed<by_hand>{{1, 2}}}}});
}

TEST_CASE("decode: a path comes back as it was sent, as the text that it is, alone and inside") {
    using std::filesystem::path;
    const path home{u8"/home/\u00e4nn/a b.txt"};
    futon::byte_buffer out;
    futon::encode(out, home);
    CHECK(test_support::to_hex(out.view()) == "b2 2f 68 6f 6d 65 2f c3 a4 6e 6e 2f 61 20 62 2e 74 78 74");
    CHECK(futon::decode<path>(out.view()).value() == home);
    CHECK(futon::decode<std::string>(out.view()).value() == "/home/\xc3\xa4nn/a b.txt");
    CHECK(decoded<path>("a0") == path{});
    CHECK(futon::decode<path>(hex("01")).error().message() == "expected string, got integer");
    // "a\0.txt": who looks at the extension would see another file than who opens it.
    CHECK(futon::decode<path>(hex("a661002e747874")).error().message().find("a text that is no path") !=
          std::string::npos);

    using files = std::map<std::string, std::vector<path>>;
    const files all{{"etc", {"/etc/hosts", "relative/../x"}}};
    futon::byte_buffer many;
    futon::encode(many, all);
    CHECK(futon::decode<files>(many.view()).value() == all);
    CHECK(futon::signature_of<path, const path&, std::optional<path>>() == "(str,opt<str>)->str");
}

TEST_CASE("decode: void is nil") {
    CHECK(futon::decode<void>(hex("c0")));
    CHECK(futon::decode<void>(hex("01")).error().message() == "expected nil, got integer");
}

TEST_CASE("decode: each kind of value is refused by each type that is not it, in words") {
    const std::map<std::string, std::string> kinds = {
        {"nil", "c0"},           {"bool", "c3"},       {"integer", "05"},     {"float", "cb3ff8000000000000"},
        {"string", "a161"},      {"binary", "c40161"}, {"array", "93010203"}, {"map", "810102"},
        {"extension", "d40561"},
    };
    const auto check = [&]<class T>(std::type_identity<T>, const std::string& wanted, std::set<std::string> accepted) {
        for (const auto& [kind, text] : kinds) {
            if (accepted.contains(kind)) continue;
            CHECK(complaint<T>(text) == "expected " + wanted + ", got " + kind);
        }
    };
    check(std::type_identity<bool>{}, "bool", {"bool"});
    check(std::type_identity<int>{}, "integer", {"integer"});
    check(std::type_identity<std::uint64_t>{}, "integer", {"integer"});
    check(std::type_identity<colour>{}, "integer", {"integer"});
    check(std::type_identity<double>{}, "float", {"float", "integer"});
    check(std::type_identity<float>{}, "float", {"float", "integer"});
    check(std::type_identity<std::string>{}, "string", {"string"});
    check(std::type_identity<futon::bytes>{}, "binary", {"binary"});
    check(std::type_identity<std::array<char, 1>>{}, "binary", {"binary"});
    check(std::type_identity<std::vector<int>>{}, "array", {"array"});
    check(std::type_identity<std::set<int>>{}, "array", {"array"});
    check(std::type_identity<std::array<int, 3>>{}, "array", {"array"});
    check(std::type_identity<std::tuple<int, int, int>>{}, "array", {"array"});
    check(std::type_identity<std::variant<int>>{}, "array", {"array"});
    check(std::type_identity<person>{}, "array", {"array"});
    check(std::type_identity<defined>{}, "array", {"array"});
    check(std::type_identity<named>{}, "map", {"map"});
    check(std::type_identity<std::map<int, int>>{}, "map", {"map"});
    check(std::type_identity<std::optional<int>>{}, "integer", {"integer", "nil"});
    check(std::type_identity<std::monostate>{}, "nil", {"nil"});
    check(std::type_identity<std::chrono::seconds>{}, "a duration in nanoseconds", {"integer"});
    check(std::type_identity<std::chrono::sys_seconds>{}, "timestamp", {"extension"});
}

TEST_CASE("decode: an integer must fit, whatever its width on the wire") {
    CHECK(decoded<std::uint8_t>("cf00000000000000ff") == 255);
    CHECK(decoded<std::int8_t>("d3ffffffffffffff80") == -128);
    CHECK(decoded<std::uint32_t>("d205000000") == 0x05000000u);
    CHECK(complaint<std::uint8_t>("cd0100") == "256 is out of range for u8");
    CHECK(complaint<std::uint8_t>("ff") == "-1 is out of range for u8");
    CHECK(complaint<std::int8_t>("cc80") == "128 is out of range for i8");
    CHECK(complaint<std::int8_t>("d1ff7f") == "-129 is out of range for i8");
    CHECK(complaint<std::uint32_t>("ff") == "-1 is out of range for u32");
    CHECK(complaint<std::int64_t>("cf8000000000000000") == "9223372036854775808 is out of range for i64");
    CHECK(complaint<std::int32_t>("cfffffffffffffffff") == "18446744073709551615 is out of range for i32");
    CHECK(complaint<std::uint64_t>("d38000000000000000") == "-9223372036854775808 is out of range for u64");
    CHECK(complaint<colour>("cd0100") == "256 is out of range for u8");
    CHECK(complaint<flag>("02") == "2 is out of range for an enum of bool");
    CHECK(complaint<std::uint8_t>("cb3ff0000000000000") == "expected integer, got float");
}

TEST_CASE("decode: floats take integers that they hold exactly, and never become infinite on the way") {
    CHECK(decoded<double>("05") == 5.0);
    CHECK(decoded<double>("ff") == -1.0);
    CHECK(decoded<double>("cf0020000000000000") == 9007199254740992.0);
    CHECK(decoded<double>("d38000000000000000") == -9223372036854775808.0);
    CHECK(complaint<double>("cf0020000000000001") == "an integer that a float64 cannot hold exactly");
    CHECK(complaint<double>("cfffffffffffffffff") == "an integer that a float64 cannot hold exactly");
    CHECK(complaint<double>("d3ffdfffffffffffff") == "an integer that a float64 cannot hold exactly");
    CHECK(decoded<float>("ce01000000") == 16777216.0f);
    CHECK(complaint<float>("ce01000001") == "an integer that a float32 cannot hold exactly");
    CHECK(decoded<float>("cb3fb999999999999a") == 0.1f);
    CHECK(decoded<double>("ca3f800000") == 1.0);
    CHECK(complaint<float>("cb7e37e43c8800759c") == "a float64 out of range for float32");
    CHECK(decoded<float>("cb7ff0000000000000") == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(decoded<float>("cb7ff8000000000000")));
}

TEST_CASE("decode: durations and time points out of range are refused") {
    CHECK(decoded<std::chrono::seconds>("ce59682f00") == 2s);  // 1.5 s, rounded
    CHECK(complaint<std::chrono::nanoseconds>("cf8000000000000000") == "9223372036854775808 is out of range for i64");
    CHECK(complaint<std::chrono::duration<std::int8_t>>("cf0000001dcd650000") == "a duration that is out of range");
    CHECK(complaint<std::chrono::duration<std::int64_t, std::pico>>("cf7fffffffffffffff") ==
          "a duration that is out of range");
    CHECK(complaint<std::chrono::duration<unsigned>>("d3ffffffffc4653600") == "a duration that is out of range");
    // Rounded to whole hours or days, these could not be sent back.
    CHECK(complaint<std::chrono::hours>("cf7fffffffffffffff") == "a duration that is out of range");
    CHECK(complaint<std::chrono::sys_days>("c70cff000000007fffffffffffffff") == "a time point that is out of range");
    using clock = std::chrono::system_clock;
    CHECK(decoded<clock::time_point>("d7ff0000000400000001") == clock::time_point{1s + 1ns});
    CHECK(decoded<clock::time_point>("c70cff00000001ffffffffffffffff") == clock::time_point{-1s + 1ns});
    CHECK(complaint<clock::time_point>("c70cff000000007fffffffffffffff") == "a time point that is out of range");
    CHECK(complaint<clock::time_point>("c70cff000000008000000000000000") == "a time point that is out of range");
}

TEST_CASE("decode: only a sound timestamp is one") {
    using clock = std::chrono::system_clock;
    CHECK(complaint<clock::time_point>("d60500000000") == "expected timestamp, got an extension of another type");
    CHECK(complaint<clock::time_point>("c700ff") == "a timestamp of 0 bytes");
    CHECK(complaint<clock::time_point>("c703ff010203") == "a timestamp of 3 bytes");
    CHECK(complaint<clock::time_point>("c70dff00000000000000000000000000") == "a timestamp of 13 bytes");
    CHECK(complaint<clock::time_point>("d7ffee6b280000000000") == "a timestamp with a whole second of nanoseconds");
    CHECK(complaint<clock::time_point>("c70cff3b9aca000000000000000000") ==
          "a timestamp with a whole second of nanoseconds");
}

TEST_CASE("decode: a struct may be longer or shorter than ours") {
    CHECK(decoded<person>("92 a161 920102") == person{"a", {1, 2}, {}});
    CHECK(decoded<person>("90") == person{});
    CHECK(decoded<person>("95 a161 93010203 05 9391c0c081c0c0 c3") == person{"a", {1, 2}, 5});
    CHECK(decoded<std::vector<point>>("92 9101 93010203") == std::vector<point>{{1, 0}, {1, 2}});
    CHECK(decoded<defined>("91 a178").ratio == 2.0);
    CHECK(decoded<defined>("91 a178").name == "x");
    CHECK(decoded<boxed<int>>("93 05 c0 91c0").held == 5);
}

TEST_CASE("decode: a named struct takes its fields in any order, skips others, and keeps what is missing") {
    CHECK(decoded<named>("80") == named{});
    CHECK(decoded<named>("82 a6782d74657874 a161 a26964 05") == named{5, "a", nullptr});
    CHECK(decoded<named>("83 a3666f6f 9391c0c0c0 a26964 05 a0 c0").id == 5);
    CHECK(decoded<named>("82 a26964 05 a26964 06").id == 6);
    CHECK(complaint<named>("82 a26964 05 01 02") == "expected string, got integer at [key 1]");
    CHECK(complaint<named>("81 a26964 a161") == "expected integer, got string at .id");
    CHECK(complaint<named>("81 a46e657874 81 a26964 c3") == "expected integer, got bool at .next.id");
}

TEST_CASE("decode: what has an exact number of elements insists on it") {
    CHECK(complaint<std::tuple<int, int>>("9101") == "expected 2 elements, got 1");
    CHECK(complaint<std::tuple<int, int>>("93010203") == "expected 2 elements, got 3");
    CHECK(complaint<std::pair<int, int>>("90") == "expected 2 elements, got 0");
    CHECK(complaint<std::array<int, 2>>("9101") == "expected 2 elements, got 1");
    CHECK(complaint<std::array<std::byte, 2>>("c40101") == "expected 2 bytes, got 1");
    CHECK(complaint<std::variant<int>>("9100") == "expected 2 elements, got 1");
    CHECK(complaint<std::variant<int>>("920101") == "alternative 1 of 1 at [0]");
    CHECK(complaint<std::variant<int>>("92ff01") == "-1 is out of range for u64 at [0]");
    CHECK(complaint<std::variant<int>>("9200a161") == "expected integer, got string at [1]");
    // A timestamp in a short tuple: msgpack-cxx reads before the array here.
    CHECK(complaint<std::tuple<int, std::chrono::sys_seconds, int>>("9101") == "expected 3 elements, got 1");
    CHECK(complaint<defined>("94 a0 00 90 a5 6162636465") == "expected 4 bytes, got 5 at [3]");
}

TEST_CASE("decode: a failure names the place") {
    CHECK(complaint<std::vector<person>>("92 90 92 a161 9201c3") == "expected integer, got bool at [1][1][1]");
    CHECK(complaint<std::map<std::string, int>>("82 a161 01 a162 c0") == "expected integer, got nil at [1]");
    CHECK(complaint<std::map<std::string, int>>("82 a161 01 02 02") == "expected string, got integer at [key 1]");
    CHECK(complaint<std::set<int>>("9201c0") == "expected integer, got nil at [1]");
    CHECK(complaint<defined>("97 a0 00 90 a0 c4020000 9291c09100 90") == "expected integer, got nil at [5][0][0]");
}

TEST_CASE("decode: of equal keys the last counts, equal elements count once") {
    CHECK(decoded<std::map<int, int>>("8201020103") == std::map<int, int>{{1, 3}});
    CHECK(decoded<std::unordered_map<int, int>>("8201020103").at(1) == 3);
    CHECK(decoded<std::set<int>>("93010201") == std::set<int>{1, 2});
}

TEST_CASE("decode: what was there before is replaced") {
    struct with_defaults {
        std::vector<int> list{1, 2, 3};
        std::map<int, int> map{{9, 9}};
        std::set<int> set{7};
        std::optional<int> perhaps{5};
        std::unique_ptr<int> owned = std::make_unique<int>(4);
    };
    const auto value = decoded<with_defaults>("95 9105 810101 9103 c0 c0");
    CHECK(value.list == std::vector<int>{5});
    CHECK(value.map == std::map<int, int>{{1, 1}});
    CHECK(value.set == std::set<int>{3});
    CHECK_FALSE(value.perhaps);
    CHECK_FALSE(value.owned);
}

TEST_CASE("decode: arguments are counted and named") {
    const auto why = [](const auto& outcome) { return outcome.error().message(); };
    CHECK(futon::decode_arguments<>(hex("90")));
    CHECK(why(futon::decode_arguments<>(hex("91c0"))) == "expected 0 arguments, got 1");
    const auto both = futon::decode_arguments<int, std::string>(hex("9201a161"));
    REQUIRE(both);
    CHECK(*both == std::tuple{1, std::string{"a"}});
    CHECK(why(futon::decode_arguments<int, int>(hex("9101"))) == "expected 2 arguments, got 1");
    CHECK(why(futon::decode_arguments<int, int>(hex("93010203"))) == "expected 2 arguments, got 3");
    auto many = hex("dc03ea");
    const auto nils = repeat("c0", 1002);
    many.insert(many.end(), nils.begin(), nils.end());
    CHECK(why(futon::decode_arguments<int>(many)) == "expected 1 argument, got 1002");
    CHECK(why(futon::decode_arguments<int>(hex("05"))) == "expected an array of arguments, got integer");
    CHECK(why(futon::decode_arguments<int>(hex("810101"))) == "expected an array of arguments, got map");
    CHECK(why(futon::decode_arguments<int, person>(hex("9201 91c0"))) == "argument 2: expected string, got nil at [0]");
    CHECK(why(futon::decode_arguments<std::uint8_t>(hex("91cd0100"))) == "argument 1: 256 is out of range for u8");
}

TEST_CASE("decode: views among the arguments point into the message") {
    const auto message = hex("94 a3616263 c40201ff c0 92a161a162");
    const auto values = futon::decode_arguments<std::string_view, futon::bytes_view, std::optional<std::string_view>,
                                                std::vector<std::string_view>>(message);
    REQUIRE(values);
    const auto& [text, blob, perhaps, list] = *values;
    CHECK(text == "abc");
    CHECK(static_cast<const void*>(text.data()) == message.data() + 2);
    CHECK(blob.data() == message.data() + 7);
    CHECK(blob.size() == 2);
    CHECK_FALSE(perhaps);
    CHECK(list.at(1) == "b");
    CHECK(futon::decode_arguments<view_inside>(hex("91 91a161")));
    // A struct that shows its fields only when it is read is caught then.
    CHECK(complaint<view_inside>("91a161") == "a view can only be a parameter at [0]");
}

TEST_CASE("decode: what the user's code throws is an error, of any type") {
    CHECK(complaint<by_hand>("920d01") == "the msgpack adaptor of the type refused an array: unlucky");
    CHECK(complaint<by_hand>("920e01") == "the msgpack adaptor of the type refused an array");
    CHECK(complaint<by_hand>("a161") == "the msgpack adaptor of the type refused a string");
    CHECK(complaint<by_hand>("9201a161") == "the msgpack adaptor of the type refused an array");
    CHECK(complaint<std::vector<by_hand>>("92 920102 c0") == "the msgpack adaptor of the type refused nil at [1]");

    // Even where it throws while its layout is found out.
    CHECK(decoded<never_empty>("a161").text() == "a");

    struct key {
        int value = 0;
        bool operator<(const key& other) const {
            if (value == 13) throw std::runtime_error{"unlucky"};
            if (value == 14) throw 14;
            return value < other.value;
        }
    };
    CHECK(complaint<std::set<key>>("92 9101 910d") == "a value could not be made: unlucky");
    CHECK(complaint<std::set<key>>("92 9101 910e") == "a value could not be made");
    CHECK(futon::decode<allocates>(hex("90")).error() == futon::errc::resource_exhausted);
}

TEST_CASE("decode: malformed and too complex messages are refused before anything is made") {
    CHECK(complaint<std::vector<int>>("ddffffffff").starts_with("malformed message: a count"));
    CHECK(complaint<std::string>("dbffffffff").starts_with("malformed message: a value is cut short"));
    CHECK(complaint<int>("c1").starts_with("malformed message: the reserved byte"));
    CHECK(complaint<int>("0101").starts_with("malformed message: bytes after the end"));
    CHECK(futon::decode_arguments<int>(hex("dfffffffff")).error() == futon::errc::bad_arguments);
    CHECK(futon::decode<int>(hex("05"), {.max_nodes = 0}).error() == futon::errc::message_too_big);
}

TEST_CASE("decode: as many values as are allowed, and colliding keys, are read") {
    auto message = hex("dd0003ffff");
    const auto empty = repeat("80", 262'143);
    message.insert(message.end(), empty.begin(), empty.end());
    const auto maps = futon::decode<std::vector<std::unordered_map<int, int>>>(message);
    REQUIRE(maps);
    CHECK(maps->size() == 262'143);
    message.push_back(std::byte{0x80});
    CHECK_FALSE(futon::decode<std::vector<std::unordered_map<int, int>>>(message));
}

// Runs `work` on a thread with a stack of 256 KiB.
void on_a_small_stack(void (*work)()) {
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
    pthread_t thread{};
    const auto run = [](void* what) -> void* {
        (*static_cast<void (**)()>(what))();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    pthread_attr_destroy(&attributes);
}

TEST_CASE("decode: a recursive type cannot exhaust a small stack") {
    on_a_small_stack([] {
        // [0, [[0, [[0, ... ]]]]]: two levels each.
        auto message = repeat("920091", 50'000);
        message.push_back(std::byte{0x90});
        const std::string too_deep =
            "message_too_big: message nested deeper than 32 levels (limits.complexity.max_depth of the side that reads it)";
        CHECK(complaint<tree>(message) == too_deep);
        // By the pointer, one level each.
        auto chain = repeat("930090", 50'000);
        chain.push_back(std::byte{0xc0});
        CHECK(complaint<tree>(chain) == too_deep);
    });
    on_a_small_stack([] {
        auto chain = repeat("930090", 63);
        const auto last = hex("9390c090");
        chain.insert(chain.end(), last.begin() + 1, last.begin() + 1);
        chain.push_back(std::byte{0xc0});
        const auto deep = futon::decode<tree>(chain, {.max_depth = 64});
        if (!deep) FAIL(deep.error().describe());
        std::size_t depth = 0;
        for (const auto* at = &*deep; at; at = at->spare.get()) ++depth;
        CHECK(depth == 63);
    });
    on_a_small_stack([] {
        // Through the object tree too.
        auto nested = repeat("91", 31);
        const auto core = hex("91920102");
        nested.insert(nested.end(), core.begin(), core.end());
        CHECK(complaint<std::vector<by_hand>>(nested).starts_with("message_too_big"));
    });
}

TEST_CASE("decode: a recursive type refers to itself through any container") {
    struct graph {
        std::map<std::string, graph> named;
        std::optional<std::vector<graph>> listed;
        std::shared_ptr<graph> shared;
    };
    const auto value = decoded<graph>("93 81 a161 90 91 90 93 80 c0 c0");
    CHECK(value.named.contains("a"));
    CHECK(value.listed->size() == 1);
    CHECK(value.shared);
}

// What cannot be received says so, without a hard error.
struct with_const {
    const int x = 0;
};
struct no_default {
    explicit no_default(int) {}
    MSGPACK_DEFINE()
};
struct holds_view {
    std::vector<std::string_view> texts;
};
static_assert(futon::unpackable<void> && futon::unpackable<person> && futon::unpackable<tree> &&
              futon::unpackable<named>);
static_assert(futon::unpackable<std::vector<std::unique_ptr<std::map<int, defined>>>>);
static_assert(!futon::unpackable<std::string_view> && futon::unpackable_argument<std::string_view>);
static_assert(!futon::unpackable<holds_view> && futon::unpackable_argument<holds_view>);
static_assert(!futon::unpackable<futon::bytes_view> && futon::unpackable_argument<const futon::bytes_view&>);
static_assert(!futon::unpackable_argument<with_const> && futon::packable<with_const>);
static_assert(!futon::unpackable_argument<no_default> && futon::packable<no_default>);
static_assert(!futon::unpackable_argument<std::vector<no_default>>);
static_assert(!futon::unpackable_argument<int*> && !futon::unpackable_argument<std::vector<void*>>);
static_assert(!futon::unpackable_argument<std::chrono::steady_clock::time_point>);

}  // namespace
