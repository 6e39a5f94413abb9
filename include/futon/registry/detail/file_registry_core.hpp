// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the thread of a file registry does.

#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/command_queue.hpp>
#include <futon/registry/detail/directory_watch.hpp>
#include <futon/registry/detail/file_owners.hpp>
#include <futon/registry/detail/file_service.hpp>
#include <futon/registry/detail/files.hpp>
#include <futon/registry/file_registry_options.hpp>
#include <futon/registry/provider_lists.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace futon::detail {

/// Shared by the registry's handles and its thread.
class file_registry_core {
public:
    [[nodiscard]] static std::shared_ptr<file_registry_core> make(std::string directory,
                                                                  file_registry_options options) {
        auto made = std::make_shared<file_registry_core>(std::move(directory), options);
        made->lists_ = provider_lists{[weak = std::weak_ptr{made}] {
            if (const auto alive = weak.lock()) alive->watch_.wake();
        }};
        return made;
    }
    file_registry_core(std::string directory, file_registry_options options)
        : directory_{std::move(directory)},
          options_{options},
          watch_{options.watch},
          self_{owners_directory(), options.file_mode},
          owners_{owners_directory(), options.expiry} {}

    /// For any thread.
    void post(std::function<void()> command) {
        commands_.post(std::move(command));
        watch_.wake();
    }
    void stop() noexcept {
        lists_.close();
        commands_.stop();
        watch_.wake();
    }
    [[nodiscard]] provider_lists& lists() noexcept { return lists_; }
    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

    /// The thread's body.
    void run() {
        auto tick = clock::now();
        while (commands_.run()) {
            const auto now = clock::now();
            if (now >= tick) {
                beat();
                look_at_all_ = true;
                tick = deadline_after(now, options_.heartbeat);
            }
            follow_wanted();
            note_changes(watch_.wait(read_due(tick)));
        }
        take_all_back();
    }

    void publish(const std::string& service, const provider& who, const registration_done& done) {
        auto made = write(service, who);
        const bool later = made || made.error().is(cond::retryable);
        if (later) registered_[{service, who.address}] = {who, made ? std::optional{*made} : std::nullopt};
        done(made ? result<void>{} : result<void>{std::move(made).error()});
    }
    void take_back(const std::string& service, const endpoint& address, const registration_done& done) {
        const auto found = registered_.find({service, address});
        if (found != registered_.end()) {
            remove(found->first, found->second);
            registered_.erase(found);
            dirty_.insert(service);
        }
        done({});
    }

private:
    struct identity {
        dev_t device{};
        ino_t number{};
    };
    struct registration {
        provider who;
        std::optional<identity> written;
    };
    struct key {
        std::string service;
        endpoint address;
        friend bool operator<(const key& a, const key& b) {
            return std::tie(a.service, a.address.scheme, a.address.host, a.address.path, a.address.port) <
                   std::tie(b.service, b.address.scheme, b.address.host, b.address.path, b.address.port);
        }
    };
    struct followed {
        file_service files;
        time_point not_before{};  // Reading takes at most a third of the thread's time.
        std::uint64_t refused = 0;
    };

    [[nodiscard]] std::string owners_directory() const { return directory_ + "/.owners"; }
    [[nodiscard]] std::string service_directory(const std::string& service) const {
        return directory_ + "/" + file_name(service);
    }
    [[nodiscard]] static std::string provider_path(const std::string& directory, const endpoint& address) {
        auto text = address.text();
        text.erase(text.find("://") + 1, 2);
        return directory + "/" + file_name(text);
    }
    [[nodiscard]] unsigned directory_mode() const noexcept {
        return options_.file_mode | ((options_.file_mode & 0444u) >> 2);
    }

    // The directory belongs to us or to root, and nobody writes into it whom we did not let.
    [[nodiscard]] result<void> check_directory() const {
        struct stat about = {};
        if (::stat(directory_.c_str(), &about) != 0)
            return file_error("cannot read the registry's directory", directory_);
        if (!S_ISDIR(about.st_mode)) return error{errc::unavailable, directory_ + " is not a directory", executed::no};
        const auto others = about.st_mode & 0022u & ~(options_.file_mode & 0022u);
        if (about.st_uid != ::geteuid() && about.st_uid != 0)
            return error{errc::permission_denied,
                         directory_ + " belongs to user " + std::to_string(about.st_uid) +
                             ": it must belong to this one (" + std::to_string(::geteuid()) + ") or to root",
                         executed::no};
        if (others)
            return error{errc::permission_denied, directory_ + " may be written by others: chmod go-w " + directory_,
                         executed::no};
        return {};
    }

