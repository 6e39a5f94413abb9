// SPDX-License-Identifier: Apache-2.0

/// \file
/// What others of its kind begin with: the two libraries below futon, whole, and nothing else.

#include <asio.hpp>
#include <msgpack.hpp>

int main() {}
