// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the thread of a ZooKeeper registry does. One thing because all of it hangs on the state of the one session.

#include <futon/cluster/registry.hpp>
#include <futon/core/time.hpp>
#include <futon/registry/detail/command_queue.hpp>
#include <futon/registry/detail/zookeeper_registrations.hpp>
#include <futon/registry/detail/zookeeper_session.hpp>
#include <futon/registry/provider_lists.hpp>
#include <futon/registry/sofa_url.hpp>
#include <futon/registry/zookeeper_registry_options.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

/// Shared by the registry's handles and its thread.
class zookeeper_registry_core {
public:
    [[nodiscard]] static std::shared_ptr<zookeeper_registry_core> make(zookeeper_registry_options options) {
        auto made = std::make_shared<zookeeper_registry_core>(std::move(options));
        made->lists_ = provider_lists{[weak = std::weak_ptr{made}] {
            if (const auto alive = weak.lock()) alive->post([] {});
        }};
        return made;
    }
    explicit zookeeper_registry_core(zookeeper_registry_options options)
        : options_{std::move(options)},
          session_{[this](std::function<void()> command) { post(std::move(command)); },
                   [this](int state) { hear(state); }},
          registrations_{session_, [this] { return pause(); }} {}

    [[nodiscard]] provider_lists& lists() noexcept { return lists_; }
    [[nodiscard]] const zookeeper_registry_options& options() const noexcept { return options_; }
    /// For any thread.
    void post(std::function<void()> command) { commands_.post(std::move(command)); }
    void stop() noexcept {
        lists_.close();
        commands_.stop();
    }
    void publish(const std::string& service, const provider& who, registration_done done) {
        const auto about = sofa_service::parse(service);
        registrations_.put(service + " " + who.address.text(),
                           directory(about, "providers") + "/" + sofa_node_name(about, who), std::move(done));
    }
    void take_back(const std::string& service, const endpoint& address, const registration_done& done) {
        registrations_.remove(service + " " + address.text(), done);
    }

    /// The thread's body.
    void run() {
        while (commands_.run()) {
            const auto now = clock::now();
            auto next = no_deadline;
            if (!session_.is_open() && now >= open_due_) open(now);
            follow_wanted();
            if (connected_) {
                next = registrations_.advance(now);
                for (auto& [name, each] : followed_) next = std::min(next, read_due(name, each, now));
            } else {
                next = wait_for_connection(now);
            }
            commands_.wait(next);
        }
        session_.close();
        registrations_.end();
    }

private:
    enum branch : std::size_t { providers, overrides, configs };
    static constexpr std::array<const char*, 3> part_names{"providers", "overrides", "configs"};

    struct followed {
        struct directory_state {
            bool reading = false;
            bool stale = true;  // There may be something new.
            time_point due{};
        };
        std::array<directory_state, 3> parts{};
        bool known = false;
        service_listing listing{};
        metadata overridden{};
        std::map<std::string, std::string> configured{};
    };

    [[nodiscard]] std::string directory(const sofa_service& service, const std::string& branch_name) const {
        return options_.root + "/sofa-rpc/" + java_url_encode(service.interface) + "/" + branch_name;
    }
    [[nodiscard]] duration pause() {
        std::uniform_int_distribution<std::int64_t> dice{options_.retry.count() / 5, options_.retry.count()};
        return duration{dice(random_)};
    }

    void open(time_point now) {
        connected_ = false;
        set_patience(now);
        if (session_.open(options_.servers, options_.session)) return;
        open_due_ = deadline_after(now, pause());
        fail_all("cannot connect to " + options_.servers);
    }
    void set_patience(time_point now) {
        give_up_ = deadline_after(now, options_.timeout);
        expires_ = deadline_after(now, std::max(options_.session, options_.timeout));
    }
    [[nodiscard]] time_point wait_for_connection(time_point now) {
        if (!session_.is_open()) return open_due_;
        if (now >= give_up_) {
            fail_all("no connection to " + options_.servers);
            give_up_ = deadline_after(now, options_.timeout);
        }
        if (now < expires_) return std::min(give_up_, expires_);
        // A server without its memory refuses sessions that have seen more than it has: only a new one gets in.
        end_session();
        return now;
    }
    void end_session() {
        session_.close();
        registrations_.begin_anew();
        for (auto& [name, each] : followed_)
            for (auto& part : each.parts) part = {};
        open_due_ = {};
    }
    void fail_all(const std::string& why) {
        const error told{errc::unavailable, "ZooKeeper: " + why, executed::no};
        for (auto& [name, each] : followed_) {
            lists_.fail(name, told);
            mark_all(each);
        }
        registrations_.tell_all(told);
    }
    // All is read again when there is a connection, each client a while after it.
    void mark_all(followed& each) {
        const auto due = deadline_after(clock::now(), pause());
        for (auto& part : each.parts) {
            part.stale = true;
            part.due = due;
        }
    }
    void hear(int state) {
        if (state == ZOO_CONNECTED_STATE) {
            connected_ = true;
            return;
        }
        if (std::exchange(connected_, false)) fail_all("the connection to " + options_.servers + " was lost");
        set_patience(clock::now());
        if (state != ZOO_EXPIRED_SESSION_STATE && state != ZOO_AUTH_FAILED_STATE) return;
        // A session that has ended cannot be used for anything more.
        end_session();
    }
    void follow_wanted() {
        const auto wanted = lists_.wanted();
        for (const auto& each : wanted) followed_.try_emplace(each);
        for (auto each = followed_.begin(); each != followed_.end();) {
            // Its watches stay with the session, and find nothing to do.
            const bool gone = std::ranges::find(wanted, each->first) == wanted.end() && lists_.forget(each->first);
            each = gone ? followed_.erase(each) : std::next(each);
        }
    }

