// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one process has registered in etcd, under one lease that is kept alive.

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/core/time.hpp>
#include <futon/registry/detail/base64.hpp>
#include <futon/registry/detail/etcd_http.hpp>
#include <futon/registry/detail/json_parts.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Thread-safety: one thread at a time, that of `http`.
class etcd_leases {
public:
    /// `pause` draws the time until the next attempt.
    etcd_leases(etcd_http& http, duration lease, std::function<duration()> pause)
        : http_{http}, wanted_ttl_{lease}, pause_{std::move(pause)} {}

    void put(const std::string& key, std::string value, registration_done done) {
        auto& it = keys_[key];
        it.value = std::move(value);
        it.stands = false;
        it.leaves = false;
        ++it.version;
        it.due = {};
        it.waiting.push_back(std::move(done));
        lease_due_ = held_ ? lease_due_ : time_point{};
    }
    void remove(const std::string& key, registration_done done) {
        const auto found = keys_.find(key);
        if (found == keys_.end()) return done({});
        auto& it = found->second;
        it.leaves = true;
        ++it.version;
        it.due = {};
        it.waiting.push_back(std::move(done));
    }
    /// Does what is due, and says when there is more.
    [[nodiscard]] time_point advance(time_point now) {
        if (keys_.empty() && held_ == 0) return no_deadline;
        auto next = no_deadline;
        if (!lease_busy_) {
            if (now >= lease_due_)
                held_ == 0 ? grant() : keep_alive();
            else
                next = lease_due_;
        }
        for (auto each = keys_.begin(); each != keys_.end() && busy_ < most_busy; ++each) {
            auto& it = each->second;
            if (it.busy || (it.stands && !it.leaves) || (held_ == 0 && !it.leaves)) continue;
            if (now >= it.due)
                change(each->first, it);
            else
                next = std::min(next, it.due);
        }
        return next;
    }
    /// All that was registered vanishes with the lease. For the end: waits for the answer, not for long.
    void end(duration most) {
        if (held_ != 0) {
            bool over = false;
            http_.post("/v3/lease/revoke", {{"ID", std::to_string(held_)}},
                       [&over](const etcd_outcome&) { over = true; });
            const auto until = deadline_after(clock::now(), most);
            while (!over && clock::now() < until) http_.step(until);
        }
        for (auto& [key, each] : keys_)
            tell(each, each.leaves ? result<void>{}
                                   : result<void>{error{errc::cancelled, "the registry was closed", executed::maybe}});
    }

private:
    static constexpr int most_busy = 32;  // More would only open more connections.

    struct entry {
        std::string value{};
        std::uint64_t version = 0;
        bool stands = false;  // In etcd, under the lease that is held.
        bool leaves = false;
        bool busy = false;
        time_point due{};
        std::vector<registration_done> waiting{};  // For the end of the next attempt.
    };

    static void tell(entry& whose, const result<void>& how) {
        for (const auto& each : std::exchange(whose.waiting, {})) each(how);
    }
    void lose_lease() {
        held_ = 0;
        lease_due_ = {};
        for (auto& [key, each] : keys_) {
            each.stands = false;
            each.due = {};
        }
    }
    void grant() {
        lease_busy_ = true;
        const auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wanted_ttl_).count());
        http_.post("/v3/lease/grant", {{"TTL", seconds}}, [this](const etcd_outcome& how) {
            lease_busy_ = false;
            const auto id = how.answer ? json_number(*how.answer, "ID") : 0;
            if (id == 0) {
                lease_due_ = deadline_after(clock::now(), pause_());
                const auto why =
                    how.answer ? error{errc::unavailable, "etcd grants no lease", executed::no} : how.answer.error();
                for (auto& [key, each] : keys_)
                    if (!each.leaves) tell(each, why);
                return;
            }
            held_ = id;
            ttl_ = std::chrono::seconds{std::clamp<std::int64_t>(json_number(*how.answer, "TTL"), 1, 86'400)};
            lease_due_ = deadline_after(clock::now(), ttl_ / 3);
        });
    }
    void keep_alive() {
        lease_busy_ = true;
        http_.post("/v3/lease/keepalive", {{"ID", std::to_string(held_)}}, [this](const etcd_outcome& how) {
            lease_busy_ = false;
            if (!how.answer) {
                lease_due_ = deadline_after(clock::now(), std::min(pause_(), ttl_ / 6));
                return;
            }
            // A lease that is over is answered too, without a time.
            const auto& told = json_part(*how.answer, "result");
            if (json_number(told, "TTL") <= 0)
                lose_lease();
            else
                lease_due_ = deadline_after(clock::now(), ttl_ / 3);
        });
    }
    void change(const std::string& key, entry& it) {
        it.busy = true;
        ++busy_;
        const bool removes = it.leaves;
        nlohmann::json body{{"key", to_base64(key)}};
        if (!removes) {
            body["value"] = to_base64(it.value);
            body["lease"] = std::to_string(held_);
        }
        http_.post(removes ? "/v3/kv/deleterange" : "/v3/kv/put", body,
                   [this, key, removes, version = it.version, lease = held_](const etcd_outcome& how) {
                       --busy_;
                       const auto found = keys_.find(key);
                       auto& its = found->second;
                       its.busy = false;
                       if (how.code == 5 && !removes && lease == held_) return lose_lease();
                       if (!how.answer) its.due = deadline_after(clock::now(), pause_());
                       // What was asked meanwhile is next; who asks hears of that.
                       if (version != its.version) {
                           its.stands = false;
                           return;
                       }
                       if (how.answer && !removes) its.stands = lease == held_;
                       auto waiting = std::exchange(its.waiting, {});
                       const bool final = !how.answer && !how.answer.error().is(cond::retryable);
                       if ((how.answer && removes) || final) keys_.erase(found);
                       for (const auto& each : waiting)
                           each(how.answer ? result<void>{} : result<void>{how.answer.error()});
                   });
    }

    etcd_http& http_;
    const duration wanted_ttl_;
    const std::function<duration()> pause_;
    std::map<std::string, entry> keys_;
    std::int64_t held_ = 0;  // The lease; 0: none.
    duration ttl_{};
    bool lease_busy_ = false;
    time_point lease_due_{};
    int busy_ = 0;
};

}  // namespace futon::detail
