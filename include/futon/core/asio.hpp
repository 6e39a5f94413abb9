// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The gate to Asio: every header of futon includes this one before any of Asio's.
///
/// All translation units of a program must see Asio with the same settings, and clang with libstdc++
/// gets coroutines from Asio 1.22 only when told so. The CMake target passes the flags; a build by
/// hand that included Asio first without them is stopped here instead of failing at run time.

#if defined(__clang__) && defined(__cpp_impl_coroutine)
#define FUTON_DETAIL_ASIO_NEEDS_HELP 1
#endif

#if defined(ASIO_CONFIG_HPP) || defined(ASIO_DETAIL_CONFIG_HPP)
#if !defined(ASIO_STANDALONE)
#error "futon: Asio was included before futon without ASIO_STANDALONE. Compile with -DASIO_STANDALONE."
#endif
#if defined(FUTON_DETAIL_ASIO_NEEDS_HELP) && !defined(ASIO_HAS_CO_AWAIT)
#error \
    "futon: Asio was included before futon without coroutines. Compile with -DASIO_HAS_CO_AWAIT -DASIO_HAS_STD_COROUTINE."
#endif
#endif

#ifndef ASIO_STANDALONE
#define ASIO_STANDALONE 1
#endif
// futon::compiled holds Asio's own functions, too: headers then only declare them. Who has included Asio before as
// headers only goes on with that.
#if defined(FUTON_COMPILED) && !defined(ASIO_SEPARATE_COMPILATION) && !defined(ASIO_DYN_LINK) && \
    !defined(ASIO_HEADER_ONLY)
#define ASIO_SEPARATE_COMPILATION 1
#endif
#if defined(FUTON_DETAIL_ASIO_NEEDS_HELP)
#ifndef ASIO_HAS_CO_AWAIT
#define ASIO_HAS_CO_AWAIT 1
#endif
#ifndef ASIO_HAS_STD_COROUTINE
#define ASIO_HAS_STD_COROUTINE 1
#endif
#endif
