// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one provided service can be told, and what is told of each call that it answered.

#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/filter/any_filter.hpp>
#include <futon/message/method_info.hpp>
#include <futon/service/run_on.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// For `provide<C>(x, {.version = "2.0"})`, of a server or of a client.
struct provide_options {
    /// Part of the full service name; callers must ask for the same.
    std::string version{};
    /// Tells several providers of one contract and version apart.
    std::string unique_id{};
    /// Where handlers run; see `run_on`.
    run_place run_on{};
    /// The same for single methods, by name.
    std::vector<std::pair<std::string, run_place>> methods{};
    /// At most one handler of this service runs at a time: on the pool, or on an executor in `run_on`.
    bool serialised = false;
    /// A caller that gives up does not stop the handler.
    bool run_to_end = false;
    /// What calls of this service pass, within the filters of the server.
    server_filters filters{};
    /// What those of single methods pass within these, by name.
    std::vector<std::pair<std::string, server_filters>> method_filters{};
};

/// How one incoming call ended, for the completion hook.
struct served_record {
    const method_info& method;
    std::string_view peer;
    const error* failure;  ///< Null if it was answered with a value.
    duration handler;      ///< From the start of the handler to its answer; zero if it did not run.
};

/// A handler that holds an I/O thread for longer is named in a warning.
inline constexpr duration default_slow_handler = std::chrono::milliseconds{100};

}  // namespace futon
