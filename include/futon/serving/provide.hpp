// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Adds an implementation of a contract to what one side offers.

#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/serialised_executor.hpp>
#include <futon/service/description.hpp>
#include <futon/service/dispatcher.hpp>
#include <futon/service/service_name.hpp>
#include <futon/service/typed_handler.hpp>
#include <futon/serving/provide_options.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon::detail {

/// Whether `provide` can take it: a smart pointer, a reference wrapper, or an object that can be moved or copied in.
template <class T>
concept providable = std::is_constructible_v<std::remove_cvref_t<T>, T&&>;

/// For the overload that takes all else, so that the mistake is reported at the user's own line.
#define FUTON_DETAIL_NOT_PROVIDABLE \
    "futon: provide() cannot move this object in: give it a std::shared_ptr, or std::ref(x) of one that outlives it"

/// Any of the forms of an implementation as a shared pointer.
template <class T>
[[nodiscard]] auto hold_implementation(T&& implementation) {
    using plain = std::remove_cvref_t<T>;
    if constexpr (requires { typename plain::element_type; implementation.get(); implementation.use_count(); }) {
        return std::shared_ptr<typename plain::element_type>{std::forward<T>(implementation)};
    } else if constexpr (requires { typename plain::type; implementation.get(); requires std::is_same_v<plain, std::reference_wrapper<typename plain::type>>; }) {
        return std::shared_ptr<typename plain::type>{std::shared_ptr<void>{}, &implementation.get()};
    } else {
        return std::make_shared<plain>(std::forward<T>(implementation));
    }
}

template <class Contract>
[[nodiscard]] bool has_method(std::string_view name) {
    bool known = false;
    for_each_method<Contract>([&](auto method) { known = known || decltype(method)::name == name; });
    return known;
}

/// Errors: `bad_arguments` for options that name no method, or places that cannot be had.
template <class Contract>
[[nodiscard]] result<void> check_places(const std::string& key, const provide_options& options) {
    for (const auto& [name, place] : options.methods) {
        if (!has_method<Contract>(name)) return error{errc::bad_arguments, "provide: '" + key + "' has no method '" + name + "'", executed::no};
        if (options.serialised)
            return error{errc::bad_arguments,
                         "provide: '" + key + "' is serialised, so '" + name + "' cannot have a place of its own: leave out one of the two",
                         executed::no};
    }
    for (const auto& [name, unused] : options.method_filters)
        if (!has_method<Contract>(name)) return error{errc::bad_arguments, "provide: '" + key + "' has no method '" + name + "' to filter", executed::no};
    if (options.serialised && options.run_on.kind() == run_on::io)
        return error{errc::bad_arguments,
                     "provide: '" + key + "' is serialised, which I/O threads cannot keep: use the pool, or an executor in .run_on", executed::no};
    return {};
}

/// Where a method runs; null: on the connection's I/O thread.
[[nodiscard]] inline executor_ref place_for(const run_place& wanted, bool is_plain, const executor_ref& pool) {
    if (wanted.where()) return wanted.where();
    const auto kind = wanted.kind() == run_on::automatic ? (is_plain ? run_on::pool : run_on::io) : wanted.kind();
    return kind == run_on::pool ? pool : executor_ref{};
}

/// `outer` are filters that calls pass before those of the options.
/// Errors: `already_satisfied` for a name that is taken; those of `check_places`.
template <class Contract, class Implementation>
[[nodiscard]] result<void> add_service(dispatcher& to, const executor_ref& pool, Implementation&& implementation,
                                       const provide_options& options, const server_filters& outer = {}) {
    auto held = hold_implementation(std::forward<Implementation>(implementation));
    using implementation_type = typename decltype(held)::element_type;
    if constexpr (require_implementation<Contract, implementation_type>()) {
        const auto key = service_key(service_name<Contract>, options.version, options.unique_id);
        if (!held) return error{errc::bad_arguments, "provide: the implementation of '" + key + "' is a null pointer", executed::no};
        for (const auto& part : {std::string_view{options.version}, std::string_view{options.unique_id}})
            if (part.find(':') != part.npos)
                return error{errc::bad_arguments, "provide: '" + std::string{part} + "' of '" + key + "' has a ':', which separates the parts of a name", executed::no};
        if (auto possible = check_places<Contract>(key, options); !possible) return possible;
        const auto serial = options.serialised
                                ? make_intrusive<serialised_executor>(options.run_on.where() ? options.run_on.where() : pool)
                                : nullptr;
        std::vector<std::unique_ptr<method_handler>> handlers;
        for_each_method<Contract>([&](auto method) {
            using handler = typed_handler<decltype(method), implementation_type>;
            auto made = std::make_unique<handler>(key, held);
            auto wanted = options.run_on;
            for (const auto& [name, place] : options.methods)
                if (name == decltype(method)::name) wanted = place;
            made->where = serial ? executor_ref{serial} : place_for(wanted, handler::is_plain, pool);
            server_filters own;
            for (const auto& [name, filters] : options.method_filters)
                if (name == decltype(method)::name) own.insert(own.end(), filters.begin(), filters.end());
            made->filters = server_chain::make({&outer, &options.filters, &own});
            if (made->filters) made->keeps_arguments = true;
            made->run_to_end = options.run_to_end || decltype(method)::attributes.run_to_end;
            handlers.push_back(std::move(made));
        });
        return to.add(key, std::move(handlers));
    } else {
        return {};
    }
}

}  // namespace futon::detail
