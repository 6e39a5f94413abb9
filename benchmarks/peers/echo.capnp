# SPDX-License-Identifier: Apache-2.0
@0xd0c1d5a7b1f0e3a9;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("peers");

interface Echo {
  echo @0 (body :Data) -> (body :Data);
}
