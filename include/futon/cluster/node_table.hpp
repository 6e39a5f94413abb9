// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Owns the nodes of one cluster: makes them as providers are listed, keeps what it knows of them across updates, and
/// frees those that are gone once nothing uses them.

#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

namespace futon {

/// Nodes by address. Each change makes a new version; node sets are made from `listed()` of one.
///
/// A node that is removed gets no more calls at once, whatever set still lists it: it is held as draining. It is freed
/// by `collect`, when its attempts have ended and no set of an older version is left.
class node_table {
public:
    node_table() = default;
    node_table(node_table&&) noexcept = default;
    node_table& operator=(node_table&&) = delete;
    ~node_table() {
        for (auto* n : listed_) std::destroy_at(n);
        for (const auto& r : retired_) std::destroy_at(r.gone);
    }

    /// How long a provider that vanished and came back is still remembered as one that was ejected.
    static constexpr duration memory = std::chrono::seconds{60};

    /// Lists a provider, or replaces what was told of it; its counters stay. A new node is not connected.
    node& put(provider told, time_point now);
    /// Null if it is not listed. The node stays valid until `collect`.
    node* remove(const endpoint& address, time_point now);

    /// Who is listed has not changed, and what routers heed of it has: sets are to be made anew.
    void touch() noexcept { ++version_; }

    [[nodiscard]] node* find(const endpoint& address) const { return locate(address).second; }
    /// In an order that says nothing.
    [[nodiscard]] const std::vector<node*>& listed() const noexcept { return listed_; }
    [[nodiscard]] std::size_t size() const noexcept { return listed_.size(); }
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
    /// Above every node's slot.
    [[nodiscard]] std::size_t slots() const noexcept { return place_.size(); }

    /// Frees nodes that are listed no more, have no attempt in flight, and are in no set older than `oldest_version`.
    /// `last_look(node&)` comes before each, e.g. to close its connections. Returns how many are left to be freed.
    template <class LastLook>
    std::size_t collect(std::uint64_t oldest_version, LastLook&& last_look);
    std::size_t collect(std::uint64_t oldest_version) {
        return collect(oldest_version, [](node&) {});
    }

private:
    /// The address's hash, or the next number that is free where
    /// two addresses share one; and its node, if it is listed.
    [[nodiscard]] std::pair<std::uint64_t, node*> locate(const endpoint& address) const {
        for (auto id = stable_hash(address);; ++id) {
            const auto at = by_id_.find(id);
            if (at == by_id_.end()) return {id, nullptr};
            if (at->second->told.address == address) return {id, at->second};
        }
    }

    /// Room for nodes side by side: each by itself, aligned to a cache line, would waste another one.
    struct block {
        static constexpr std::size_t nodes = 32;
        alignas(node) std::byte room[nodes * sizeof(node)];
    };
    [[nodiscard]] void* room_of(std::uint32_t slot) const noexcept {
        return blocks_[slot / block::nodes]->room + slot % block::nodes * sizeof(node);
    }
    [[nodiscard]] std::uint32_t free_slot();

    struct retired {
        node* gone;
        std::uint64_t since_version;
    };
    struct past {
        std::uint64_t id;
        std::uint8_t ejections;
        time_point until;
    };
    std::vector<std::unique_ptr<block>> blocks_;
    std::vector<std::uint32_t> free_;
    std::vector<node*> listed_;
    std::unordered_map<std::uint64_t, node*> by_id_;
    std::vector<std::uint32_t> place_;  // In listed_, by slot.
    std::vector<retired> retired_;
    std::vector<past> remembered_;
    std::uint64_t version_ = 0;
};

inline node& node_table::put(provider told, time_point now) {
    const auto [id, known] = locate(told.address);
    if (known != nullptr) {
        if (known->told != told) {
            known->told = std::move(told);
            known->refresh();
            ++version_;
        }
        return *known;
    }
    const auto slot = free_slot();
    listed_.push_back(nullptr);  // What may throw comes before the node is made.
    auto& by_id = by_id_[id];
    auto& made = *new (room_of(slot)) node{std::move(told), id};
    made.slot = slot;
    made.first_seen = now;
    std::erase_if(remembered_, [&](const past& p) {
        if (p.id == made.id && p.until > now) made.ejections = p.ejections;
        return p.id == made.id || p.until <= now;
    });
    by_id = &made;
    place_[slot] = static_cast<std::uint32_t>(listed_.size() - 1);
    listed_.back() = &made;
    ++version_;
    return made;
}

inline std::uint32_t node_table::free_slot() {
    if (free_.empty()) {
        const auto next = static_cast<std::uint32_t>(place_.size());
        if (next % block::nodes == 0) blocks_.push_back(std::make_unique_for_overwrite<block>());
        place_.emplace_back();
        return next;
    }
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
}

inline node* node_table::remove(const endpoint& address, time_point now) {
    const auto [id, gone] = locate(address);
    if (gone == nullptr) return nullptr;
    by_id_.erase(id);
    // The last one takes its place.
    auto* const last = listed_.back();
    place_[last->slot] = place_[gone->slot];
    listed_[place_[gone->slot]] = last;
    listed_.pop_back();
    gone->listed = false;
    gone->set(hold::draining, true);
    if (gone->ejections > 0) remembered_.push_back({gone->id, gone->ejections, deadline_after(now, memory)});
    retired_.push_back({gone, ++version_});
    return gone;
}

template <class LastLook>
std::size_t node_table::collect(std::uint64_t oldest_version, LastLook&& last_look) {
    std::erase_if(retired_, [&](const retired& r) {
        if (r.since_version > oldest_version || r.gone->in_flight > 0) return false;
        last_look(*r.gone);
        free_.push_back(r.gone->slot);
        std::destroy_at(r.gone);
        return true;
    });
    return retired_.size();
}

}  // namespace futon
