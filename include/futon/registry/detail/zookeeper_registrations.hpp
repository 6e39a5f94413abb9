// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one process has registered in ZooKeeper: nodes that end with its session.

#include <futon/cluster/registry.hpp>
#include <futon/core/time.hpp>
#include <futon/registry/detail/zookeeper_session.hpp>
#include <futon/registry/sofa_url.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Thread-safety: one thread at a time, that of the session.
class zookeeper_registrations {
public:
    zookeeper_registrations(zookeeper_session& session, std::function<duration()> pause)
        : session_{session}, pause_{std::move(pause)} {}

    /// `key` is the provider's identity, `path` its node, which says all about it.
    void put(const std::string& key, std::string path, registration_done done) {
        auto& it = entries_[key];
        it.wanted = std::move(path);
        it.due = {};
        it.waiting.push_back(std::move(done));
    }
    void remove(const std::string& key, const registration_done& done) {
        const auto found = entries_.find(key);
        if (found == entries_.end()) return done({});
        found->second.wanted.clear();
        found->second.due = {};
        found->second.waiting.push_back(done);
    }
    /// A session is over, and all of its nodes with it.
    void begin_anew() {
        parents_.clear();
        for (auto& [key, it] : entries_) {
            it.busy = false;
            it.due = {};
            it.present.clear();
        }
    }
    /// There is no connection: who waits for a first attempt hears of it.
    void tell_all(const error& why) {
        for (auto& [key, each] : entries_) tell(each, why);
    }
    /// While there is a connection: does what is due, and says when there is more.
    [[nodiscard]] time_point advance(time_point now) {
        auto next = no_deadline;
        std::vector<std::string> over;
        for (auto& [key, it] : entries_) {
            if (it.busy) continue;
            const auto stale =
                std::ranges::find_if(it.present, [&](const std::string& each) { return each != it.wanted; });
            const bool missing = !it.wanted.empty() && !it.present.contains(it.wanted);
            if (!missing && stale == it.present.end()) {
                tell(it, {});
                if (it.wanted.empty()) over.push_back(key);
            } else if (now < it.due) {
                next = std::min(next, it.due);
            } else {
                // The new node first, so that the provider is there all the time.
                it.busy = true;
                if (missing)
                    create(key, it.wanted);
                else
                    erase(key, *stale);
            }
        }
        for (const auto& each : over) entries_.erase(each);
        return next;
    }
    void end() {
        for (auto& [key, each] : entries_)
            tell(each, each.wanted.empty()
                           ? result<void>{}
                           : result<void>{error{errc::cancelled, "the registry was closed", executed::maybe}});
    }
    /// Makes a node and all above it, as they are missing; then calls `done`.
    void make_directory(const std::string& path, std::function<void()> done) { make_from(path, 1, std::move(done)); }

private:
    struct entry {
        std::string wanted{};             // Empty: none.
        std::set<std::string> present{};  // Made in this session.
        bool busy = false;
        time_point due{};
        std::vector<registration_done> waiting{};
    };

    static void tell(entry& whose, const result<void>& how) {
        for (const auto& each : std::exchange(whose.waiting, {})) each(how);
    }
    void make_from(const std::string& path, std::size_t from, std::function<void()> done) {
        if (from == std::string::npos) return done();
        const auto end = path.find('/', from);
        const auto part = path.substr(0, end);
        const auto next = end == std::string::npos ? end : end + 1;
        if (parents_.contains(part)) return make_from(path, next, std::move(done));
        session_.create(part, "", false,
                        [this, path, part, next, done = std::move(done)](const zookeeper_outcome& how) mutable {
                            if (how.code == ZOK || how.code == ZNODEEXISTS) {
                                parents_.insert(part);
                                return make_from(path, next, std::move(done));
                            }
                            done();  // What follows fails, and is tried again.
                        });
    }
    void create(const std::string& key, const std::string& path) {
        const auto directory = path.substr(0, path.rfind('/'));
        make_directory(directory, [this, key, path] {
            constexpr std::string_view online{"\x01", 1};
            session_.create(path, online, true, [this, key, path](const zookeeper_outcome& how) {
                if (how.code == ZNODEEXISTS) return claim(key, path);
                if (how.code == ZNONODE) parents_.clear();  // Somebody removed them.
                finish(key, how.code, [&](entry& it) { it.present.insert(path); });
            });
        });
    }
    // Made by us, though the answer was lost, or by a predecessor
    // whose session has not ended yet, and would take it along.
    void claim(const std::string& key, const std::string& path) {
        session_.find_owner(path, [this, key, path](const zookeeper_outcome& how) {
            if (how.code == ZOK && how.mine) return finish(key, ZOK, [&](entry& it) { it.present.insert(path); });
            session_.remove(path, [this, key](const zookeeper_outcome&) { finish(key, ZOK, [](entry&) {}); });
        });
    }
    void erase(const std::string& key, const std::string& path) {
        session_.remove(path, [this, key, path](const zookeeper_outcome& how) {
            finish(key, how.code == ZNONODE ? static_cast<int>(ZOK) : how.code,
                   [&](entry& it) { it.present.erase(path); });
        });
    }
    template <class Change>
    void finish(const std::string& key, int code, Change change) {
        const auto found = entries_.find(key);
        if (found == entries_.end()) return;
        found->second.busy = false;
        if (code == ZOK) return change(found->second);
        found->second.due = deadline_after(clock::now(), pause_());
        tell(found->second, error{code == ZNOAUTH ? errc::permission_denied : errc::unavailable,
                                  std::string{"ZooKeeper: "} + ::zerror(code), executed::maybe});
    }

    zookeeper_session& session_;
    const std::function<duration()> pause_;
    std::map<std::string, entry> entries_;
    std::set<std::string> parents_;  // Known to be there.
};

}  // namespace futon::detail
