// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The last list of a service's providers that made sense, and what an update of its registry changes in it. Pure: time
/// is an argument.

#include <futon/cluster/endpoint_hash.hpp>
#include <futon/cluster/provider.hpp>
#include <futon/cluster/provider_protection.hpp>
#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/provider_update.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace futon {

/// What an update changed. The providers are shared with the set, and never change.
struct provider_changes {
    std::vector<std::shared_ptr<const provider>> added{};
    std::vector<std::shared_ptr<const provider>> changed{};  ///< The same address, and something else about it.
    std::vector<endpoint> removed{};
    std::vector<endpoint> suspected{};  ///< Missing in the list, and kept: to be used only while they answer.
    std::vector<endpoint> cleared{};    ///< Suspects that are listed again.
    bool wants_full = false;            ///< A step was missed; nothing was changed. See `subscription::refresh`.

    [[nodiscard]] bool empty() const noexcept {
        return added.empty() && changed.empty() && removed.empty() && suspected.empty() && cleared.empty();
    }
};

/// Counters of a `provider_set` since it was made.
struct provider_set_stats {
    std::uint64_t lists = 0;      ///< Whole lists applied.
    std::uint64_t steps = 0;      ///< Steps applied.
    std::uint64_t gaps = 0;       ///< Steps that did not fit.
    std::uint64_t refused = 0;    ///< Entries that were not usable, those included that the registry left out.
    std::uint64_t held_back = 0;  ///< Updates whose losses were not believed.
};

/// Holds a service's providers through all that a registry may say.
///
/// Thread-safety: one thread at a time.
class provider_set {
public:
    explicit provider_set(provider_protection rules = {}) : rules_{rules} {}

    /// Applies a list, or a step to the list that it starts from.
    ///
    /// Where the loss is not believed, those that are missing become suspects; they are removed when `lost` says so,
    /// when an authoritative update leaves them out, or by `advance` when patience ends. An entry that is no use is
    /// refused; if its address was listed, what was known of it stays. Of two entries for one address the first counts.
    [[nodiscard]] provider_changes apply(provider_update update, time_point now);
    /// Removes a suspect that does not answer any more; any other address is left as it is.
    [[nodiscard]] provider_changes lost(const endpoint& suspect);
    /// Removes the suspects whose time is over.
    [[nodiscard]] provider_changes advance(time_point now);
    /// When `advance` has something to do; empty: never.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;

    /// Whether a list was ever applied: until then nothing is known, which is not the same as that there is none.
    [[nodiscard]] bool is_told() const noexcept { return stats_.lists > 0; }
    /// Suspects included.
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t suspects() const noexcept { return suspects_; }
    [[nodiscard]] bool is_suspect(const endpoint& address) const {
        const auto found = entries_.find(&address);
        return found != entries_.end() && found->second.suspect_since.has_value();
    }
    /// Null if it is not known.
    [[nodiscard]] std::shared_ptr<const provider> find(const endpoint& address) const {
        const auto found = entries_.find(&address);
        return found == entries_.end() ? nullptr : found->second.told;
    }
    /// All, suspects included, in no order.
    [[nodiscard]] std::vector<std::shared_ptr<const provider>> list() const {
        std::vector<std::shared_ptr<const provider>> all;
        all.reserve(entries_.size());
        for (const auto& [address, each] : entries_) all.push_back(each.told);
        return all;
    }
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
    [[nodiscard]] const provider_set_stats& stats() const noexcept { return stats_; }

private:
    struct entry {
        std::shared_ptr<const provider> told;
        std::optional<time_point> suspect_since{};
        std::uint64_t seen = 0;  // The round of the last list that named it.
    };
    // By the address within what is told, so that it is held once.
    struct same_endpoint {
        [[nodiscard]] bool operator()(const endpoint* a, const endpoint* b) const noexcept { return *a == *b; }
    };
    using table = std::unordered_map<const endpoint*, entry, detail::endpoint_hash, same_endpoint>;

    void take(std::vector<provider>& told, provider_changes& into);
    void clear_suspect(entry& whose, provider_changes& into);
    void drop(table::iterator which, provider_changes& into);
    [[nodiscard]] std::vector<table::iterator> missing(const provider_update& update);
    [[nodiscard]] bool is_believed(std::size_t missing_now, bool authoritative, time_point now);

    provider_protection rules_;
    table entries_;
    std::size_t suspects_ = 0;
    std::uint64_t version_ = 0;
    std::uint64_t round_ = 0;
    std::size_t before_ = 0;  // How many were listed when the window of losses began.
    time_point window_end_{};
    provider_set_stats stats_;
};

