// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/encode.hpp>

#include <doctest/doctest.h>

#include "support/hex.hpp"

#include <msgpack.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
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
using test_support::to_hex;

template <class T>
std::string encoded(const T& value) {
    futon::byte_buffer out;
    futon::encode(out, value);
    return to_hex(out.view());
}

template <class T>
futon::error refused(const T& value) {
    futon::byte_buffer out;
    out.append("kept", 4);
    try {
        futon::encode(out, value);
    } catch (const futon::rpc_error& e) {
        CHECK(futon::as_text(out.view()) == "kept");
        return e.detail();
    }
    FAIL("was packed");
    return {futon::errc::internal};
}

enum class colour : std::uint8_t { red = 3 };
enum class signed_colour : std::int64_t { blue = -200 };

struct point {
    int x = 0;
    int y = 0;
};
struct person {
    std::string name;
    point home;
    std::optional<int> age;
};
struct nothing {};
struct tree {
    int value = 0;
    std::vector<tree> children;
};
struct wide {
    int a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10, k = 11, l = 12, m = 13, n = 14, o = 15,
        p = 16, q = 17, r = 18, s = 19, t = 20, u = 21, v = 22, w = 23, x = 24, y = 25, z = 26, aa = 27, bb = 28,
        cc = 29, dd = 30, ee = 31, ff = 32;
};
struct too_wide {
    wide first;
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff;
};

struct defined {
    std::string name = "n";
    double ratio = 2.0;
    point at;
    char tag[4] = {'a', 'b', 0, 0};
    unsigned char raw[2] = {1, 2};
    short grid[2][1] = {{5}, {6}};
    MSGPACK_DEFINE(name, ratio, at, tag, raw, grid)
};
struct named {
    int id = 7;
    std::string text = "t";
    MSGPACK_DEFINE_MAP(id, MSGPACK_NVP("x-text", text))
};
struct derived : named {
    int more = 1;
    MSGPACK_DEFINE_ARRAY(MSGPACK_BASE_ARRAY(named), more)
};
// Writes something else than its fields.
class by_hand {
public:
    template <class Packer>
    void msgpack_pack(Packer& to) const {
        to.pack_array(2).pack(1.0);
        to.pack_nil();
    }
};

