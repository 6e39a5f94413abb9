// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/adaptors.hpp>

#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>
#include <futon/wire/signature.hpp>

#include <doctest/doctest.h>

#include "support/hex.hpp"

#include <msgpack.hpp>

#include <chrono>
#include <complex>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// Types need a name that their adaptors can use.
namespace adaptors_test {

struct point {
    int x = 0;
    int y = 0;
    bool operator==(const point&) const = default;
};
enum class colour { red = 1, blue = 2 };
enum class shade { light = 1, dark = 2 };

// Ours would take each of these; each has an adaptor that packs it as a string.
struct aggregate {
    int value = 0;
    bool operator==(const aggregate&) const = default;
};
enum class spelt { one = 1, two = 2 };
template <class T>
struct box {
    T value{};
    bool operator==(const box&) const = default;
};
struct returned {
    returned() = default;
    explicit returned(int v) : value{v} {}
    int value = 0;
    bool operator==(const returned&) const = default;
};
struct list_like : std::vector<int> {
    using std::vector<int>::vector;
};
struct only_packed {
    int value = 0;
};
struct only_unpacked {
    int value = 0;
};
struct pair_of_points {
    point a;
    std::variant<int, point> b;
    std::optional<std::chrono::milliseconds> c;
    bool operator==(const pair_of_points&) const = default;
};

// Looks to us like an aggregate, and has an adaptor where Boost's are.
template <class... T>
struct lookalike_variant {
    int which = 0;
    bool operator==(const lookalike_variant&) const = default;
};
struct from_boost {
    int value = 0;
    bool operator==(const from_boost&) const = default;
};

struct defined {
    point at;
    std::variant<int, std::string> either;
    colour paint = colour::red;
    std::chrono::seconds wait{};
    std::map<std::string, point> places;
    box<int> boxed;
    MSGPACK_DEFINE(at, either, paint, wait, places, boxed)
    bool operator==(const defined&) const = default;
};

inline int number_in(const msgpack::object& from) {
    const auto text = from.as<std::string>();
    if (text.size() < 2 || text.front() != '#') throw msgpack::type_error{};
    return std::stoi(text.substr(1));
}

}  // namespace adaptors_test

MSGPACK_ADD_ENUM(adaptors_test::shade)

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
    namespace adaptor {

    template <>
    struct pack<adaptors_test::aggregate> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const adaptors_test::aggregate& from) const {
            if (from.value < 0) throw std::runtime_error{"negative"};
            return to.pack("#" + std::to_string(from.value));
        }
    };
    template <>
    struct convert<adaptors_test::aggregate> {
        const msgpack::object& operator()(const msgpack::object& from, adaptors_test::aggregate& to) const {
            to.value = adaptors_test::number_in(from);
            return from;
        }
    };

    template <>
    struct pack<adaptors_test::spelt> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, adaptors_test::spelt from) const {
            return to.pack(from == adaptors_test::spelt::one ? "one" : "two");
        }
    };
    template <>
    struct convert<adaptors_test::spelt> {
        const msgpack::object& operator()(const msgpack::object& from, adaptors_test::spelt& to) const {
            to = from.as<std::string>() == "one" ? adaptors_test::spelt::one : adaptors_test::spelt::two;
            return from;
        }
    };

    template <class T>
    struct pack<adaptors_test::box<T>> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const adaptors_test::box<T>& from) const {
            return to.pack_map(1).pack("box").pack(from.value);
        }
    };
    template <class T>
    struct convert<adaptors_test::box<T>> {
        const msgpack::object& operator()(const msgpack::object& from, adaptors_test::box<T>& to) const {
            if (from.type != msgpack::type::MAP || from.via.map.size != 1) throw msgpack::type_error{};
            from.via.map.ptr[0].val.convert(to.value);
            return from;
        }
    };

    template <>
    struct pack<adaptors_test::returned> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const adaptors_test::returned& from) const {
            return to.pack(from.value);
        }
    };
    template <>
    struct as<adaptors_test::returned> {
        adaptors_test::returned operator()(const msgpack::object& from) const {
            return adaptors_test::returned{from.as<int>()};
        }
    };

    template <>
    struct pack<adaptors_test::list_like> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const adaptors_test::list_like& from) const {
            return to.pack(from.size());
        }
    };
    template <>
    struct convert<adaptors_test::list_like> {
        const msgpack::object& operator()(const msgpack::object& from, adaptors_test::list_like& to) const {
            to.resize(from.as<std::size_t>());
            return from;
        }
    };

    template <>
    struct pack<adaptors_test::only_packed> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const adaptors_test::only_packed&) const {
            return to.pack_nil();
        }
    };
    template <>
    struct convert<adaptors_test::only_unpacked> {
        const msgpack::object& operator()(const msgpack::object& from, adaptors_test::only_unpacked&) const {
            return from;
        }
    };

    // Holds what only our adaptors know.
    template <>
    struct pack<adaptors_test::pair_of_points> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const adaptors_test::pair_of_points& from) const {
            return to.pack_array(3).pack(from.a).pack(from.b).pack(from.c);
        }
    };
    template <>
    struct convert<adaptors_test::pair_of_points> {
        const msgpack::object& operator()(const msgpack::object& from, adaptors_test::pair_of_points& to) const {
            if (from.type != msgpack::type::ARRAY || from.via.array.size != 3) throw msgpack::type_error{};
            from.via.array.ptr[0].convert(to.a);
            from.via.array.ptr[1].convert(to.b);
            from.via.array.ptr[2].convert(to.c);
            return from;
        }
    };

    }  // namespace adaptor
}

