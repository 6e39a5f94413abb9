// SPDX-License-Identifier: Apache-2.0

/// \file
/// A contract of 1 method, or of 33 with -DMANY, served and called: the difference is the cost of 32 methods.

#include <futon/futon.hpp>

#include <cstdint>
#include <string>
#include <vector>

// Four shapes in turn, as a real contract would have.
#define SHAPES(DO, n)                                 \
    DO(std::string, a##n, std::string)                \
    DO(int, b##n, int)                                \
    DO(std::vector<std::string>, c##n, std::uint64_t) \
    DO(void, d##n, std::vector<double>)
#define NAMES(n) a##n, b##n, c##n, d##n
#ifdef MANY
#define ALL(DO) \
    SHAPES(DO, 1) SHAPES(DO, 2) SHAPES(DO, 3) SHAPES(DO, 4) SHAPES(DO, 5) SHAPES(DO, 6) SHAPES(DO, 7) SHAPES(DO, 8)
#else
#define ALL(DO)
#endif

struct Wide {
    std::string first(std::string);
#define DECLARE(R, name, A) R name(A);
    ALL(DECLARE)
};
#ifdef MANY
FUTON_SERVICE(Wide, first, NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6), NAMES(7), NAMES(8))
#else
FUTON_SERVICE(Wide, first)
#endif

struct wide_impl {
    std::string first(std::string text) { return text; }
#define DEFINE(R, name, A) \
    R name(A) { return R(); }
    ALL(DEFINE)
};

int main() {
    futon::server server{"tcp://127.0.0.1:0"};
    server.provide<Wide>(wide_impl{});
    server.start();
    futon::client client{"tcp://127.0.0.1:" + std::to_string(server.port())};
    const auto wide = client.stub<Wide>();
    wide.first("x").wait();
#define CALL(R, name, A) wide.name(A()).wait();
    ALL(CALL)
}
