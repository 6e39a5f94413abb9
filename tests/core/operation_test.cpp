// SPDX-License-Identifier: Apache-2.0
#include <futon/core/operation.hpp>

#include "support/small_stack.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace {

using futon::detail::cancellable;
using futon::detail::cancel_walk;
using futon::detail::intrusive_ptr;
using futon::detail::make_intrusive;

struct ending final : futon::detail::operation {
    explicit ending(futon::executor_ref place) : operation{std::move(place)} {}
    int refusals = 0;
    void cancel() noexcept override { fail(futon::errc::cancelled); }
    bool fail(futon::error) noexcept override { return claim(); }
    void run(bool accepted) noexcept override { refusals += !accepted; }
};

struct leaf final : cancellable {
    int cancels = 0;
    void cancel() noexcept override { ++cancels; }
};
// Hands a cancellation on to everything below it.
struct branch final : cancellable {
    std::vector<intrusive_ptr<cancellable>> below;
    void cancel() noexcept override {
        cancel_walk walk;
        walk.run(*this);
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        for (const auto& one : below) walk.visit(one);
    }
};

TEST_CASE("operation: of many threads that claim it exactly one wins") {
    for (int round = 0; round < 200; ++round) {
        const auto op = make_intrusive<ending>(nullptr);
        std::atomic<int> winners{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i) threads.emplace_back([&] { winners += op->claim(); });
        for (auto& one : threads) one.join();
        CHECK(winners == 1);
        CHECK(op->claimed());
    }
}

TEST_CASE("operation: one with no executor runs as if it had been refused") {
    const auto op = make_intrusive<ending>(nullptr);
    futon::detail::schedule(*op);
    CHECK(op->refusals == 1);
}

TEST_CASE("operation: a cancellation reaches every leaf of a tree, once") {
    std::vector<intrusive_ptr<leaf>> leaves;
    const auto root = make_intrusive<branch>();
    for (int i = 0; i < 3; ++i) {
        const auto twig = make_intrusive<branch>();
        for (int j = 0; j < 3; ++j) twig->below.emplace_back(leaves.emplace_back(make_intrusive<leaf>()));
        root->below.emplace_back(twig);
    }
    root->cancel();
    for (const auto& one : leaves) CHECK(one->cancels == 1);
}

TEST_CASE("operation: a cancellation climbs a long chain without a stack") {
    tests::on_small_stack([] {
        const auto end = make_intrusive<leaf>();
        std::vector<intrusive_ptr<branch>> chain(static_cast<std::size_t>(tests::deep));
        intrusive_ptr<cancellable> above = end;
        for (auto& one : chain) {
            one = make_intrusive<branch>();
            one->below.push_back(above);
            above = one;
        }
        above->cancel();
        CHECK(end->cancels == 1);
        // Taken apart from the far end: a branch owns what is below it.
        above = nullptr;
        while (!chain.empty()) chain.pop_back();
    });
}

}  // namespace