    [[nodiscard]] time_point read_due(const std::string& name, followed& which, time_point now) {
        auto next = no_deadline;
        for (const auto part : {providers, overrides, configs}) {
            auto& state = which.parts[part];
            if (!state.stale || state.reading || (part == overrides && options_.consumer_host.empty())) continue;
            if (now < state.due) {
                next = std::min(next, state.due);
                continue;
            }
            state.reading = true;
            state.stale = false;
            read(name, part);
        }
        return next;
    }
    void read(const std::string& name, branch which) {
        const auto path = directory(sofa_service::parse(name), part_names[which]);
        session_.list(
            path, [this, name, which] { mark(name, which); },
            [this, name, which, path](zookeeper_outcome how) {
                // SOFARPC's consumers make the directories too.
                if (how.code == ZNONODE)
                    return registrations_.make_directory(path, [this, name, which] { end_reading(name, which, true); });
                const auto found = followed_.find(name);
                if (found == followed_.end()) return;
                if (how.code != ZOK) {
                    end_reading(name, which, true);
                    return lists_.fail(
                        name, error{errc::unavailable, "ZooKeeper: " + path + ": " + ::zerror(how.code), executed::no});
                }
                end_reading(name, which, false);
                if (which == providers)
                    read_providers(name, found->second, std::move(how.names));
                else if (which == overrides)
                    read_overrides(found->second, how.names);
                else
                    read_configs(name, found->second, path, how.names);
                tell(name, found->second);
            });
    }
    void mark(const std::string& name, branch which) {
        if (const auto found = followed_.find(name); found != followed_.end()) found->second.parts[which].stale = true;
    }
    void end_reading(const std::string& name, branch which, bool again) {
        const auto found = followed_.find(name);
        if (found == followed_.end()) return;
        auto& state = found->second.parts[which];
        state.reading = false;
        if (!again) return;
        state.stale = true;
        state.due = deadline_after(clock::now(), pause() / 20);
    }
    // Two nodes of one provider are there while it replaces one by the other.
    static void read_providers(const std::string& name, followed& into, std::vector<std::string> names) {
        const auto service = sofa_service::parse(name);
        std::map<std::string, provider> read;
        into.listing.refused = 0;
        into.listing.fault.clear();
        into.known = true;
        std::ranges::sort(names);
        for (const auto& each : names) {
            auto node = parse_sofa_node(each);
            if (!node) {
                into.listing.refuse(each, node.error());
                continue;
            }
            if (node->version != service.version || node->unique_id != service.unique_id) continue;
            read.insert_or_assign(node->who.address.text(), std::move(node->who));
        }
        into.listing.providers.clear();
        for (auto& [address, each] : read) into.listing.providers.push_back(std::move(each));
    }
    void read_overrides(followed& into, const std::vector<std::string>& names) const {
        into.overridden.clear();
        for (const auto& each : names) {
            const auto url = java_url_decode(each);
            if (!url || url->find("://" + options_.consumer_host + "?") == std::string::npos) continue;
            const auto query = std::string_view{*url}.substr(url->find('?') + 1);
            static_cast<void>(
                detail::read_query(query, [&](const std::string& key, const std::string& value) -> std::string_view {
                    add_sofa_setting(into.overridden, key, value);
                    return {};
                }));
        }
    }
    void read_configs(const std::string& name, followed& into, const std::string& path,
                      const std::vector<std::string>& names) {
        std::erase_if(into.configured,
                      [&](const auto& each) { return std::ranges::find(names, each.first) == names.end(); });
        for (const auto& each : names)
            session_.get(
                path + "/" + each, [this, name] { mark(name, configs); },
                [this, name, each](const zookeeper_outcome& how) {
                    const auto found = followed_.find(name);
                    if (found == followed_.end() || how.code != ZOK) return;
                    found->second.configured[each] = how.value;
                    tell(name, found->second);
                });
    }
    void tell(const std::string& name, followed& which) {
        if (!which.known) return;
        metadata settings;
        for (const auto& [key, value] : which.configured) add_sofa_setting(settings, key, value);
        for (const auto& [key, value] : which.overridden) settings.set(key, value);
        auto listing = which.listing;
        listing.settings = std::move(settings);
        lists_.publish(name, std::move(listing));
    }

    const zookeeper_registry_options options_;
    std::minstd_rand random_{std::random_device{}()};
    provider_lists lists_;
    zookeeper_session session_;
    zookeeper_registrations registrations_;
    std::map<std::string, followed> followed_;
    bool connected_ = false;
    time_point give_up_{};  // Without a connection until then, it is an error.
    time_point expires_{};  // And then the session is.
    time_point open_due_{};
    command_queue commands_;
};

}  // namespace futon::detail
