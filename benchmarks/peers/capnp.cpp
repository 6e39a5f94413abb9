// SPDX-License-Identifier: Apache-2.0
#include "peers.hpp"

#include "echo.capnp.h"

#include <capnp/ez-rpc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace benchmark {
namespace {

class echo_server final : public peers::Echo::Server {
protected:
    kj::Promise<void> echo(EchoContext context) override {
        const auto body = context.getParams().getBody();
        context.getResults(capnp::MessageSize{body.size() / 8 + 8, 0}).setBody(body);
        return kj::READY_NOW;
    }
};

void serve(const announcement& announce) {
    capnp::EzRpcServer server{kj::heap<echo_server>(), "127.0.0.1:0"};
    auto& scope = server.getWaitScope();
    announce(static_cast<std::uint16_t>(server.getPort().wait(scope)));
    kj::Promise<void>{kj::NEVER_DONE}.wait(scope);
}

class capnp_caller final : public caller, private kj::TaskSet::ErrorHandler {
public:
    capnp_caller(std::uint16_t port, const load& of) : thread_{[this, port, of] { run(port, of); }} {}

private:
    void run(std::uint16_t port, const load& of) {
        const std::string address = "127.0.0.1:" + std::to_string(port);
        const std::vector<kj::byte> body(of.body_bytes, 'x');
        std::vector<std::unique_ptr<capnp::EzRpcClient>> clients;
        std::vector<peers::Echo::Client> stubs;
        for (std::size_t i = 0; i < of.connections; ++i) {
            clients.push_back(std::make_unique<capnp::EzRpcClient>(address.c_str()));
            stubs.push_back(clients.back()->getMain<peers::Echo>());
        }
        // A task for each call: a promise that goes on for ever would keep all that it was.
        kj::TaskSet calls{*this};
        for (auto& stub : stubs)
            for (std::size_t i = 0; i < of.in_flight; ++i) call(calls, stub, body);
        kj::Promise<void>{kj::NEVER_DONE}.wait(clients.front()->getWaitScope());
    }
    void call(kj::TaskSet& calls, peers::Echo::Client& stub, const std::vector<kj::byte>& body) {
        auto request = stub.echoRequest(capnp::MessageSize{body.size() / 8 + 8, 0});
        request.setBody(kj::arrayPtr(body.data(), body.size()));
        calls.add(request.send().then([this, &calls, &stub, &body](auto&& reply) {
            if (reply.getBody().size() != body.size()) std::abort();
            count();
            call(calls, stub, body);
        }));
    }
    void taskFailed(kj::Exception&& why) override {
        std::fprintf(stderr, "benchmark: Cap'n Proto: %s\n", why.getDescription().cStr());
        std::_Exit(3);
    }

    std::thread thread_;
};

}  // namespace

peer capnp_peer() {
    return {{"Cap'n Proto", serve,
             [](std::uint16_t port, const load& of) { return std::make_unique<capnp_caller>(port, of); }},
            "EzRpc with one thread a side; a call belongs to its event loop's thread"};
}

}  // namespace benchmark
