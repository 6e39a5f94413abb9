// SPDX-License-Identifier: Apache-2.0
// Not a part of futon's promises that what was made before fork() works after it: it must not hang, and say why.
#include <futon/client.hpp>
#include <futon/server.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

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
        ::_exit(f());
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
              if (!ready && !says_fork(ready.error())) return 2;
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

// Sockets that a program would inherit which this process starts.
std::set<int> inherited() {
    std::set<int> found;
    for (int each = 0; each < 1024; ++each) {
        struct ::stat what {};
        if (::fstat(each, &what) == 0 && S_ISSOCK(what.st_mode) && (::fcntl(each, F_GETFD) & FD_CLOEXEC) == 0)
            found.insert(each);
    }
    return found;
}

TEST_CASE("fork: a program that is started inherits no socket of a server or client") {
    const auto before = inherited();
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
