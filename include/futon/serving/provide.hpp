// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Adds an implementation of a contract to what one side offers.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>
#include <futon/core/sizes_in_common.hpp>
#include <futon/service/description.hpp>
#include <futon/service/dispatcher.hpp>
#include <futon/service/service_key.hpp>
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
    if constexpr (requires {
                      typename plain::element_type;
                      implementation.get();
                      implementation.use_count();
                  }) {
        return std::shared_ptr<typename plain::element_type>{std::forward<T>(implementation)};
    } else if constexpr (requires {
                             typename plain::type;
                             implementation.get();
                             requires std::is_same_v<plain, std::reference_wrapper<typename plain::type>>;
                         }) {
        return std::shared_ptr<typename plain::type>{std::shared_ptr<void>{}, &implementation.get()};
    } else {
        return std::make_shared<plain>(std::forward<T>(implementation));
    }
}

/// What a service's options make of its methods, which are the same for every contract.
///
/// Lifetime: for the time of one `provide`.
class placement {
public:
    /// `outer` are filters that calls pass before those of the options.
    placement(std::string key, const provide_options& options, const executor_ref& pool, const server_filters& outer);
    placement(const placement&) = delete;
    placement& operator=(const placement&) = delete;
    ~placement();

    /// The full name of the service.
    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    /// The next method of the contract. `is_plain`: it may block. `run_to_end` is what the contract says.
    void add(std::unique_ptr<method_handler> handler, bool is_plain, bool run_to_end);
    /// Errors: `bad_arguments` for options that name no method, or places that cannot be had; `already_satisfied` for a
    /// name that is taken.
    [[nodiscard]] result<void> offer(dispatcher& to);

private:
    [[nodiscard]] result<void> check() const;
    [[nodiscard]] bool has_method(std::string_view name) const noexcept;
    [[nodiscard]] executor_ref place_for(std::string_view name, bool is_plain) const;

    const std::string key_;
    const provide_options& options_;
    const executor_ref& pool_;
    const server_filters& outer_;
    executor_ref serial_;  // Where the methods run one at a time; null: they may run at once.
    std::vector<std::unique_ptr<method_handler>> handlers_;
};

/// That a null pointer was provided.
[[nodiscard]] error no_implementation(const std::string& key);

/// `outer` are filters that calls pass before those of the options.
/// Errors: those of `placement::offer`; `bad_arguments` for a null pointer.
template <class Contract, class Implementation>
[[nodiscard]] result<void> add_service(dispatcher& to, const executor_ref& pool, Implementation&& implementation,
                                       const provide_options& options, const server_filters& outer = {}) {
    auto held = hold_implementation(std::forward<Implementation>(implementation));
    using implementation_type = typename decltype(held)::element_type;
    if constexpr (require_implementation<Contract, implementation_type>()) {
        if (!held) return no_implementation(service_key(service_name<Contract>, options.version, options.unique_id));
        placement methods{service_key(service_name<Contract>, options.version, options.unique_id), options, pool,
                          outer};
        for_each_method<Contract>([&](auto method) {
            using handler = typed_handler<decltype(method), implementation_type>;
            methods.add(std::make_unique<handler>(methods.key(), held), handler::is_plain,
                        decltype(method)::attributes.run_to_end);
        });
        return methods.offer(to);
    } else {
        return {};
    }
}

}  // namespace futon::detail

#if defined(FUTON_COMPILED)
FUTON_DETAIL_SIZES_IN_COMMON(service_sizes, sizeof(result<int>), sizeof(operation), sizeof(metadata),
                             sizeof(method_info), sizeof(endpoint), sizeof(limits), sizeof(call),
                             sizeof(future_state<int>), sizeof(incoming_call), sizeof(method_handler),
                             sizeof(dispatcher), sizeof(stub_core), sizeof(call_options), sizeof(provide_options))
#else
#include <futon/serving/detail/provide_bodies.hpp>
#endif
