// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How many connections a server has, in all and of each remote address, within its limits.

#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>
#include <futon/wire/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace futon::detail {

/// Pure; one thread at a time.
class admissions {
public:
    /// Counts a connection in, or says why not: a limit is reached, or `open` is false.
    [[nodiscard]] std::optional<error> admit(const std::string& peer, const limits& bounds, bool open) {
        const bool local = is_local(peer);
        const auto host = local ? std::string{} : host_of(peer);
        auto& of_host = per_host_[host];
        auto why = open ? std::optional<error>{} : error{errc::unavailable, "the server is stopping", executed::no};
        if (!why && now_ >= bounds.max_connections) why = full("limits.max_connections", bounds.max_connections);
        if (!why && !local && of_host >= bounds.max_connections_per_address)
            why = full("limits.max_connections_per_address", bounds.max_connections_per_address);
        if (why) {
            ++refused_;
            if (of_host == 0) per_host_.erase(host);
            return why;
        }
        ++of_host;
        ++now_;
        ++accepted_;
        return std::nullopt;
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
    static error full(const char* option, std::size_t most) {
        return {errc::overloaded,
                "the server takes no more connections than its " + std::string{option} + ": " + std::to_string(most),
                executed::no};
    }
    static std::string host_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }
    // Peers on this machine do not count by their address: they have none.
    static bool is_local(const std::string& peer) {
        return peer.starts_with("unix://") || peer.starts_with("memory://");
    }

    std::map<std::string, std::size_t> per_host_;
    std::size_t now_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t refused_ = 0;
};

/// The same for connections that end on any thread, some of them after the server. Thread-safety: safe.
class entrance final : public ref_counted {
public:
    /// A place for a connection, taken until it is let go of; or why there is none: see `admissions`.
    [[nodiscard]] result<intrusive_ptr<ref_counted>> admit(const std::string& peer, const limits& bounds, bool open) {
        auto made = make_intrusive<place>(intrusive_ptr<entrance>{this}, peer);
        const std::lock_guard lock{mutex_};
        if (auto why = admitted_.admit(peer, bounds, open)) return *std::move(why);
        made->taken = true;
        return intrusive_ptr<ref_counted>{std::move(made)};
    }
    /// For one that was refused, until it has read why. Null if all are taken, so that those who come again and again
    /// hold few sockets here.
    [[nodiscard]] intrusive_ptr<ref_counted> seat_outside() {
        auto made = make_intrusive<place>(intrusive_ptr<entrance>{this}, std::nullopt);
        const std::lock_guard lock{mutex_};
        if (seated_ == most_seated) return nullptr;
        ++seated_;
        made->taken = true;
        return made;
    }
    [[nodiscard]] std::uint64_t accepted() const noexcept {
        const std::lock_guard lock{mutex_};
        return admitted_.accepted();
    }
    [[nodiscard]] std::uint64_t refused() const noexcept {
        const std::lock_guard lock{mutex_};
        return admitted_.refused();
    }

private:
    struct place final : ref_counted {
        place(intrusive_ptr<entrance> where, std::optional<std::string> whose)
            : of{std::move(where)}, peer{std::move(whose)} {}
        ~place() override {
            if (!taken) return;
            const std::lock_guard lock{of->mutex_};
            peer ? of->admitted_.left(*peer) : void(--of->seated_);
        }
        const intrusive_ptr<entrance> of;
        const std::optional<std::string> peer;  // None: a seat outside.
        bool taken = false;
    };
    static constexpr std::size_t most_seated = 64;

    mutable std::mutex mutex_;
    admissions admitted_;
    std::size_t seated_ = 0;
};

}  // namespace futon::detail
