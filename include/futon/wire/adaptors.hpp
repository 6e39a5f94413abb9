// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The msgpack-cxx adaptors that are missing without Boost, so that `msgpack::pack` and a hand-written adaptor can
/// hold what futon can hold: variants, time points, durations, enums, paths, plain aggregates.
///
/// They are constrained partial specialisations over a bare `T` in the namespace of msgpack-cxx's own adaptors:
/// any full specialisation, and any partial one that names more of the type, is preferred to them without ambiguity.
/// An adaptor must be visible wherever its type is packed: put it beside the type.
///
/// Each carries a mark, by which the codec tells ours from yours. A type of yours that has an adaptor of yours goes
/// through that adaptor on futon's wire too: packed straight into the message, and unpacked from an object tree.
/// (With MSGPACK_DEFAULT_API_VERSION 1, a container of yours does not: its adaptor stands where msgpack-cxx's own do.)
///
/// Include it, or the client or the server, wherever a `MSGPACK_DEFINE` struct with such a field is defined: the
/// macro's own members need the adaptors.

#include <futon/wire/detail/adaptor.hpp>
#include <futon/wire/detail/through_codec.hpp>
