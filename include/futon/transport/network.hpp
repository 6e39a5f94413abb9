// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What carries bytes between places other than by sockets: the seam where memory:// addresses lead elsewhere.

#include <futon/core/error.hpp>
#include <futon/core/random_word.hpp>
#include <futon/core/result.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/transport/byte_stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace futon::detail {

/// Whoever waits for connections to one address.
struct listener {
    io_place place;                    ///< Where `accepted` is called.
    std::function<io_place()> choose;  ///< Where the next connection lives. Thread-safety: safe.
    std::function<void(io_place, std::unique_ptr<byte_stream>)> accepted;
};

/// Joins connectors and listeners by the names of their addresses. Thread-safety: safe.
class network : public ref_counted {
public:
    using outcome = result<std::unique_ptr<byte_stream>>;

    /// Calls `done` at most once, inside the executor of `place`; who waits sets the limit of that.
    virtual void connect(const io_place& place, const endpoint& to, std::function<void(outcome)> done) = 0;
    /// Errors: `listen_failed` where the name is taken.
    virtual result<void> listen(const endpoint& at, listener whose) = 0;
    /// Inside the executor of the listener's place; it hears of nothing more.
    virtual void stop_listening(const endpoint& at) noexcept = 0;
    /// Where the dice of those begin that connect through it, so that a simulation can be repeated.
    [[nodiscard]] virtual std::uint32_t next_seed() = 0;
};

/// Null if there is none.
[[nodiscard]] inline network* network_of(const io_place& place) noexcept {
    return static_cast<network*>(place.network.get());
}

/// For a session there, see `session_options`: hidden from peers, and the same each time in memory.
[[nodiscard]] inline std::uint64_t session_seed(const io_place& place) noexcept {
    return network_of(place) ? 0 : random_bits();
}

[[nodiscard]] inline error no_network(const endpoint& to) {
    return {errc::unsupported_protocol,
            to.text() +
                ": this runtime has no network in memory: use one with .network set to a "
                "futon::testing::network, or a simulation's",
            executed::no};
}

/// Of an address that is not one of memory, where nothing else is reached.
[[nodiscard]] inline error no_sockets(const endpoint& to) {
    return {
        errc::unsupported_protocol,
        to.text() + " inside a simulation: use memory://name, in .listen of its servers and as address of its clients",
        executed::no};
}

}  // namespace futon::detail