// As msgpack-cxx has its adaptors of Boost types, and of std::variant in later versions.
MSGPACK_API_VERSION_NAMESPACE(v1) {
    namespace adaptor {

    template <class... T>
    struct pack<adaptors_test::lookalike_variant<T...>> {
        template <class Stream>
        msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& to,
                                            const adaptors_test::lookalike_variant<T...>& from) const {
            return to.pack_array(2).pack(from.which).pack_nil();
        }
    };
    template <class... T>
    struct convert<adaptors_test::lookalike_variant<T...>> {
        const msgpack::object& operator()(const msgpack::object& from,
                                          adaptors_test::lookalike_variant<T...>& to) const {
            if (from.type != msgpack::type::ARRAY || from.via.array.size != 2) throw msgpack::type_error{};
            to.which = from.via.array.ptr[0].as<int>();
            return from;
        }
    };

    template <class... T>
    struct pack<std::variant<adaptors_test::from_boost, T...>> {
        template <class Stream>
        msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& to,
                                            const std::variant<adaptors_test::from_boost, T...>& from) const {
            return to.pack(from.index());
        }
    };

    }  // namespace adaptor
}
}  // namespace msgpack

namespace {

using namespace adaptors_test;
using test_support::hex;
using test_support::to_hex;

template <class T>
std::string encoded(const T& value) {
    futon::byte_buffer out;
    futon::encode(out, value);
    return to_hex(out.view());
}

template <class T>
std::string packed(const T& value) {
    msgpack::sbuffer out;
    msgpack::pack(out, value);
    return to_hex(futon::as_bytes({out.data(), out.size()}));
}

template <class T>
T unpacked(std::string_view text) {
    const auto message = hex(text);
    const auto handle = msgpack::unpack(reinterpret_cast<const char*>(message.data()), message.size());
    T value{};
    handle.get().convert(value);
    return value;
}

template <class T>
void check_both_ways(const T& value, const std::string& bytes) {
    CHECK(encoded(value) == bytes);
    const auto back = futon::decode<T>(hex(bytes));
    if (!back) FAIL(back.error().describe());
    CHECK(*back == value);
}

TEST_CASE("adaptors: msgpack-cxx itself packs and unpacks what only futon knows, in futon's form") {
    CHECK(packed(point{1, 2}) == "92 01 02");
    CHECK(packed(std::variant<int, point>{point{1, 2}}) == "92 01 92 01 02");
    CHECK(packed(colour::blue) == "02");
    CHECK(packed(std::chrono::seconds{1}) == "ce 3b 9a ca 00");
    CHECK(packed(std::chrono::system_clock::time_point{std::chrono::seconds{1}}) == "d6 ff 00 00 00 01");
    CHECK(packed(std::filesystem::path{"/a"}) == "a2 2f 61");
    CHECK(unpacked<std::filesystem::path>("a2 2f 61") == "/a");
    CHECK(packed(std::vector<point>{{1, 2}}) == "91 92 01 02");
    CHECK(unpacked<point>("92 01 02") == point{1, 2});
    CHECK(unpacked<std::vector<point>>("91 92 01 02") == std::vector<point>{{1, 2}});
    CHECK(unpacked<std::variant<int, double>>("92 01 cb 40 00 00 00 00 00 00 00") == std::variant<int, double>{2.0});
    CHECK(unpacked<colour>("02") == colour::blue);
    CHECK(unpacked<std::chrono::seconds>("ce 3b 9a ca 00") == std::chrono::seconds{1});
    CHECK(unpacked<std::chrono::sys_seconds>("d6 ff 00 00 00 01") == std::chrono::sys_seconds{std::chrono::seconds{1}});
    CHECK_THROWS_AS(unpacked<point>("92 01 c0"), msgpack::type_error);
    CHECK_THROWS_AS(unpacked<colour>("a1 61"), msgpack::type_error);
}

TEST_CASE("adaptors: a struct with MSGPACK_DEFINE may hold them, on both wires alike") {
    const defined value{{1, 2}, "a", colour::blue, std::chrono::seconds{1}, {{"p", {3, 4}}}, {7}};
    const std::string bytes = "96 92 01 02 92 01 a1 61 02 ce 3b 9a ca 00 81 a1 70 92 03 04 81 a3 62 6f 78 07";
    CHECK(packed(value) == bytes);
    CHECK(unpacked<defined>(bytes) == value);
    check_both_ways(value, bytes);
}

TEST_CASE("adaptors: a user's full specialisation wins over ours, on both wires") {
    CHECK(packed(aggregate{5}) == "a2 23 35");
    CHECK(unpacked<aggregate>("a2 23 35") == aggregate{5});
    check_both_ways(aggregate{5}, "a2 23 35");
    check_both_ways(std::vector<aggregate>{{5}, {6}}, "92 a2 23 35 a2 23 36");
    check_both_ways(spelt::two, "a3 74 77 6f");
    check_both_ways(shade::dark, "02");
    CHECK(packed(shade::dark) == "02");
    check_both_ways(std::map<spelt, std::optional<aggregate>>{{spelt::one, aggregate{1}}}, "81 a3 6f 6e 65 a2 23 31");
    check_both_ways(list_like(3), "03");
}

TEST_CASE("adaptors: a user's partial specialisation wins over ours, and may hold what ours know") {
    CHECK(packed(box<int>{5}) == "81 a3 62 6f 78 05");
    check_both_ways(box<int>{5}, "81 a3 62 6f 78 05");
    check_both_ways(box<point>{{1, 2}}, "81 a3 62 6f 78 92 01 02");
    check_both_ways(box<box<std::variant<int, aggregate>>>{{aggregate{5}}},
                    "81 a3 62 6f 78 81 a3 62 6f 78 92 01 a2 23 35");
    check_both_ways(pair_of_points{{1, 2}, point{3, 4}, std::chrono::milliseconds{1}},
                    "93 92 01 02 92 01 92 03 04 ce 00 0f 42 40");
}

TEST_CASE("adaptors: an adaptor named as serves where there is no convert") {
    check_both_ways(returned{5}, "05");
    check_both_ways(std::vector<returned>{returned{5}}, "91 05");
}

TEST_CASE("adaptors: one that stands where Boost's do wins over ours without ambiguity") {
    CHECK(packed(lookalike_variant<int, float>{3}) == "92 03 c0");
    check_both_ways(lookalike_variant<int, float>{3}, "92 03 c0");
    CHECK(packed(std::variant<from_boost, int>{5}) == "01");
    // The wire form of a standard type is futon's all the same.
    check_both_ways(std::variant<from_boost, int>{5}, "92 01 05");
}

TEST_CASE("adaptors: msgpack-cxx's own serve types that futon does not know") {
    check_both_ways(std::complex<double>{1.5, 2.5}, "92 cb 3f f8 00 00 00 00 00 00 cb 40 04 00 00 00 00 00 00");
    CHECK(futon::decode<std::complex<double>>(hex("92 c0 c0")).error().message() ==
          "the msgpack adaptor of the type refused an array");
}

TEST_CASE("adaptors: half an adaptor serves half the way") {
    static_assert(futon::packable<only_packed> && !futon::unpackable<only_packed>);
    static_assert(!futon::packable<only_unpacked> && futon::unpackable<only_unpacked>);
    CHECK(encoded(only_packed{}) == "c0");
    CHECK(futon::decode<only_unpacked>(hex("05")));
}

TEST_CASE("adaptors: whatever one throws is an error here, and the buffer is as before") {
    CHECK(futon::decode<aggregate>(hex("a1 35")).error().message() ==
          "the msgpack adaptor of the type refused a string");
    CHECK(futon::decode<aggregate>(hex("a2 23 78")).error().message() ==
          "the msgpack adaptor of the type refused a string: stoi");
    CHECK(futon::decode<std::vector<aggregate>>(hex("92 a2 23 35 05")).error().message() ==
          "the msgpack adaptor of the type refused an integer at [1]");
    futon::byte_buffer out;
    CHECK_THROWS_WITH(futon::encode(out, std::vector<aggregate>{{1}, {-1}}), "negative");
    CHECK(out.empty());
}

TEST_CASE("adaptors: a tree holds every kind of value") {
    for (const auto* text : {"c0",
                             "c2",
                             "c3",
                             "05",
                             "fb",
                             "cf ff ff ff ff ff ff ff ff",
                             "d3 80 00 00 00 00 00 00 00",
                             "ca 3f c0 00 00",
                             "cb 40 00 00 00 00 00 00 00",
                             "a1 61",
                             "c4 01 ff",
                             "92 01 a1 61",
                             "82 01 02 a1 61 90",
                             "d4 05 01",
                             "d5 05 01 02",
                             "d6 05 01 02 03 04",
                             "d7 05 01 02 03 04 05 06 07 08",
                             "d8 05 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10",
                             "c7 03 05 01 02 03",
                             "c7 00 05"}) {
        CAPTURE(text);
        const auto message = hex(text);
        futon::detail::failure why;
        futon::detail::reader in{message, futon::detail::views::refused, why};
        msgpack::zone zone;
        msgpack::object tree;
        REQUIRE(futon::detail::read_tree(in, zone, tree));
        CHECK(in.at_end());
        futon::byte_buffer out;
        futon::detail::write_tree(out, tree);
        CHECK(to_hex(out.view()) == text);
    }
}

TEST_CASE("adaptors: an adapted type is anything in a signature") {
    CHECK(futon::signature_of<aggregate, box<int>, spelt, point>() == "(?,?,[i32,i32])->?");
}

}  // namespace
