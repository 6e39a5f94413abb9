// SPDX-License-Identifier: Apache-2.0
#include "peers.hpp"

#include "echo.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace benchmark {
namespace {

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "benchmark: gRPC: %s\n", what);
    std::_Exit(3);
}

/// What a completion queue gives back.
class step {
public:
    virtual ~step() = default;
    virtual void done(bool ok) = 0;
};
void run(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);) static_cast<step*>(tag)->done(ok);
}

/// A call that came in, or room for one.
class incoming final : public step {
public:
    incoming(peers::Echo::AsyncService& service, grpc::ServerCompletionQueue& queue)
        : service_{service}, queue_{queue} {
        await();
    }

    void done(bool ok) override {
        if (!ok) return;
        if (std::exchange(answered_, !answered_)) return await();
        reply_.set_body(std::move(*request_.mutable_body()));
        writer_->Finish(reply_, grpc::Status::OK, this);
    }

private:
    void await() {
        writer_.reset();
        context_.emplace();
        writer_.emplace(&*context_);
        service_.Requestecho(&*context_, &request_, &*writer_, &queue_, &queue_, this);
    }

    peers::Echo::AsyncService& service_;
    grpc::ServerCompletionQueue& queue_;
    std::optional<grpc::ServerContext> context_;
    std::optional<grpc::ServerAsyncResponseWriter<peers::Text>> writer_;
    peers::Text request_, reply_;
    bool answered_ = false;
};

void serve(const announcement& announce) {
    peers::Echo::AsyncService service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    const auto queue = builder.AddCompletionQueue();
    const auto server = builder.BuildAndStart();
    if (!server) give_up("no server");
    std::vector<std::unique_ptr<incoming>> room;
    for (int i = 0; i < 256; ++i) room.push_back(std::make_unique<incoming>(service, *queue));
    announce(static_cast<std::uint16_t>(port));
    run(*queue);
}

class grpc_caller final : public caller {
public:
    grpc_caller(std::uint16_t port, const load& of) {
        request_.set_body(std::string(of.body_bytes, 'x'));
        for (std::size_t i = 0; i < of.connections; ++i) {
            grpc::ChannelArguments with;
            with.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // Else all channels share one connection.
            const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                                           grpc::InsecureChannelCredentials(), with);
            stubs_.push_back(peers::Echo::NewStub(channel));
            for (std::size_t k = 0; k < of.in_flight; ++k)
                calls_.push_back(std::make_unique<outgoing>(*this, *stubs_.back()));
        }
        for (auto& each : calls_) each->make();
        thread_ = std::thread{[this] { run(queue_); }};
    }

private:
    class outgoing final : public step {
    public:
        outgoing(grpc_caller& owner, peers::Echo::Stub& stub) : owner_{owner}, stub_{stub} {}
        void make() {
            context_.emplace();
            reader_ = stub_.PrepareAsyncecho(&*context_, owner_.request_, &owner_.queue_);
            reader_->StartCall();
            reader_->Finish(&reply_, &status_, this);
        }
        void done(bool ok) override {
            if (!ok || !status_.ok() || reply_.body().size() != owner_.request_.body().size()) give_up("a call failed");
            owner_.count();
            make();
        }

    private:
        grpc_caller& owner_;
        peers::Echo::Stub& stub_;
        std::optional<grpc::ClientContext> context_;
        std::unique_ptr<grpc::ClientAsyncResponseReader<peers::Text>> reader_;
        peers::Text reply_;
        grpc::Status status_;
    };

    peers::Text request_;
    grpc::CompletionQueue queue_;
    std::vector<std::unique_ptr<peers::Echo::Stub>> stubs_;
    std::vector<std::unique_ptr<outgoing>> calls_;
    std::thread thread_;
};

}  // namespace

peer grpc_peer() {
    return {{"gRPC", serve, [](std::uint16_t port, const load& of) { return std::make_unique<grpc_caller>(port, of); }},
            "completion queues with one thread a side; its own threads run beside them"};
}

}  // namespace benchmark