TEST_CASE("encode: integers take their shortest form") {
    CHECK(encoded(0) == "00");
    CHECK(encoded(127) == "7f");
    CHECK(encoded(128) == "cc 80");
    CHECK(encoded(255u) == "cc ff");
    CHECK(encoded(256) == "cd 01 00");
    CHECK(encoded(65'535L) == "cd ff ff");
    CHECK(encoded(65'536) == "ce 00 01 00 00");
    CHECK(encoded(4'294'967'295u) == "ce ff ff ff ff");
    CHECK(encoded(4'294'967'296ull) == "cf 00 00 00 01 00 00 00 00");
    CHECK(encoded(std::numeric_limits<std::uint64_t>::max()) == "cf ff ff ff ff ff ff ff ff");
    CHECK(encoded(-1) == "ff");
    CHECK(encoded(-32) == "e0");
    CHECK(encoded(-33) == "d0 df");
    CHECK(encoded(-128) == "d0 80");
    CHECK(encoded(-129) == "d1 ff 7f");
    CHECK(encoded(-32'768) == "d1 80 00");
    CHECK(encoded(-32'769) == "d2 ff ff 7f ff");
    CHECK(encoded(std::numeric_limits<std::int32_t>::min()) == "d2 80 00 00 00");
    CHECK(encoded(-2'147'483'649LL) == "d3 ff ff ff ff 7f ff ff ff");
    CHECK(encoded(std::numeric_limits<std::int64_t>::min()) == "d3 80 00 00 00 00 00 00 00");
    CHECK(encoded('a') == "61");
    CHECK(encoded(static_cast<signed char>(-5)) == "fb");
    CHECK(encoded(U'a') == "61");
    CHECK(encoded(true) == "c3");
    CHECK(encoded(false) == "c2");
}

TEST_CASE("encode: floats are always floats") {
    CHECK(encoded(2.0) == "cb 40 00 00 00 00 00 00 00");
    CHECK(encoded(2.0f) == "ca 40 00 00 00");
    CHECK(encoded(-0.0) == "cb 80 00 00 00 00 00 00 00");
    CHECK(encoded(std::numeric_limits<double>::infinity()) == "cb 7f f0 00 00 00 00 00 00");
    CHECK(encoded(18446744073709551616.0) == "cb 43 f0 00 00 00 00 00 00");
}

TEST_CASE("encode: text and blobs") {
    CHECK(encoded(std::string{}) == "a0");
    CHECK(encoded(std::string{"abc"}) == "a3 61 62 63");
    CHECK(encoded(std::string_view{"abc"}) == "a3 61 62 63");
    CHECK(encoded(std::string(31, 'x')).starts_with("bf 78"));
    CHECK(encoded(std::string(32, 'x')).starts_with("d9 20 78"));
    CHECK(encoded(std::string(255, 'x')).starts_with("d9 ff 78"));
    CHECK(encoded(std::string(256, 'x')).starts_with("da 01 00 78"));
    CHECK(encoded(std::string(65'535, 'x')).starts_with("da ff ff 78"));
    CHECK(encoded(std::string(65'536, 'x')).starts_with("db 00 01 00 00 78"));
    CHECK(encoded(futon::bytes{}) == "c4 00");
    CHECK(encoded(test_support::hex("01ff")) == "c4 02 01 ff");
    CHECK(encoded(std::vector<unsigned char>{1, 255}) == "c4 02 01 ff");
    CHECK(encoded(std::vector<char>{1, 2}) == "c4 02 01 02");
    CHECK(encoded(std::array<std::byte, 2>{}) == "c4 02 00 00");
    CHECK(encoded(futon::as_bytes("ab")) == "c4 02 61 62");
    CHECK(encoded(futon::bytes(256)).starts_with("c5 01 00 00"));
    CHECK(encoded(futon::bytes(65'536)).starts_with("c6 00 01 00 00 00"));
}

TEST_CASE("encode: containers") {
    CHECK(encoded(std::vector<int>{}) == "90");
    CHECK(encoded(std::vector<int>{1, 2}) == "92 01 02");
    CHECK(encoded(std::vector<bool>{true, false}) == "92 c3 c2");
    CHECK(encoded(std::vector<int>(15)).starts_with("9f 00"));
    CHECK(encoded(std::vector<int>(16)).starts_with("dc 00 10 00"));
    CHECK(encoded(std::vector<int>(65'536)).starts_with("dd 00 01 00 00 00"));
    CHECK(encoded(std::list<std::string>{"a"}) == "91 a1 61");
    CHECK(encoded(std::deque<int>{1}) == "91 01");
    CHECK(encoded(std::array<int, 2>{1, 2}) == "92 01 02");
    CHECK(encoded(std::set<int>{2, 1}) == "92 01 02");
    CHECK(encoded(std::unordered_set<int>{1}) == "91 01");
    CHECK(encoded(std::map<int, bool>{{2, false}, {1, true}}) == "82 01 c3 02 c2");
    CHECK(encoded(std::unordered_map<std::string, int>{{"a", 1}}) == "81 a1 61 01");
    CHECK(encoded(std::multimap<int, int>{{1, 2}, {1, 3}}) == "82 01 02 01 03");
    CHECK(encoded(std::tuple<>{}) == "90");
    CHECK(encoded(std::tuple<int, std::string>{1, "a"}) == "92 01 a1 61");
    CHECK(encoded(std::pair<int, bool>{1, true}) == "92 01 c3");
}

TEST_CASE("encode: what may be absent, and what is one of several") {
    CHECK(encoded(std::optional<int>{}) == "c0");
    CHECK(encoded(std::optional<int>{5}) == "05");
    CHECK(encoded(std::unique_ptr<int>{}) == "c0");
    CHECK(encoded(std::make_unique<int>(5)) == "05");
    CHECK(encoded(std::make_shared<const int>(5)) == "05");
    CHECK(encoded(std::monostate{}) == "c0");
    CHECK(encoded(std::variant<int, std::string>{"a"}) == "92 01 a1 61");
    CHECK(encoded(std::variant<std::monostate, int>{}) == "92 00 c0");
}

TEST_CASE("encode: a duration is nanoseconds, whatever its unit") {
    CHECK(encoded(0ns) == "00");
    CHECK(encoded(1us) == "cd 03 e8");
    CHECK(encoded(-1s) == "d2 c4 65 36 00");
    CHECK(encoded(std::chrono::duration<double>{0.5}) == "ce 1d cd 65 00");
    CHECK(encoded(std::chrono::duration<float, std::milli>{0.25f}) == "ce 00 03 d0 90");
    CHECK(encoded(std::chrono::duration<int, std::ratio<1, 60>>{1}) == "ce 00 fe 50 2b");  // 16 666 667
    CHECK(encoded(std::chrono::duration<std::int64_t, std::pico>{1499}) == "01");
    CHECK(encoded(std::chrono::duration<std::int64_t, std::pico>{-1500}) == "fe");
    CHECK(encoded(std::chrono::nanoseconds::min()) == "d3 80 00 00 00 00 00 00 00");
    CHECK(encoded(std::chrono::nanoseconds::max()) == "cf 7f ff ff ff ff ff ff ff");
    CHECK(encoded(std::chrono::duration<std::uint8_t>{255}) == encoded(255s));
}

TEST_CASE("encode: a duration that does not fit 64 bits of nanoseconds is refused") {
    for (const auto& why :
         {refused(std::chrono::seconds::max()), refused(std::chrono::hours::min()),
          refused(std::chrono::microseconds{9'223'372'036'854'776}), refused(std::chrono::duration<double>{1e10}),
          refused(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}),
          refused(std::chrono::duration<float>{-std::numeric_limits<float>::infinity()}),
          refused(std::chrono::duration<std::uint64_t, std::nano>{std::uint64_t{1} << 63})}) {
        CHECK(why == futon::errc::bad_arguments);
        CHECK(why.message() == "a duration does not fit 64 bits of nanoseconds");
    }
    CHECK(encoded(std::chrono::microseconds{9'223'372'036'854'775}) == "cf 7f ff ff ff ff ff fc d8");
}

TEST_CASE("encode: a time point is a timestamp in its shortest form") {
    using clock = std::chrono::system_clock;
    CHECK(encoded(clock::time_point{}) == "d6 ff 00 00 00 00");
    CHECK(encoded(clock::time_point{1s}) == "d6 ff 00 00 00 01");
    CHECK(encoded(clock::time_point{4'294'967'295s}) == "d6 ff ff ff ff ff");
    CHECK(encoded(clock::time_point{4'294'967'296s}) == "d7 ff 00 00 00 01 00 00 00 00");
    CHECK(encoded(clock::time_point{1s + 1ns}) == "d7 ff 00 00 00 04 00 00 00 01");
    CHECK(encoded(clock::time_point{-1ns}) == "c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff");
    CHECK(encoded(std::chrono::sys_days{std::chrono::days{1}}) == "d6 ff 00 01 51 80");
    CHECK(encoded(std::chrono::sys_seconds::max()) == "c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff");
    CHECK(encoded(std::chrono::sys_time<std::chrono::milliseconds>{1500ms}) == "d7 ff 77 35 94 00 00 00 00 01");
    CHECK(refused(std::chrono::sys_time<std::chrono::milliseconds>::max()).message() == "a time point is out of range");
    CHECK(refused(std::chrono::sys_days::max()).message() == "a time point is out of range");
}

TEST_CASE("encode: an enum is its integer") {
    CHECK(encoded(colour::red) == "03");
    CHECK(encoded(signed_colour::blue) == "d1 ff 38");
    CHECK(encoded(std::byte{200}) == "cc c8");
}

TEST_CASE("encode: a plain aggregate is an array of its fields") {
    CHECK(encoded(nothing{}) == "90");
    CHECK(encoded(point{1, 2}) == "92 01 02");
    CHECK(encoded(person{"a", {1, 2}, {}}) == "93 a1 61 92 01 02 c0");
    CHECK(encoded(tree{1, {{2, {}}, {3, {}}}}) == "92 01 92 92 02 90 92 03 90");
    CHECK(encoded(wide{}).starts_with("dc 00 20 01 02 03"));
}

TEST_CASE("encode: a struct with MSGPACK_DEFINE packs what it names, by this codec's rules") {
    CHECK(encoded(defined{}) == "96 a1 6e cb 40 00 00 00 00 00 00 00 92 00 00 a2 61 62 c4 02 01 02 92 91 05 91 06");
    CHECK(encoded(named{}) == "82 a2 69 64 07 a6 78 2d 74 65 78 74 a1 74");
    CHECK(encoded(derived{}) == "92 82 a2 69 64 07 a6 78 2d 74 65 78 74 a1 74 01");
    CHECK(encoded(by_hand{}) == "92 cb 3f f0 00 00 00 00 00 00 c0");
}

TEST_CASE("encode: arguments are an array of exactly as many elements") {
    futon::byte_buffer out;
    futon::encode_arguments(out);
    futon::encode_arguments(out, 1, std::string{"a"}, point{2, 3});
    CHECK(to_hex(out.view()) == "90 93 01 a1 61 92 02 03");
}

struct moody {
    bool throws = false;
    template <class Packer>
    void msgpack_pack(Packer& to) const {
        to.pack_nil();
        if (throws) throw std::runtime_error{"not today"};
    }
};

TEST_CASE("encode: a type that throws leaves the buffer as it was") {
    futon::byte_buffer out;
    futon::encode(out, 1);
    CHECK_THROWS_WITH(futon::encode_arguments(out, 2, moody{true}), "not today");
    CHECK(to_hex(out.view()) == "01");
    futon::encode_arguments(out, 2, moody{});
    CHECK(to_hex(out.view()) == "01 92 02 c0");
}

struct throws_when_copied {
    throws_when_copied() = default;
    throws_when_copied(const throws_when_copied&) { throw 1; }
    MSGPACK_DEFINE()
};

TEST_CASE("encode: a variant that lost its value is refused") {
    std::variant<int, throws_when_copied> lost;
    try {
        lost.emplace<throws_when_copied>(throws_when_copied{});
        const throws_when_copied source;
        lost.emplace<throws_when_copied>(source);
    } catch (int) {
    }
    REQUIRE(lost.valueless_by_exception());
    CHECK(refused(lost) == futon::errc::bad_arguments);
}

TEST_CASE("encode: move-only types are packed in place") {
    struct owner {
        std::unique_ptr<int> held;
    };
    CHECK(encoded(owner{std::make_unique<int>(4)}) == "91 04");
}

// What cannot be packed says so, without a hard error, however deep it stands.
union either {
    int a;
    float b;
};
struct holds_union {
    int a;
    either b;
};
struct holds_pointer {
    std::vector<std::map<int, const char*>> deep;
};
struct holds_array {
    int a[3];
};
struct inherits : point {
    int z;
};
struct not_an_aggregate {
    explicit not_an_aggregate(int) {}
};
struct with_reference {
    int& r;
};
struct recursive_and_bad {
    std::vector<recursive_and_bad> kids;
    void* bad;
};

static_assert(futon::packable<int> && futon::packable<const std::string&> && futon::packable<std::string_view>);
static_assert(futon::packable<person> && futon::packable<tree> && futon::packable<wide> && futon::packable<defined>);
static_assert(futon::packable<std::tuple<std::unique_ptr<tree>, futon::bytes_view>>);
static_assert(!futon::packable<int*> && !futon::packable<const char*> && !futon::packable<int[3]>);
static_assert(!futon::packable<void (*)()> && !futon::packable<std::function<void()>>);
static_assert(!futon::packable<either> && !futon::packable<holds_union> && !futon::packable<holds_pointer>);
static_assert(!futon::packable<holds_array> && !futon::packable<inherits> && !futon::packable<not_an_aggregate>);
static_assert(!futon::packable<with_reference> && !futon::packable<too_wide> && !futon::packable<recursive_and_bad>);
static_assert(!futon::packable<std::chrono::steady_clock::time_point>);
static_assert(!futon::packable<std::optional<std::chrono::steady_clock::time_point>>);
static_assert(!futon::packable<long double> && !futon::packable<void> && !futon::packable<std::unique_ptr<int[]>>);

}  // namespace