inline provider_changes provider_set::apply(provider_update update, time_point now) {
    provider_changes made;
    if (update.from && (!is_told() || *update.from != version_)) {
        ++stats_.gaps;
        made.wants_full = true;
        return made;
    }
    ++(update.is_full() ? stats_.lists : stats_.steps);
    stats_.refused += update.refused;
    version_ = update.version;
    ++round_;
    // The window opens with what was listed before the loss.
    if (now >= window_end_) {
        before_ = entries_.size() - suspects_;
        window_end_ = deadline_after(now, rules_.window);
    }
    take(update.providers, made);
    const auto gone = missing(update);
    const bool believed = is_believed(gone.size(), update.authoritative, now);
    for (const auto each : gone) {
        if (believed) {
            drop(each, made);
        } else {
            each->second.suspect_since = now;
            ++suspects_;
            made.suspected.push_back(*each->first);
        }
    }
    before_ = std::max(before_, entries_.size() - suspects_);
    return made;
}

inline void provider_set::take(std::vector<provider>& told, provider_changes& into) {
    for (auto& each : told) {
        const auto found = entries_.find(&each.address);
        // What is told again need not be judged again.
        const bool same = found != entries_.end() && *found->second.told == each;
        const bool usable = same || provider_fault(each).empty();
        if (found == entries_.end()) {
            if (!usable || entries_.size() >= rules_.most) {
                ++stats_.refused;
                continue;
            }
            auto shared = std::make_shared<const provider>(std::move(each));
            entries_.emplace(&shared->address, entry{shared, {}, round_});
            into.added.push_back(std::move(shared));
            continue;
        }
        auto& present = found->second;
        if (present.seen == round_ || !usable) ++stats_.refused;
        if (present.seen == round_) continue;
        present.seen = round_;
        clear_suspect(present, into);
        if (!usable || same) continue;
        auto shared = std::make_shared<const provider>(std::move(each));
        into.changed.push_back(shared);
        auto moved = entries_.extract(found);
        moved.key() = &shared->address;
        moved.mapped().told = std::move(shared);
        entries_.insert(std::move(moved));
    }
}

// Those that the update leaves out. Suspects are not missed again, unless it is surely meant.
inline std::vector<provider_set::table::iterator> provider_set::missing(const provider_update& update) {
    std::vector<table::iterator> gone;
    if (update.is_full()) {
        for (auto each = entries_.begin(); each != entries_.end(); ++each)
            if (each->second.seen != round_ && (update.authoritative || !each->second.suspect_since))
                gone.push_back(each);
        return gone;
    }
    for (const auto& address : update.removed) {
        const auto found = entries_.find(&address);
        if (found == entries_.end() || found->second.seen == round_) continue;
        if (found->second.suspect_since && !update.authoritative) continue;
        found->second.seen = round_;  // Named twice, it goes once.
        gone.push_back(found);
    }
    return gone;
}

inline bool provider_set::is_believed(std::size_t missing_now, bool authoritative, time_point now) {
    if (missing_now == 0 || authoritative || rules_.patience <= duration::zero()) return true;
    const auto left = entries_.size() - suspects_ - missing_now;
    const auto most = static_cast<double>(before_) * rules_.largest_loss;
    const bool too_many = before_ >= rules_.least && left<before_&& static_cast<double>(before_ - left)> most;
    if (left > 0 && !too_many) return true;
    ++stats_.held_back;
    // What follows belongs to the same loss.
    window_end_ = deadline_after(now, rules_.window);
    return false;
}

inline void provider_set::clear_suspect(entry& whose, provider_changes& into) {
    if (!whose.suspect_since) return;
    whose.suspect_since.reset();
    --suspects_;
    into.cleared.push_back(whose.told->address);
}

inline void provider_set::drop(table::iterator which, provider_changes& into) {
    if (which->second.suspect_since) --suspects_;
    into.removed.push_back(*which->first);
    entries_.erase(which);
}

inline provider_changes provider_set::lost(const endpoint& suspect) {
    provider_changes made;
    const auto found = entries_.find(&suspect);
    if (found != entries_.end() && found->second.suspect_since) drop(found, made);
    return made;
}

inline provider_changes provider_set::advance(time_point now) {
    provider_changes made;
    if (suspects_ == 0) return made;
    for (auto each = entries_.begin(); each != entries_.end();) {
        const auto next = std::next(each);
        const auto& since = each->second.suspect_since;
        if (since && deadline_after(*since, rules_.patience) <= now) drop(each, made);
        each = next;
    }
    return made;
}

inline std::optional<time_point> provider_set::next_wakeup() const noexcept {
    if (suspects_ == 0) return std::nullopt;
    auto first = no_deadline;
    for (const auto& [address, each] : entries_)
        if (each.suspect_since) first = std::min(first, deadline_after(*each.suspect_since, rules_.patience));
    return first;
}

}  // namespace futon
