// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How many connections a server has, in all and of each remote address, within its limits.

#include <futon/wire/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace futon::detail {

/// Pure; one thread at a time.
class admissions {
public:
    /// Counts a connection in; false where a limit is reached, or `open` is false.
    [[nodiscard]] bool admit(const std::string& peer, const limits& bounds, bool open) {
        const bool local = is_local(peer);
        const auto host = local ? std::string{} : host_of(peer);
        auto& of_host = per_host_[host];
        if (!open || now_ >= bounds.max_connections || (!local && of_host >= bounds.max_connections_per_address)) {
            ++refused_;
            if (of_host == 0) per_host_.erase(host);
            return false;
        }
        ++of_host;
        ++now_;
        ++accepted_;
        return true;
    }
    /// One that was admitted is gone.
    void left(const std::string& peer) {
        --now_;
        const auto of_host = per_host_.find(is_local(peer) ? std::string{} : host_of(peer));
        if (of_host != per_host_.end() && --of_host->second == 0) per_host_.erase(of_host);
    }
    [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
    static std::string host_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }
    // Peers on this machine do not count by their address: they have none.
    static bool is_local(const std::string& peer) { return peer.starts_with("unix://") || peer.starts_with("memory://"); }

    std::map<std::string, std::size_t> per_host_;
    std::size_t now_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace futon::detail
