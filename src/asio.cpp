// SPDX-License-Identifier: Apache-2.0

/// \file
/// The other source of futon::compiled: Asio's own functions. A file of its own, so that a program that has compiled
/// Asio elsewhere links that, and nothing of this.

#include <futon/core/asio.hpp>

#include <asio/impl/src.hpp>
