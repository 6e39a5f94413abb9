// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What every stub holds, whatever its contract.

#include <futon/core/intrusive_ptr.hpp>

#include <memory>
#include <source_location>

namespace futon {

struct call_options;

namespace detail {

struct service_info;

/// A few words and a count: copies are cheap.
struct stub_core {
    /// An `any_channel`, held by its base so that contracts need not see it. Null in a stub that was made empty.
    intrusive_ptr<ref_counted> channel;
    /// Lives as long as the channel.
    const service_info* service = nullptr;
    /// Null: the client's.
    std::shared_ptr<const call_options> options;
    /// A `filter_chain<client_call>`, held as the channel is; null: none.
    intrusive_ptr<const ref_counted> filters;
    /// For people who look at calls that are under way.
    std::source_location made_at;
};

}  // namespace detail
}  // namespace futon
