// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Gives each method a filter of its own where one is listed for many.

#include <futon/filter/filter.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace futon {

/// `per_method{[] { return concurrency_limit{{.most = 10}}; }}`
/// for all of a client, or of a server: ten calls of each method.
///
/// `Make` is called once for each method of each service, when its first call comes. Thread-safety: safe.
template <class Make>
class per_method {
    using filter = std::invoke_result_t<Make&>;

    template <class Call>
    static constexpr bool fits = detail::problem_of_filter<filter, Call>() == detail::filter_problem::none;

    // The filter of the call, and what that keeps for it.
    struct chosen {
        filter* which = nullptr;
        detail::per_call_t<filter> kept{};
    };

public:
    using per_call = chosen;

    explicit per_method(Make make) : make_{std::move(make)} {}
    per_method(per_method&& other) noexcept : make_{std::move(other.make_)} {}

    template <class Call>
        requires(fits<Call>)
    auto before(Call& call, chosen& kept) {
        kept.which = &filter_of(call.method());
        if constexpr (detail::has_before_with_state<filter, Call>) {
            return kept.which->before(call, kept.kept);
        } else if constexpr (detail::has_before<filter, Call>) {
            return kept.which->before(call);
        }
    }
    template <class Call>
        requires(fits<Call>)
    auto starting(Call& call, chosen& kept) {
        if constexpr (detail::has_starting_with_state<filter, Call>) {
            return kept.which->starting(call, kept.kept);
        } else if constexpr (detail::has_starting<filter, Call>) {
            return kept.which->starting(call);
        }
    }
    template <class Call>
        requires(fits<Call>)
    void after(Call& call, call_outcome& how, chosen& kept) {
        if constexpr (detail::has_after_with_state<filter, Call>) {
            kept.which->after(call, how, kept.kept);
        } else if constexpr (detail::has_after<filter, Call>) {
            kept.which->after(call, how);
        }
    }

private:
    filter& filter_of(const method_info& method) {
        const std::lock_guard lock{mutex_};
        const auto found = filters_.find(std::pair<std::string_view, std::string_view>{method.service, method.name});
        if (found != filters_.end()) return *found->second;
        return *filters_.emplace(std::pair{method.service, method.name}, std::make_unique<filter>(make_()))
                    .first->second;
    }

    struct less {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const noexcept {
            const std::string_view first{a.first}, second{b.first};
            return first != second ? first < second : std::string_view{a.second} < std::string_view{b.second};
        }
    };

    Make make_;
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<filter>, less> filters_;
};

}  // namespace futon
