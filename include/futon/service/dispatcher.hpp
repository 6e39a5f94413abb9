// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Finds the handler of a method by name, and says what there is when it is not found.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/service/incoming_call.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace futon::detail {

/// All that one server, or one client that can be called back, offers.
///
/// Thread-safety: safe. What is added stays until the end, so that handlers can be used without the lock.
class dispatcher {
public:
    dispatcher();
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;
    ~dispatcher();

    /// Errors: `already_satisfied` if the service name is taken, or after `seal`.
    result<void> add(const std::string& service, std::vector<std::unique_ptr<method_handler>> methods);

    /// Nothing is added any more: peers are told of what there is.
    void seal() noexcept;

    /// Errors: `no_such_method`, listing what there is; `version_mismatch`, with both signatures.
    [[nodiscard]] result<method_handler*> find(std::string_view service, std::string_view method,
                                               std::string_view signature) const;

    /// Lets go of the implementations and of the executors that they run on, which may be the user's.
    /// Names and methods stay, for calls that are not answered yet.
    void release() noexcept;

    /// Of all services.
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] bool empty() const noexcept;

private:
    using handlers = std::vector<std::unique_ptr<method_handler>>;
    static constexpr std::size_t most_listed = 16;

    static std::string shown(std::string_view name);

    std::string list_services() const;
    static std::string list_methods(const handlers& methods);

    mutable std::mutex mutex_;
    std::map<std::string, handlers, std::less<>> services_;
    bool sealed_ = false;
};

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/dispatcher_bodies.hpp>
#endif
