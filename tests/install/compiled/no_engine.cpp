// SPDX-License-Identifier: Apache-2.0
#include <futon/futon.hpp>

// What makes the engine dear to compile is not seen here. The names are those of Asio's own include guards.
#if defined(ASIO_IP_TCP_HPP) || defined(ASIO_STEADY_TIMER_HPP) || defined(ASIO_SIGNAL_SET_HPP)
#error "futon.hpp reaches the engine although that is compiled elsewhere"
#endif
