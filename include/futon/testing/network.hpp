// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A network in memory: servers and clients of one process that talk without sockets.

#include <futon/core/runtime.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/testing/detail/memory_network.hpp>
#include <futon/testing/link_faults.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace futon::testing {

struct network_options {
    /// Of all that is left to chance: jitter, `drop_chance`, `cut_chance`, pauses before connecting again.
    std::uint64_t seed = 1;
    /// Whether `trace()` has lines; they are kept until the network goes.
    bool keep_trace = false;
};

/// Where "memory://name" leads, for a server, and for a client alike:
///
///     futon::server{{.listen = "memory://greeter", .threads = {.network = net}}}
///
/// Everything but the sockets is as over TCP: the bytes, the limits, the session. With ordinary runtimes it has their
/// threads and the real clock; a `simulation` brings a network of its own.
///
/// Errors: what takes an address throws `rpc_error`, with `bad_address` if it is of another kind, with `no_provider` if
/// no server of this network ever had it, as where it is mistyped: start a server before you speak of it. Of one that
/// has stopped, it goes on to hold for the next one of that address.
/// Thread-safety: safe. Lifetime: a cheap value; copies are the same network.
class network {
public:
    network() : network{network_options{}} {}
    explicit network(const network_options& options)
        : state_{detail::make_intrusive<detail::memory_network>(options.seed, options.keep_trace)} {}

    operator network_ref() const noexcept { return state_; }

    /// What goes wrong between the server of that address and its clients, from now on; `{}` ends it.
    void faults(std::string_view address, const link_faults& what, link_direction which = link_direction::both) const {
        state_->set_faults(name_of(address), which, what).value();
    }
    /// Breaks all connections to that address now. New ones can be made.
    void cut(std::string_view address) const { state_->cut(name_of(address)).value(); }
    /// How many connections to that address are open.
    [[nodiscard]] std::size_t connections(std::string_view address) const {
        return state_->connections(name_of(address)).value();
    }
    /// What happened, a line each: the time since the first in milliseconds, the connection, and what it did.
    [[nodiscard]] std::vector<std::string> trace() const { return state_->trace(); }

    [[nodiscard]] const detail::intrusive_ptr<detail::memory_network>& state() const noexcept { return state_; }

private:
    static std::string name_of(std::string_view address) {
        auto parsed = endpoint::parse(address);
        if (parsed && parsed->scheme != "memory")
            parsed =
                error{errc::bad_address,
                      "'" + std::string{address} + "' is no address of a network in memory (expected memory://name)",
                      executed::no};
        return std::move(parsed).value().path;
    }

    detail::intrusive_ptr<detail::memory_network> state_;
};

}  // namespace futon::testing
