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
#include <futon/wire/detail/validate_bodies.hpp>
