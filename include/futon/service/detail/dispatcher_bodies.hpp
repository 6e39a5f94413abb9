// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of dispatcher.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/service/dispatcher.hpp>
#include <futon/wire/signature.hpp>
#include <futon/wire/signature_difference.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

FUTON_DETAIL_BODY dispatcher::dispatcher() = default;
FUTON_DETAIL_BODY dispatcher::~dispatcher() = default;

FUTON_DETAIL_BODY result<void> dispatcher::add(const std::string& service,
                                               std::vector<std::unique_ptr<method_handler>> methods) {
    const std::lock_guard lock{mutex_};
    if (sealed_)
        return error{errc::already_satisfied,
                     "'" + service +
                         "' is provided too late: a client provides before its first call and wait_ready, "
                         "which connect; servers would not see it on connections that there are already",
                     executed::no};
    if (services_.contains(service))
        return error{errc::already_satisfied,
                     "the service '" + service + "' is provided already: give one of them another version or unique_id",
                     executed::no};
    services_.emplace(service, std::move(methods));
    return {};
}

FUTON_DETAIL_BODY void dispatcher::seal() noexcept {
    const std::lock_guard lock{mutex_};
    sealed_ = true;
}

FUTON_DETAIL_BODY result<method_handler*> dispatcher::find(std::string_view service, std::string_view method,
                                                           std::string_view signature) const {
    const std::lock_guard lock{mutex_};
    const auto found = services_.find(service);
    if (found == services_.end())
        return error{errc::no_such_method,
                     "there is no service '" + shown(service) + "' here; offered: " + list_services(), executed::no};
    for (const auto& handler : found->second) {
        if (handler->info.name != method) continue;
        if (!compatible(signature, handler->info.signature))
            return error{errc::version_mismatch,
                         shown(service) + "." + shown(method) + " does not fit" +
                             signature_difference(signature, handler->info.signature) + ": the caller has " +
                             std::string{signature} + ", the server has " + handler->info.signature,
                         executed::no};
        return handler.get();
    }
    return error{errc::no_such_method,
                 "the service '" + shown(service) + "' has no method '" + shown(method) +
                     "'; it has: " + list_methods(found->second),
                 executed::no};
}

FUTON_DETAIL_BODY void dispatcher::release() noexcept {
    const std::lock_guard lock{mutex_};
    for (const auto& [unused, provided] : services_) {
        for (const auto& each : provided) {
            each->release();
            each->where = nullptr;
        }
    }
}

FUTON_DETAIL_BODY std::vector<std::string> dispatcher::names() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> all;
    for (const auto& [name, unused] : services_) all.push_back(name);
    return all;
}

FUTON_DETAIL_BODY bool dispatcher::empty() const noexcept {
    const std::lock_guard lock{mutex_};
    return services_.empty();
}

FUTON_DETAIL_BODY std::string dispatcher::list_services() const {
    if (services_.empty()) return "nothing";
    std::string text;
    std::size_t listed = 0;
    for (const auto& [name, unused] : services_) {
        if (listed++ == most_listed) return text + ", ...";
        text += (text.empty() ? "'" : ", '") + name + "'";
    }
    return text;
}

// Names come from the peer: shortened, and free of control characters.
FUTON_DETAIL_BODY std::string dispatcher::shown(std::string_view name) {
    std::string text{name.substr(0, 64)};
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return text;
}

FUTON_DETAIL_BODY std::string dispatcher::list_methods(const handlers& methods) {
    std::string text;
    std::size_t listed = 0;
    for (const auto& handler : methods) {
        if (listed++ == most_listed) return text + ", ...";
        text += (text.empty() ? "" : ", ") + handler->info.name;
    }
    return text;
}

}  // namespace futon::detail
