// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the thread of an etcd registry does: lists, and watches from the revision of the list on.

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/query_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/base64.hpp>
#include <futon/registry/detail/command_queue.hpp>
#include <futon/registry/detail/etcd_http.hpp>
#include <futon/registry/detail/etcd_leases.hpp>
#include <futon/registry/detail/files.hpp>
#include <futon/registry/detail/json_parts.hpp>
#include <futon/registry/etcd_registry_options.hpp>
#include <futon/registry/provider_lists.hpp>

#include <algorithm>
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
class etcd_registry_core {
public:
    [[nodiscard]] static std::shared_ptr<etcd_registry_core> make(etcd_registry_options options) {
        auto made = std::make_shared<etcd_registry_core>(std::move(options));
        made->lists_ = provider_lists{[weak = std::weak_ptr{made}] {
            if (const auto alive = weak.lock()) alive->http_.wake();
        }};
        return made;
    }
    explicit etcd_registry_core(etcd_registry_options options)
        : options_{std::move(options)},
          http_{options_.servers, options_.user, options_.password, options_.timeout, options_.tls},
          leases_{http_, options_.lease, [this] { return pause(); }} {}

    [[nodiscard]] provider_lists& lists() noexcept { return lists_; }
    [[nodiscard]] const etcd_registry_options& options() const noexcept { return options_; }
    /// For any thread.
    void post(std::function<void()> command) {
        commands_.post(std::move(command));
        http_.wake();
    }
    void stop() noexcept {
        lists_.close();
        commands_.stop();
        http_.wake();
    }
    void publish(const std::string& service, const provider& who, registration_done done) {
        leases_.put(key(service, who.address), provider_text(who), std::move(done));
    }
    void take_back(const std::string& service, const endpoint& address, registration_done done) {
        leases_.remove(key(service, address), std::move(done));
    }

    /// The thread's body.
    void run() {
        while (commands_.run()) {
            follow_wanted();
            const auto now = clock::now();
            auto next = leases_.advance(now);
            for (auto& [name, each] : followed_) {
                if (each.listing) continue;
                if (now >= each.due)
                    list(name, each);
                else
                    next = std::min(next, each.due);
            }
            http_.step(next);
        }
        leases_.end(std::min<duration>(options_.timeout, std::chrono::seconds{2}));
    }

private:
    struct followed {
        bool listing = false;
        std::uint64_t watch = 0;    // The number of its stream; 0: none.
        std::int64_t revision = 0;  // What has been told of.
        time_point due{};           // When it is listed again.
    };

    [[nodiscard]] std::string directory(const std::string& service) const {
        return options_.prefix + "/" + file_name(service) + "/";
    }
    [[nodiscard]] std::string key(const std::string& service, const endpoint& address) const {
        auto text = address.text();
        text.erase(text.find("://") + 1, 2);
        return directory(service) + file_name(text);
    }
    [[nodiscard]] duration pause() {
        std::uniform_int_distribution<std::int64_t> dice{options_.retry.count() / 5, options_.retry.count()};
        return duration{dice(random_)};
    }

    void follow_wanted() {
        const auto wanted = lists_.wanted();
        for (const auto& each : wanted) followed_.try_emplace(each);
        for (auto each = followed_.begin(); each != followed_.end();) {
            const bool gone = std::ranges::find(wanted, each->first) == wanted.end() && !each->second.listing &&
                              lists_.forget(each->first);
            if (gone && each->second.watch) http_.cancel(each->second.watch);
            each = gone ? followed_.erase(each) : std::next(each);
        }
    }
    // The keys of the directory: those that begin with it, since the last character's successor ends them.
    [[nodiscard]] nlohmann::json range(const std::string& service) const {
        auto begin = directory(service);
        auto end = begin;
        ++end.back();
        return {{"key", to_base64(begin)}, {"range_end", to_base64(end)}};
    }

