// SPDX-License-Identifier: Apache-2.0
#include "peers.hpp"

#include "Echo.h"

#include <thrift/TOutput.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TNonblockingServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TNonblockingServerSocket.h>
#include <thrift/transport/TSocket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace benchmark {
namespace {

namespace thrift = apache::thrift;

class echo_handler final : public peers::EchoIf {
public:
    void echo(std::string& reply, const std::string& body) override { reply = body; }
};

class announcing final : public thrift::server::TServerEventHandler {
public:
    announcing(thrift::transport::TNonblockingServerSocket& socket, const announcement& announce)
        : socket_{socket}, announce_{announce} {}
    void preServe() override { announce_(static_cast<std::uint16_t>(socket_.getListenPort())); }

private:
    thrift::transport::TNonblockingServerSocket& socket_;
    const announcement& announce_;
};

void serve(const announcement& announce) {
    thrift::GlobalOutput.setOutputFunction([](const char*) {});  // It tells of each thread that begins.
    const auto socket = std::make_shared<thrift::transport::TNonblockingServerSocket>("127.0.0.1", 0);
    thrift::server::TNonblockingServer server{std::make_shared<peers::EchoProcessor>(std::make_shared<echo_handler>()),
                                              std::make_shared<thrift::protocol::TBinaryProtocolFactory>(), socket};
    server.setServerEventHandler(std::make_shared<announcing>(*socket, announce));
    server.serve();
}

class thrift_caller final : public caller {
public:
    thrift_caller(std::uint16_t port, const load& of)
        : body_(of.body_bytes, 'x'), thread_{[this, port, of] { run(port, of); }} {}

private:
    void run(std::uint16_t port, const load& of) try {
        std::vector<std::unique_ptr<peers::EchoClient>> clients;
        for (std::size_t i = 0; i < of.connections; ++i) {
            const auto socket = std::make_shared<thrift::transport::TSocket>("127.0.0.1", port);
            socket->setNoDelay(true);
            const auto framed = std::make_shared<thrift::transport::TFramedTransport>(socket);
            framed->open();
            clients.push_back(
                std::make_unique<peers::EchoClient>(std::make_shared<thrift::protocol::TBinaryProtocol>(framed)));
        }
        for (auto& each : clients)
            for (std::size_t i = 0; i < of.in_flight; ++i) each->send_echo(body_);
        for (std::string reply;;) {
            for (auto& each : clients) {
                each->recv_echo(reply);
                if (reply.size() != body_.size()) std::abort();
                count();
                each->send_echo(body_);
            }
        }
    } catch (const std::exception& e) {
        std::fprintf(stderr, "benchmark: Thrift: %s\n", e.what());
        std::_Exit(3);
    }

    std::string body_;
    std::thread thread_;
};

}  // namespace

peer thrift_peer() {
    return {
        {"Thrift", serve, [](std::uint16_t port, const load& of) { return std::make_unique<thrift_caller>(port, of); }},
        "its C++ client blocks and takes replies in order: calls in flight are sent ahead by send_echo; the server "
        "handles "
        "one frame of a connection at a time"};
}

}  // namespace benchmark
