// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of provide.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/core/serialised_executor.hpp>
#include <futon/service/service_key.hpp>
#include <futon/serving/provide.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

FUTON_DETAIL_BODY placement::placement(std::string key, const provide_options& options, const executor_ref& pool,
                                       const server_filters& outer)
    : key_{std::move(key)}, options_{options}, pool_{pool}, outer_{outer} {
    if (options.serialised)
        serial_ = make_intrusive<serialised_executor>(options.run_on.where() ? options.run_on.where() : pool);
}
FUTON_DETAIL_BODY placement::~placement() = default;

FUTON_DETAIL_BODY void placement::add(std::unique_ptr<method_handler> handler, bool is_plain, bool run_to_end) {
    const auto& name = handler->info.name;
    handler->where = serial_ ? serial_ : place_for(name, is_plain);
    server_filters own;
    for (const auto& [whose, filters] : options_.method_filters)
        if (whose == name) own.insert(own.end(), filters.begin(), filters.end());
    handler->filters = server_chain::make({&outer_, &options_.filters, &own});
    if (handler->filters) handler->keeps_arguments = true;
    handler->run_to_end = options_.run_to_end || run_to_end;
    handlers_.push_back(std::move(handler));
}

FUTON_DETAIL_BODY result<void> placement::offer(dispatcher& to) {
    if (auto possible = check(); !possible) return possible;
    return to.add(key_, std::move(handlers_));
}

FUTON_DETAIL_BODY result<void> placement::check() const {
    const auto bad = [](std::string text) {
        return error{errc::bad_arguments, "provide: " + std::move(text), executed::no};
    };
    if (const auto part = misplaced_separator(options_.version, options_.unique_id); !part.empty())
        return bad("'" + std::string{part} + "' of '" + key_ + "' has a ':', which separates the parts of a name");
    for (const auto& [name, place] : options_.methods) {
        if (!has_method(name)) return bad("'" + key_ + "' has no method '" + name + "'");
        if (options_.serialised)
            return bad("'" + key_ + "' is serialised, so '" + name +
                       "' cannot have a place of its own: leave out one of the two");
    }
    for (const auto& [name, unused] : options_.method_filters)
        if (!has_method(name)) return bad("'" + key_ + "' has no method '" + name + "' to filter");
    if (options_.serialised && options_.run_on.kind() == run_on::io)
        return bad("'" + key_ +
                   "' is serialised, which I/O threads cannot keep: use the pool, or an executor in .run_on");
    return {};
}

FUTON_DETAIL_BODY error no_implementation(const std::string& key) {
    return error{errc::bad_arguments, "provide: the implementation of '" + key + "' is a null pointer", executed::no};
}

FUTON_DETAIL_BODY bool placement::has_method(std::string_view name) const noexcept {
    return std::any_of(handlers_.begin(), handlers_.end(), [&](const auto& each) { return each->info.name == name; });
}

// Null: on the connection's I/O thread.
FUTON_DETAIL_BODY executor_ref placement::place_for(std::string_view name, bool is_plain) const {
    auto wanted = options_.run_on;
    for (const auto& [whose, place] : options_.methods)
        if (whose == name) wanted = place;
    if (wanted.where()) return wanted.where();
    const auto kind = wanted.kind() == run_on::automatic ? (is_plain ? run_on::pool : run_on::io) : wanted.kind();
    return kind == run_on::pool ? pool_ : executor_ref{};
}

}  // namespace futon::detail