    void list(const std::string& service, followed& whose) {
        whose.listing = true;
        http_.post("/v3/kv/range", range(service), [this, service](const etcd_outcome& how) {
            auto& which = followed_[service];
            which.listing = false;
            if (!how.answer) {
                // What is watched may be silent for the same reason.
                drop_watch(which);
                which.due = deadline_after(clock::now(), pause());
                return lists_.fail(service, how.answer.error());
            }
            const auto revision = json_number(json_part(*how.answer, "header"), "revision");
            if (which.watch && revision < which.revision) {
                // The watch was faster.
                which.due = deadline_after(clock::now(), pause());
                return;
            }
            which.revision = revision;
            std::uniform_int_distribution<std::int64_t> spread{-options_.resync.count() / 5,
                                                               options_.resync.count() / 5};
            which.due = deadline_after(clock::now(), options_.resync + duration{spread(random_)});
            if (!which.watch) watch(service, which);
            lists_.publish(service, read_list(json_part(*how.answer, "kvs"), directory(service) + "settings"));
        });
    }
    [[nodiscard]] static service_listing read_list(const nlohmann::json& entries, const std::string& settings_key) {
        service_listing made{.settings = metadata{}};
        if (!entries.is_array()) return made;
        for (const auto& each : entries) {
            const auto name = from_base64(json_text(each, "key"));
            const auto value = from_base64(json_text(each, "value"));
            if (name == settings_key) {
                auto read = parse_settings(value.value_or("?"));
                if (read)
                    made.settings = *std::move(read);
                else
                    made.refuse(settings_key, read.error());
                continue;
            }
            auto read = parse_provider(value.value_or(""));
            if (read)
                made.providers.push_back(*std::move(read));
            else
                made.refuse(name.value_or("?"), read.error());
        }
        return made;
    }
    void watch(const std::string& service, followed& which) {
        auto request = range(service);
        request["start_revision"] = std::to_string(which.revision + 1);
        request["prev_kv"] = true;
        request["progress_notify"] = true;
        which.watch = http_.stream(
            "/v3/watch", {{"create_request", request}},
            [this, service](const nlohmann::json& line) { take(service, line); },
            [this, service](const etcd_outcome&) {
                auto& its = followed_[service];
                its.watch = 0;
                drop_watch(its);
                its.due = std::min(its.due, deadline_after(clock::now(), pause()));
            });
    }
    void drop_watch(followed& which) {
        if (which.watch) http_.cancel(std::exchange(which.watch, 0));
        // Another server, or the same without its memory, may count from the beginning.
        which.revision = 0;
    }
    void take(const std::string& service, const nlohmann::json& line) {
        auto& which = followed_[service];
        const auto& told = json_part(line, "result");
        // The server ends a watch without ending the stream, e.g. where its beginning was compacted away.
        if (told.is_null() || json_flag(told, "canceled")) {
            drop_watch(which);
            which.due = std::min(which.due, deadline_after(clock::now(), pause()));
            return;
        }
        const auto& events = json_part(told, "events");
        if (!events.is_array()) return;
        std::vector<provider> changed;
        std::vector<endpoint> removed;
        bool unclear = false;
        for (const auto& each : events) {
            const auto& after = json_part(each, "kv");
            if (json_number(after, "mod_revision") <= which.revision) continue;
            const bool gone = json_text(each, "type") == "DELETE";
            const auto value = from_base64(json_text(gone ? json_part(each, "prev_kv") : after, "value"));
            auto read = value ? parse_provider(*value) : result<provider>{errc::bad_address};
            // Settings, what cannot be read, and the end of it are left to the list.
            if (!read || (gone && key(service, read->address) != from_base64(json_text(after, "key"))))
                unclear = true;
            else if (gone)
                forget(read->address, changed, removed);
            else
                add(*std::move(read), changed, removed);
        }
        if (unclear) {
            which.due = {};
            return;
        }
        which.revision = std::max(which.revision, json_number(json_part(told, "header"), "revision"));
        lists_.publish_step(service, std::move(changed), removed);
    }
    // Within one batch the last word counts.
    static void add(provider who, std::vector<provider>& changed, std::vector<endpoint>& removed) {
        std::erase_if(changed, [&](const provider& each) { return each.address == who.address; });
        std::erase(removed, who.address);
        changed.push_back(std::move(who));
    }
    static void forget(const endpoint& address, std::vector<provider>& changed, std::vector<endpoint>& removed) {
        std::erase_if(changed, [&](const provider& each) { return each.address == address; });
        removed.push_back(address);
    }

    const etcd_registry_options options_;
    std::minstd_rand random_{std::random_device{}()};
    provider_lists lists_;
    etcd_http http_;
    etcd_leases leases_;
    std::map<std::string, followed> followed_;
    command_queue commands_;
};

}  // namespace futon::detail