    [[nodiscard]] result<identity> write(const std::string& service, const provider& who) {
        const auto directory = service_directory(service);
        if (directory.size() - directory_.size() > 200)
            return error{errc::bad_address, "the name of the service is too long: " + service, executed::no};
        if (auto made = make_directory(directory_, directory_mode()); !made) return std::move(made).error();
        if (auto fit = check_directory(); !fit) return std::move(fit).error();
        if (!owning_) {
            if (auto alive = self_.beat(); !alive) return std::move(alive).error();
            owning_ = true;
        }
        if (auto made = make_directory(directory, directory_mode()); !made) return std::move(made).error();
        watch_.watch(directory);
        const auto done = write_whole(directory + "/." + self_.name() + ".new", provider_path(directory, who.address),
                                      provider_file(who, self_.name()), options_.file_mode);
        if (!done) return done.error();
        dirty_.insert(service);
        return identity{done->st_dev, done->st_ino};
    }
    // Unless another process has published the same address meanwhile.
    void remove(const key& which, const registration& whose) const {
        if (!whose.written) return;
        const auto path = provider_path(service_directory(which.service), which.address);
        struct stat about = {};
        if (::lstat(path.c_str(), &about) == 0 && about.st_ino == whose.written->number &&
            about.st_dev == whose.written->device)
            ::unlink(path.c_str());
    }
    // Says that we live, and writes again what somebody removed.
    void beat() {
        if (owning_ && !self_.beat()) owning_ = false;
        write_missing();
        owners_.sweep();
    }
    void write_missing() {
        for (auto& [which, each] : registered_) {
            struct stat about = {};
            if (each.written &&
                ::lstat(provider_path(service_directory(which.service), which.address).c_str(), &about) == 0)
                continue;
            if (auto made = write(which.service, each.who))
                each.written = *made;
            else
                each.written.reset();
        }
    }

    void follow_wanted() {
        const auto names = lists_.wanted();
        const std::set<std::string> wanted{names.begin(), names.end()};
        for (const auto& name : wanted) {
            if (followed_.contains(name)) continue;
            followed_.emplace(name, followed{file_service{service_directory(name)}});
            dirty_.insert(name);
        }
        std::erase_if(followed_, [&](const auto& each) {
            if (wanted.contains(each.first)) return false;
            if (!lists_.forget(each.first)) return false;
            watch_.forget(each.second.files.directory());
            return true;
        });
        if (followed_.empty()) return;
        watch_.watch(directory_);
        watch_.watch(owners_directory());
    }
    void note_changes(const std::set<std::string>& changed) {
        if (changed.empty()) return;
        if (changed.contains(owners_directory())) {
            look_at_all_ = true;
            // The kernel tells that a process closed its file a moment before it takes away the lock.
            look_again_ = deadline_after(clock::now(), std::chrono::milliseconds{20});
        }
        if (changed.contains(directory_)) {
            look_at_all_ = true;
            // Where it was moved away or removed, what is watched below it is no longer what the paths lead to.
            if (!watch_.is_watched(directory_)) watch_.forget_all();
        }
        for (const auto& [name, each] : followed_)
            if (changed.contains(each.files.directory())) dirty_.insert(name);
        write_missing();
    }

    // Reads what has changed, and says when there is something to do again.
    [[nodiscard]] time_point read_due(time_point tick) {
        auto wake = tick;
        const auto now = clock::now();
        if (look_again_) {
            if (now >= *look_again_) {
                look_at_all_ = true;
                look_again_.reset();
            } else {
                wake = std::min(wake, *look_again_);
            }
        }
        if (std::exchange(look_at_all_, false))
            for (const auto& [name, each] : followed_) dirty_.insert(name);
        owners_.begin_round();
        for (auto& [name, each] : followed_) {
            if (!dirty_.contains(name)) continue;
            if (now < each.not_before) {
                wake = std::min(wake, each.not_before);
                continue;
            }
            dirty_.erase(name);
            read(name, each);
        }
        std::erase_if(dirty_, [&](const std::string& name) { return !followed_.contains(name); });
        return wake;
    }
    void read(const std::string& name, followed& which) {
        const auto begun = clock::now();
        if (auto fit = check_directory(); !fit) return lists_.fail(name, std::move(fit).error());
        // Watched before it is read, so that no change is lost.
        watch_.watch(which.files.directory());
        auto listing = which.files.read(owners_, self_.name(), begun, options_.expiry);
        if (!listing) return lists_.fail(name, std::move(listing).error());
        lists_.publish(name, *std::move(listing));
        const auto ended = clock::now();
        which.not_before = deadline_after(ended, 2 * (ended - begun));
    }

    void take_all_back() {
        static_cast<void>(commands_.run());
        for (const auto& [which, each] : registered_) remove(which, each);
        registered_.clear();
    }

    const std::string directory_;
    const file_registry_options options_;
    provider_lists lists_;
    directory_watch watch_;
    file_owner self_;
    file_owners owners_;
    bool owning_ = false;
    bool look_at_all_ = false;
    std::optional<time_point> look_again_;
    std::map<key, registration> registered_;
    std::map<std::string, followed> followed_;
    std::set<std::string> dirty_;
    command_queue commands_;
};

}  // namespace futon::detail
