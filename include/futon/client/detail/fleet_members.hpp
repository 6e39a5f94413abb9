// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which providers a channel has, each with its connections.

#include <futon/client/detail/lane.hpp>
#include <futon/cluster/node.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/provider.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>
#include <futon/message/endpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace futon::detail {

using lane_list = std::vector<intrusive_ptr<lane>>;

/// Not thread-safe: guarded by its channel's lock.
class fleet_members {
public:
    fleet_members() = default;
    ~fleet_members() {
        for (auto& [which, unused] : members_) which->attachment = nullptr;
    }
    fleet_members(const fleet_members&) = delete;
    fleet_members& operator=(const fleet_members&) = delete;

    // Who comes and goes.

    /// A new one with so many lanes, of which `make(endpoint)` makes each.
    template <class Make>
    node& add(const provider& told, std::size_t lanes, time_point now, const Make& make) {
        auto& n = table_.put(told, now);
        auto its = std::make_unique<member>();
        for (std::size_t i = 0; i < lanes; ++i) its->lanes.push_back(make(told.address));
        idle_ += lanes;
        n.attachment = its.get();
        members_[&n] = std::move(its);
        return n;
    }
    /// Other things were told of one that is listed.
    void update(const provider& told, time_point now) { table_.put(told, now); }
    /// What routers heed of those that are listed has changed.
    void touch() noexcept { table_.touch(); }
    /// Moves its lanes to `left`, which are to be retired, and then handed to `retired`.
    void remove(const endpoint& address, time_point now, lane_list& left) {
        auto* const gone = table_.remove(address, now);
        if (!gone) return;
        auto& its = of(*gone);
        left.insert(left.end(), its.lanes.begin(), its.lanes.end());
        its.lanes.clear();
    }
    /// Remembered while calls are in flight on them.
    void retired(const lane_list& left) {
        std::erase_if(retired_, [](const auto& each) { return each->connections().empty(); });
        retired_.insert(retired_.end(), left.begin(), left.end());
    }
    /// Frees nodes that are gone, as `node_table::collect`.
    template <class LastLook>
    std::size_t collect(std::uint64_t oldest_version, LastLook last_look) {
        return table_.collect(oldest_version, [&](node& n) {
            last_look(n);
            members_.erase(&n);
        });
    }
    /// Ends them all.
    [[nodiscard]] lane_list take_all() {
        auto every = with_retired();
        for (const auto* n : table_.listed()) of(*n).lanes.clear();
        retired_.clear();
        return every;
    }

    // Who there is.

    [[nodiscard]] const node_table& table() const noexcept { return table_; }
    [[nodiscard]] const std::vector<node*>& listed() const noexcept { return table_.listed(); }
    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
    [[nodiscard]] node* find(const endpoint& address) const { return table_.find(address); }
    [[nodiscard]] static const lane_list& lanes_of(const node& n) noexcept { return of(n).lanes; }
    [[nodiscard]] lane_list lanes() const {
        lane_list all;
        for (const auto* n : table_.listed()) all.insert(all.end(), of(*n).lanes.begin(), of(*n).lanes.end());
        return all;
    }
    [[nodiscard]] lane_list with_retired() const {
        auto every = lanes();
        every.insert(every.end(), retired_.begin(), retired_.end());
        return every;
    }

    // Their connections.

    /// The next one that takes a call; null if none does.
    [[nodiscard]] static connection* ready_of(const node& n) noexcept {
        auto& its = of(n);
        const auto count = its.lanes.size();
        for (std::size_t i = 0; i < count; ++i)
            if (auto* const ready = its.lanes[its.turn++ % count]->ready_connection()) return ready;
        return nullptr;
    }
    /// Whether one takes a call.
    [[nodiscard]] static bool any_ready_of(const node& n) noexcept {
        const auto& all = of(n).lanes;
        return std::any_of(all.begin(), all.end(),
                           [](const auto& each) { return each->ready_connection() != nullptr; });
    }
    /// Any of them, whether or not it takes calls; null if there is none.
    [[nodiscard]] static connection* open_of(const node& n) noexcept {
        for (const auto& each : of(n).lanes)
            if (auto* const open = each->open_connection()) return open;
        return nullptr;
    }
    [[nodiscard]] static bool is_connected(const node& n) noexcept {
        const auto& all = of(n).lanes;
        return std::any_of(all.begin(), all.end(),
                           [](const auto& each) { return each->current() == lane::state::ready; });
    }
    /// Whether the last attempt to connect to it has failed.
    [[nodiscard]] static bool fails_to_connect(const node& n) noexcept {
        const auto& all = of(n).lanes;
        return std::any_of(all.begin(), all.end(),
                           [](const auto& each) { return each->current() == lane::state::backing_off; });
    }
    [[nodiscard]] bool any_connected() const noexcept {
        return std::any_of(listed().begin(), listed().end(), [](const node* n) { return is_connected(*n); });
    }
    /// Whether there is a connection, or may soon be one.
    [[nodiscard]] static bool has_hope(const node& n) noexcept {
        const auto& all = of(n).lanes;
        return std::any_of(all.begin(), all.end(), [](const auto& each) { return is_hopeful(each->current()); });
    }
    /// Begins to connect where nothing goes on, and says whether there is hope then.
    static bool wake(const node& n) noexcept {
        bool hope = false;
        for (const auto& each : of(n).lanes) hope = is_hopeful(each->wake()) || hope;
        return hope;
    }
    /// Has it tried again soon where it waits to be.
    static void hurry(const node& n) noexcept {
        for (const auto& each : of(n).lanes) each->hurry();
    }
    /// Whether lanes do nothing, so that somebody has to wake them. About.
    [[nodiscard]] bool any_idle() const noexcept { return idle_ > 0; }
    void one_idles() noexcept { ++idle_; }
    void none_idles() noexcept { idle_ = 0; }

private:
    // One node's connections.
    struct member {
        lane_list lanes;
        std::size_t turn = 0;
    };
    [[nodiscard]] static member& of(const node& n) noexcept { return *static_cast<member*>(n.attachment); }
    [[nodiscard]] static bool is_hopeful(lane::state now) noexcept {
        return now == lane::state::connecting || now == lane::state::ready;
    }

    node_table table_;
    std::unordered_map<node*, std::unique_ptr<member>> members_;
    lane_list retired_;
    std::size_t idle_ = 0;
};

}  // namespace futon::detail
