// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where the bodies of the engine are compiled: in every file that includes them, or once, in `futon::compiled`.
///
/// Some headers declare plain functions, and include what defines them, `detail/..._bodies.hpp`, at their end. With
/// `FUTON_COMPILED`, which that CMake target sets, they do not: src/compiled.cpp does, for all. Headers below the
/// bodies know nothing of this. Virtual functions among them say `FUTON_DETAIL_BODY` in their class, too: else the
/// first one would put the vtable, and with it everything, into every object of a program without `futon::compiled`.

#if defined(FUTON_COMPILED)
#define FUTON_DETAIL_BODY
#else
#define FUTON_DETAIL_BODY inline
#endif
