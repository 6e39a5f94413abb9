// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The bodies of `runtime`; see core/bodies.hpp.

#include <futon/core/runtime.hpp>
#include <futon/core/runtime_state.hpp>

#include <utility>

namespace futon {

FUTON_DETAIL_BODY runtime::runtime() : runtime{runtime_options{}} {}
FUTON_DETAIL_BODY runtime::runtime(runtime_options options)
    : state_{detail::make_intrusive<detail::runtime_state>(std::move(options))} {}
FUTON_DETAIL_BODY runtime::runtime(asio::io_context& lent, runtime_options options)
    : state_{detail::make_intrusive<detail::runtime_state>(lent, std::move(options))} {}
FUTON_DETAIL_BODY runtime::runtime(detail::intrusive_ptr<detail::driver> whose)
    : state_{detail::make_intrusive<detail::runtime_state>(std::move(whose))} {}

FUTON_DETAIL_BODY executor_ref runtime::executor() const { return state()->next_place().where; }
FUTON_DETAIL_BODY executor_ref runtime::pool() const noexcept { return state()->pool(); }
FUTON_DETAIL_BODY detail::intrusive_ptr<detail::runtime_state> runtime::state() const noexcept {
    return detail::intrusive_ptr<detail::runtime_state>{static_cast<detail::runtime_state*>(state_.get())};
}
FUTON_DETAIL_BODY runtime_stats runtime::stats() const noexcept { return state()->reports().counted(); }

}  // namespace futon
