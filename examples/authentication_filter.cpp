// SPDX-License-Identifier: Apache-2.0
// Who calls? A client's filter gets a token and sends it along; a server's filter refuses calls without a good one, and tells
// handlers who it is. A stub of the real thing: use tokens that cannot be guessed, and TLS.
// expected output:
//   fetched a token for ann
//   hello ann
//   hello ann
//   no token: unauthenticated, executed no
//   bad token: unauthenticated, executed no
#include <futon/futon.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

struct Vault {
    std::string open();
};
FUTON_SERVICE(Vault, open)

struct vault_impl {
    std::string open(futon::call_context& call) { return "hello " + std::string{call.headers().get("user").value_or("nobody")}; }
};

// [server]
struct token_check {
    futon::decision before(futon::server_call& call) {
        const auto token = call.headers().get("authorization");
        if (!token) return futon::error{futon::errc::unauthenticated, "no token"};
        if (!token->starts_with("token of ")) return futon::error{futon::errc::unauthenticated, "bad token"};
        // For the handler, whatever the caller has sent under that name.
        call.headers().set("user", std::string{token->substr(9)});
        return {};
    }
};
// [/server]

// [client]
// Waits for a token where there is none yet; the call goes on when it is there.
class token_bearer {
public:
    explicit token_bearer(std::string user) : user_{std::move(user)} {}

    futon::task<void> before(futon::client_call& call) {
        if (token_.empty()) {
            auto fetched = fetch();
            token_ = co_await std::move(fetched);
        }
        call.headers().set("authorization", token_);
    }

private:
    // Would be a call to another service; a failure of it fails the call that waits.
    futon::task<std::string> fetch() {
        co_await futon::delay(std::chrono::milliseconds(1));
        std::cout << "fetched a token for " << user_ << "\n";
        co_return "token of " + user_;
    }

    std::string user_;
    std::string token_;  // This client has one I/O thread, where its filters' coroutines run: no lock is needed.
};
// [/client]

int main() {
    futon::server server{{.listen = "tcp://127.0.0.1:0", .filters = {token_check{}}}};
    server.provide<Vault>(vault_impl{});
    server.start();

    futon::client client{{.endpoints = server.addresses(), .filters = {std::make_shared<token_bearer>("ann")}}};
    const auto vault = client.stub<Vault>();
    std::cout << vault.open().get() << "\n" << vault.open().get() << "\n";

    futon::client stranger{server.addresses()};
    const auto closed = stranger.stub<Vault>();
    for (const auto& stub : {closed, closed.with({.headers = {{"authorization", "let me in"}}})}) {
        const auto why = stub.open().get_result().error();
        std::cout << why.message() << ": " << futon::name(futon::errc{why.code().value()}) << ", executed "
                  << (why.ran() == futon::executed::no ? "no" : "yes") << "\n";
    }
}
