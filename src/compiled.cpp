// SPDX-License-Identifier: Apache-2.0

/// \file
/// The source of futon::compiled: defines what the headers only declare where FUTON_COMPILED is set.

#include <futon/async/detail/awaitable_bodies.hpp>
#include <futon/client/detail/client_bodies.hpp>
#include <futon/core/detail/asio_executor_bodies.hpp>
#include <futon/core/detail/errc_bodies.hpp>
#include <futon/core/detail/error_bodies.hpp>
#include <futon/core/detail/log_bodies.hpp>
#include <futon/core/detail/random_word_bodies.hpp>
#include <futon/core/detail/runtime_bodies.hpp>
#include <futon/core/detail/serialised_executor_bodies.hpp>
#include <futon/message/detail/endpoint_bodies.hpp>
#include <futon/server/detail/server_bodies.hpp>
#include <futon/service/detail/dispatcher_bodies.hpp>
#include <futon/service/detail/filter_wait_bodies.hpp>
#include <futon/service/detail/handler_error_bodies.hpp>
#include <futon/service/detail/incoming_call_bodies.hpp>
#include <futon/service/detail/outgoing_filters_bodies.hpp>
#include <futon/service/detail/propagation_bodies.hpp>
#include <futon/service/detail/start_call_bodies.hpp>
#include <futon/serving/detail/provide_bodies.hpp>
#include <futon/wire/detail/reader_bodies.hpp>
#include <futon/wire/detail/signature_difference_bodies.hpp>
#include <futon/wire/detail/validate_bodies.hpp>

// What each file of a program refers to, see core/sizes_in_common.hpp.
namespace futon::detail {
void futon_compiled_was_built_from_other_headers_build_it_again(core_sizes) noexcept {}
void futon_compiled_was_built_from_other_headers_build_it_again(service_sizes) noexcept {}
void futon_compiled_was_built_from_other_headers_build_it_again(client_sizes) noexcept {}
void futon_compiled_was_built_from_other_headers_build_it_again(server_sizes) noexcept {}
}  // namespace futon::detail

// Templates of one type, so that who uses headers alone compiles them only where they are used.
template futon::executor_ref futon::detail::executor_over(asio::any_io_executor);
template asio::any_io_executor futon::detail::coroutine_executor(const futon::executor_ref&, futon::context_ptr);
template class futon::detail::running_awaitable<asio::any_io_executor>;
template futon::detail::intrusive_ptr<futon::detail::ref_counted> futon::detail::state_on(asio::io_context&,
                                                                                          futon::runtime_options);
