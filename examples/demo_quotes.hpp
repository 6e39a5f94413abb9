// SPDX-License-Identifier: Apache-2.0
// The contract of the demo's cluster: several servers, and a client that finds them in a registry.
#pragma once

#include <futon/contract.hpp>

#include <string>

struct Quote {
    double rate = 0;
    std::string from;  // The server that answered.
};

struct Quotes {
    Quote quote(std::string currency);
};
FUTON_SERVICE_AS(Quotes, "futon.Quotes:1.0", (quote, futon::idempotent))
