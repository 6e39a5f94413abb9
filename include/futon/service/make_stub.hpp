// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Stubs over a channel, whichever it is: a client's, or the way back to a caller.

#include <futon/service/any_channel.hpp>
#include <futon/service/call_context.hpp>
#include <futon/service/detail/outgoing_filters.hpp>
#include <futon/service/service_key.hpp>
#include <futon/service/start_call.hpp>
#include <futon/service/stub.hpp>
#include <futon/service/stub_options.hpp>
#include <futon/service/typed_handler.hpp>

#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace futon {
namespace detail {

/// Errors: throws `rpc_error` with `bad_arguments`.
[[nodiscard]] inline std::string key_of_stub(std::string_view wire_name, const stub_options& options) {
    if (const auto part = misplaced_separator(options.version, options.unique_id); !part.empty())
        error{errc::bad_arguments,
              "stub_options: '" + std::string{part} + "' has a ':', which separates the parts of a name", executed::no}
            .raise();
    return service_key(wire_name, options.version, options.unique_id);
}

template <contract Contract>
[[nodiscard]] stub<Contract> make_stub(intrusive_ptr<any_channel> over, const stub_options& options,
                                       const std::source_location& where) {
    const auto key = key_of_stub(service_name<Contract>, options);
    const auto* const service = &over->open(key, &describe_all<Contract>);
    auto filters = client_chain::make({&over->filters(), &options.calls.filters});
    return stub<Contract>{stub_core{std::move(over), service, std::make_shared<const call_options>(options.calls),
                                    std::move(filters), where}};
}

}  // namespace detail

template <class Contract>
stub<Contract> call_context::caller(const stub_options& options, const std::source_location& where) const {
    auto back = way_back();
    return back ? detail::make_stub<Contract>(std::move(back), options, where) : futon::stub<Contract>{};
}
template <class Contract>
stub<Contract> call_context::caller(const std::source_location& where) const {
    return caller<Contract>(stub_options{}, where);
}

}  // namespace futon
