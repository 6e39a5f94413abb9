// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The bodies of `runtime`; see core/bodies.hpp.

#include <futon/core/runtime.hpp>
#include <futon/core/runtime_state.hpp>

#include <asio/strand.hpp>

#include <utility>

namespace futon {

template <class Context>
detail::intrusive_ptr<detail::ref_counted> detail::state_on(Context& lent, runtime_options options) {
    const runtime_state::strand_maker next_strand = [](asio::io_context& of,
                                                       const intrusive_ptr<diagnostics>& reports) {
        auto strand = asio::make_strand(static_cast<Context&>(of));
        using executor_type = asio_serial_executor<decltype(strand)>;
        return io_place{make_intrusive<executor_type>(strand, reports), asio::any_io_executor{strand}};
    };
    return make_intrusive<runtime_state>(lent, next_strand, std::move(options));
}

FUTON_DETAIL_BODY runtime::runtime() : runtime{runtime_options{}} {}
FUTON_DETAIL_BODY runtime::runtime(runtime_options options)
    : state_{detail::make_intrusive<detail::runtime_state>(std::move(options))} {}
FUTON_DETAIL_BODY runtime::runtime(detail::intrusive_ptr<detail::driver> whose)
    : state_{detail::make_intrusive<detail::runtime_state>(std::move(whose))} {}

FUTON_DETAIL_BODY executor_ref runtime::executor() const { return state()->next_place().where; }
FUTON_DETAIL_BODY executor_ref runtime::pool() const noexcept { return state()->pool(); }
FUTON_DETAIL_BODY detail::intrusive_ptr<detail::runtime_state> runtime::state() const noexcept {
    return detail::intrusive_ptr<detail::runtime_state>{static_cast<detail::runtime_state*>(state_.get())};
}
FUTON_DETAIL_BODY runtime_stats runtime::stats() const noexcept { return state()->reports().counted(); }

}  // namespace futon
