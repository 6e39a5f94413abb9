// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Names the two ends of a stream, for contracts and other headers that only mention them.

namespace futon {

/// The consumer's end: items of type `T`, then a final result `R`. Defined by `async/stream.hpp`.
template <class T, class R = void>
class stream;

/// The producer's end. Defined by `async/sink.hpp`.
template <class T, class R = void>
class sink;

}  // namespace futon
