// SPDX-License-Identifier: Apache-2.0
// Not a part of futon's promises that what was made before fork() works after it: it must not hang, and say why.
#include <futon/client.hpp>
#include <futon/server.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/io_context.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <system_error>

namespace fork_test {

using namespace std::chrono_literals;

struct Forked {
    std::string greet(std::string name);
};
FUTON_SERVICE(Forked, greet)

struct forked_impl {
    std::string greet(std::string name) { return "hello " + name; }
};

// What `f` returns in a child process; -1 if it hung or was killed. No other check there: doctest's are the parent's.
template <class F>
int in_child(F f) {
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::alarm(60);
        try {
            ::_exit(f());
        } catch (...) {
            ::_exit(99);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool says_fork(const futon::error& why) {
    return why == futon::errc::would_deadlock && why.message().find("fork()") != std::string::npos;
}

TEST_CASE("fork: a client, a server and their futures that were made before it say so in the child, and can be ended") {
    auto server = std::make_unique<futon::server>();
    server->provide<Forked>(forked_impl{});
    auto unstarted = std::make_unique<futon::server>();
    unstarted->provide<Forked>(forked_impl{});
    server->start();
    auto client = std::make_unique<futon::client>(server->addresses());
    const auto forked = client->stub<Forked>();
    REQUIRE(forked.greet("ann").get() == "hello ann");

    CHECK(in_child([&] {
              const auto got = forked.greet("ann").get_result();
              if (got || !says_fork(got.error())) return 1;
              const auto ready = client->wait_ready(1s).get_result();
              if (ready || !says_fork(ready.error())) return 2;
              for (auto* each : {server.get(), unstarted.get()}) {
                  try {
                      each->run();
                      return 3;
                  } catch (const futon::rpc_error& why) {
                      if (!says_fork(why.detail())) return 4;
                  }
              }
              client->close();
              client.reset();
              server.reset();
              unstarted.reset();
              return 0;
          }) == 0);
    CHECK(forked.greet("bob").get() == "hello bob");  // The child took nothing from its parent.
}

TEST_CASE("fork: what a runtime's pool should run fails in the child, also where it was lent an io_context") {
    asio::io_context lent;
    for (int i = 0; i < 20; ++i) {
        const bool is_lent = i % 2 == 0;
        auto threads = is_lent ? std::make_unique<futon::runtime>(lent) : std::make_unique<futon::runtime>();
        REQUIRE(futon::async(threads->pool(), [] { return 1; }).get() == 1);  // Its thread is idle, or about to be.
        CHECK(in_child([&] {
                  const auto got = futon::async(threads->pool(), [] { return 1; }).get_result();
                  threads.reset();
                  return got ? 1 : 0;
              }) == 0);
    }
}

// Sockets that a program would inherit which this process starts. As the kernel tells it: to ask the sockets themselves,
// which other threads open and close meanwhile, were a race.
std::set<std::string> inherited() {
    std::set<std::string> found;
    for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        std::error_code gone;
        if (!std::filesystem::read_symlink(each.path(), gone).string().starts_with("socket:")) continue;
        const auto number = each.path().filename().string();
        std::ifstream about{"/proc/self/fdinfo/" + number};
        unsigned flags = O_CLOEXEC;
        for (std::string word; about >> word;)
            if (word == "flags:") about >> std::oct >> flags;
        if ((flags & O_CLOEXEC) == 0) found.insert(number);
    }
    return found;
}

TEST_CASE("fork: a program that is started inherits no socket of a server or client") {
    const auto before = inherited();
    const int plain = ::socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(inherited().size() == before.size() + 1);  // It sees one where there is one.
    ::close(plain);
    const auto path = "/tmp/futon-fork-test-" + std::to_string(::getpid());
    futon::server server{{.listen = {"tcp://127.0.0.1:0", "unix://" + path}}};
    server.provide<Forked>(forked_impl{});
    server.start();
    for (const auto& address : server.addresses()) {
        futon::client client{address};
        REQUIRE(client.stub<Forked>().greet("ann").get() == "hello ann");
        CHECK(inherited() == before);
    }
}

}  // namespace fork_test
