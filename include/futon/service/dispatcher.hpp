// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Finds the handler of a method by name, and says what there is when it is not found.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/wire/signature.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

/// All that one server, or one client that can be called back, offers.
///
/// Thread-safety: safe. What is added stays until the end, so that handlers can be used without the lock.
class dispatcher {
public:
    /// Errors: `already_satisfied` if the service name is taken.
    result<void> add(const std::string& service, std::vector<std::unique_ptr<method_handler>> methods) {
        const std::lock_guard lock{mutex_};
        if (services_.contains(service))
            return error{errc::already_satisfied,
                         "the service '" + service + "' is provided already: give one of them another version or unique_id", executed::no};
        services_.emplace(service, std::move(methods));
        return {};
    }

    /// Errors: `no_such_method`, listing what there is; `version_mismatch`, with both signatures.
    [[nodiscard]] result<method_handler*> find(std::string_view service, std::string_view method,
                                               std::string_view signature) const {
        const std::lock_guard lock{mutex_};
        const auto found = services_.find(service);
        if (found == services_.end())
            return error{errc::no_such_method, "there is no service '" + shown(service) + "' here; offered: " + list_services(), executed::no};
        for (const auto& handler : found->second) {
            if (handler->info.name != method) continue;
            if (!compatible(signature, handler->info.signature))
                return error{errc::version_mismatch,
                             shown(service) + "." + shown(method) + " does not fit: the caller has " + std::string{signature} +
                                 ", the server has " + handler->info.signature,
                             executed::no};
            return handler.get();
        }
        return error{errc::no_such_method,
                     "the service '" + shown(service) + "' has no method '" + shown(method) + "'; it has: " + list_methods(found->second),
                     executed::no};
    }

    /// Lets go of the implementations and of the executors that they run on, which may be the user's.
    /// Names and methods stay, for calls that are not answered yet.
    void release() noexcept {
        const std::lock_guard lock{mutex_};
        for (const auto& [unused, provided] : services_) {
            for (const auto& each : provided) {
                each->release();
                each->where = nullptr;
            }
        }
    }

    /// Of all services.
    [[nodiscard]] std::vector<std::string> names() const {
        const std::lock_guard lock{mutex_};
        std::vector<std::string> all;
        for (const auto& [name, unused] : services_) all.push_back(name);
        return all;
    }
    [[nodiscard]] bool empty() const noexcept {
        const std::lock_guard lock{mutex_};
        return services_.empty();
    }

private:
    using handlers = std::vector<std::unique_ptr<method_handler>>;
    static constexpr std::size_t most_listed = 16;

    // Names come from the peer: shortened, and free of control characters.
    static std::string shown(std::string_view name) {
        std::string text{name.substr(0, 64)};
        std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
        return text;
    }

    std::string list_services() const {
        if (services_.empty()) return "nothing";
        std::string text;
        std::size_t listed = 0;
        for (const auto& [name, unused] : services_) {
            if (listed++ == most_listed) return text + ", ...";
            text += (text.empty() ? "'" : ", '") + name + "'";
        }
        return text;
    }
    static std::string list_methods(const handlers& methods) {
        std::string text;
        std::size_t listed = 0;
        for (const auto& handler : methods) {
            if (listed++ == most_listed) return text + ", ...";
            text += (text.empty() ? "" : ", ") + handler->info.name;
        }
        return text;
    }

    mutable std::mutex mutex_;
    std::map<std::string, handlers, std::less<>> services_;
};

}  // namespace futon::detail
