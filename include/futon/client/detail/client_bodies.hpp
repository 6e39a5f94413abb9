// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The bodies of `client`; see core/bodies.hpp.

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/when_all.hpp>
#include <futon/client/client.hpp>
#include <futon/client/detail/channels.hpp>
#include <futon/client/detail/check_options.hpp>
#include <futon/core/runtime_state.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace futon {

FUTON_DETAIL_BODY client::client(by_address, endpoints to) : client{client_options{.endpoints = std::move(to)}} {}

FUTON_DETAIL_BODY client::client(client_options options) : own_runtime_{!options.runtime} {
    detail::check_options(options).value();
    runtime_ =
        options.runtime ? options.runtime->state() : detail::make_intrusive<detail::runtime_state>(options.threads);
    channels_ = std::make_unique<detail::channels>(std::move(options), runtime_);
    home_ = channels_->options().callbacks ? channels_->options().callbacks : runtime_->next_place().where;
}

FUTON_DETAIL_BODY detail::intrusive_ptr<detail::any_channel> client::over(const std::string& service) const {
    return channels_->find(service);
}
FUTON_DETAIL_BODY detail::dispatcher& client::services() const noexcept { return channels_->offered().services; }
FUTON_DETAIL_BODY executor_ref client::pool() const noexcept { return runtime_->pool(); }
FUTON_DETAIL_BODY client_stats client::stats() const noexcept { return channels_->stats(); }
FUTON_DETAIL_BODY void client::update(const call_rules& rules) {
    if (const auto why = detail::rules_fault(rules); !why.empty())
        error{errc::bad_arguments, "client::update: " + why, executed::no}.raise();
    channels_->set_rules(rules);
}

FUTON_DETAIL_BODY future<void> client::wait_ready(duration timeout) {
    const auto every = channels_->all();
    if (every.empty())
        return make_failed<void>(home_, error{errc::bad_arguments,
                                              "nothing to wait for: a client with a registry connects for each service "
                                              "once a stub of it was made",
                                              executed::no});
    std::vector<future<void>> each;
    for (const auto& one : every) {
        auto done = std::make_shared<promise<void>>(home_);
        auto ready = done->get_future();
        one->when_ready(std::move(done));
        each.push_back(
            std::move(ready).timeout(timeout).recover(errc::deadline_exceeded, [one](const error& why) -> result<void> {
                return error{errc::deadline_exceeded,
                             "no connection in time; last: " + one->why_not_connected().message(), why.ran()};
            }));
    }
    if (each.size() == 1) return std::move(each.front());
    return when_all(home_, std::move(each)).then([] {});
}

FUTON_DETAIL_BODY future<std::vector<pending_call>> client::pending_calls() const {
    const auto list = detail::make_intrusive<detail::pending_list>(home_, home_->now());
    auto every = list->get_future();
    for (const auto& each : channels_->all()) each->inspect(list);
    return every;
}

FUTON_DETAIL_BODY future<std::string> client::dump_pending() const {
    return pending_calls().then([](const std::vector<pending_call>& all) {
        std::string text;
        for (const auto& each : all) text += each.describe() + "\n";
        return text;
    });
}

FUTON_DETAIL_BODY void client::close() noexcept {
    if (runtime_->is_left_behind()) return;
    channels_->close();
    if (own_runtime_) runtime_->close();
}

FUTON_DETAIL_BODY client::~client() {
    if (runtime_->is_left_behind()) {  // Its connections are the parent's, and nobody here could end them.
        static_cast<void>(channels_.release());
        return;
    }
    close();
    auto& offered = channels_->offered();
    if (detail::this_thread().scope != nullptr || runtime_->needs_this_thread()) {
        runtime_->run_ready_until([&] { return offered.is_idle(); });
    } else {
        // A lent context may not be run any more, so nothing can be waited for that happens there.
        offered.wait(!runtime_->is_lent());
    }
    offered.let_go();
}

}  // namespace futon
