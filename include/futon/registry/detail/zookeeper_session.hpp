// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A session with ZooKeeper, by its C client. The client's threads only hand over what they were told.

#ifndef THREADED
#define THREADED  // The client's header asks for it, with its library of threads.
#include <zookeeper/zookeeper.h>
#undef THREADED
#else
#include <zookeeper/zookeeper.h>
#endif

#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// What an operation brought.
struct zookeeper_outcome {
    int code = ZOK;
    std::string value{};
    std::vector<std::string> names{};
    bool mine = false;  ///< The node belongs to this session.
};

/// Thread-safety: one thread at a time, that on which `post` runs what it is given; everything is told there.
class zookeeper_session {
public:
    using on_done = std::function<void(zookeeper_outcome)>;

    zookeeper_session(std::function<void(std::function<void()>)> post, std::function<void(int)> on_state)
        : post_{std::move(post)}, on_state_{std::move(on_state)} {}
    zookeeper_session(const zookeeper_session&) = delete;
    zookeeper_session& operator=(const zookeeper_session&) = delete;
    ~zookeeper_session() { close(); }

    [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }
    /// Begins to connect. False if that cannot even begin, e.g. since no host could be resolved.
    [[nodiscard]] bool open(const std::string& servers, duration session) {
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(session).count();
        handle_ = ::zookeeper_init2(servers.c_str(), &zookeeper_session::hear_state,
                                    static_cast<int>(std::clamp<std::int64_t>(milliseconds, 1, 3'600'000)), nullptr,
                                    this, 0, [](const char*) {});
        return handle_ != nullptr;
    }
    /// What is under way ends without a word. Not inside of a callback of the client.
    void close() noexcept {
        // Its threads look at the session until this returns.
        if (handle_) ::zookeeper_close(handle_);
        handle_ = nullptr;
        ++generation_;
        tickets_.clear();
    }

    void create(const std::string& path, std::string_view value, bool ephemeral, on_done done) {
        auto& ticket = add(std::move(done));
        check(ticket, ::zoo_acreate(
                          handle_, path.c_str(), value.data(), static_cast<int>(value.size()), &ZOO_OPEN_ACL_UNSAFE,
                          ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT,
                          [](int code, const char*, const void* whose) { tell(whose, {.code = code}); }, &ticket));
    }
    void remove(const std::string& path, on_done done) {
        auto& ticket = add(std::move(done));
        check(ticket, ::zoo_adelete(
                          handle_, path.c_str(), -1, [](int code, const void* whose) { tell(whose, {.code = code}); },
                          &ticket));
    }
    void find_owner(const std::string& path, on_done done) {
        auto& ticket = add(std::move(done));
        const auto hear = [](int code, const Stat* about, const void* whose) {
            const auto* const handle = static_cast<const entry*>(whose)->session->handle_;
            // The handle stays until its threads have ended.
            tell(whose, {.code = code,
                         .mine = code == ZOK &&
                                 about->ephemeralOwner == ::zoo_client_id(const_cast<zhandle_t*>(handle))->client_id});
        };
        check(ticket, ::zoo_aexists(handle_, path.c_str(), 0, hear, &ticket));
    }
    /// `changed` is called once, where the operation succeeds: when there is something else to be read.
    void list(const std::string& path, std::function<void()> changed, on_done done) {
        auto& watch = add([changed = std::move(changed)](const zookeeper_outcome&) { changed(); });
        auto& ticket = add(std::move(done), watch.id);
        const auto hear = [](int code, const String_vector* names, const void* whose) {
            zookeeper_outcome how{.code = code};
            if (code == ZOK) how.names.assign(names->data, names->data + names->count);
            tell(whose, std::move(how));
        };
        check(ticket,
              ::zoo_awget_children(handle_, path.c_str(), &zookeeper_session::hear_change, &watch, hear, &ticket));
    }
    void get(const std::string& path, std::function<void()> changed, on_done done) {
        auto& watch = add([changed = std::move(changed)](const zookeeper_outcome&) { changed(); });
        auto& ticket = add(std::move(done), watch.id);
        const auto hear = [](int code, const char* value, int size, const Stat*, const void* whose) {
            zookeeper_outcome how{.code = code};
            if (code == ZOK && size > 0) how.value.assign(value, static_cast<std::size_t>(size));
            tell(whose, std::move(how));
        };
        check(ticket, ::zoo_awget(handle_, path.c_str(), &zookeeper_session::hear_change, &watch, hear, &ticket));
    }

private:
    // What the client holds on to; it stays where it is until it was told, or the session is closed.
    struct entry {
        zookeeper_session* session;
        std::uint64_t id;
        std::uint64_t watch;  // Not set where the operation fails; 0: none.
        on_done done;
    };

    [[nodiscard]] entry& add(on_done done, std::uint64_t watch = 0) {
        const auto id = ++last_id_;
        return tickets_.emplace(id, entry{this, id, watch, std::move(done)}).first->second;
    }
    // What the client did not take is told like what failed, later.
    void check(const entry& ticket, int code) {
        if (code != ZOK) tell(&ticket, {.code = code});
    }
    static void tell(const void* whose, zookeeper_outcome how) {
        const auto& ticket = *static_cast<const entry*>(whose);
        ticket.session->post_([session = ticket.session, id = ticket.id, how = std::move(how)]() mutable {
            session->finish(id, std::move(how));
        });
    }
    void finish(std::uint64_t id, zookeeper_outcome how) {
        auto taken = tickets_.extract(id);
        if (taken.empty()) return;  // Of a session that was closed.
        if (how.code != ZOK) tickets_.erase(taken.mapped().watch);
        taken.mapped().done(std::move(how));
    }
    static void hear_change(zhandle_t*, int type, int, const char*, void* whose) {
        // Every watch hears of the session too, and stays.
        if (type != ZOO_SESSION_EVENT) tell(whose, {});
    }
    static void hear_state(zhandle_t*, int type, int state, const char*, void* whose) {
        if (type != ZOO_SESSION_EVENT) return;
        auto* const session = static_cast<zookeeper_session*>(whose);
        session->post_([session, state, generation = session->generation_] {
            if (generation == session->generation_) session->on_state_(state);
        });
    }

    const std::function<void(std::function<void()>)> post_;
    const std::function<void(int)> on_state_;
    zhandle_t* handle_ = nullptr;
    std::uint64_t generation_ = 0;  // Changes only while the client has no threads here.
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, entry> tickets_;
};

}  // namespace futon::detail
