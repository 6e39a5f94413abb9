// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry before which stands what it told last, kept on disk, for programs that start while the registry is down.

#include <futon/cluster/provider_set.hpp>
#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/core/log.hpp>
#include <futon/core/time.hpp>
#include <futon/registry/detail/files.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace futon {

struct snapshot_cache_options {
    /// What is older is not used.
    duration longest_age = std::chrono::hours{24 * 7};
    /// Written at most so often, and when a subscription ends.
    duration write_interval = std::chrono::seconds{1};
    /// What is written: an empty list that is not believed is not.
    provider_protection protection{};
};

/// Tells each subscriber first what is on disk for its service, with its age, and then what the registry says.
///
/// The directory is made with access for this user only. Programs may share it: files are written whole. Registrations
/// go to the registry as they are. It has no thread: it writes inside the registry's calls.
/// Thread-safety: safe. Copies share the registry.
class snapshot_cache {
public:
    snapshot_cache(any_registry inner, std::string directory, snapshot_cache_options options = {})
        : inner_{std::move(inner)}, directory_{std::move(directory)}, options_{options} {}

    [[nodiscard]] std::string text() const { return inner_.text(); }

    void register_provider(const std::string& service, const provider& who, registration_done done) {
        inner_.register_provider(service, who, std::move(done));
    }
    void deregister_provider(const std::string& service, const endpoint& address, registration_done done) {
        inner_.deregister_provider(service, address, std::move(done));
    }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        auto kept = std::make_shared<snapshot>(directory_, service, options_);
        if (auto told = kept->read(); told && told->age <= options_.longest_age) {
            kept->remember(*told);
            listener(*std::move(told));
        }
        auto inner = std::make_shared<subscription>(
            inner_.subscribe(service, [kept, listener = std::move(listener)](result<provider_update> told) {
                if (told && told->age == duration::zero()) kept->take(*told);
                listener(std::move(told));
            }));
        return subscription{[inner, kept] {
                                inner->end();
                                kept->flush();
                            },
                            [inner] { static_cast<void>(inner->refresh()); }};
    }

private:
    /// One service's file. The registry's calls come one at a time; the end of the subscription may come between them.
    class snapshot {
    public:
        snapshot(std::string directory, const std::string& service, const snapshot_cache_options& options)
            : directory_{std::move(directory)},
              path_{directory_ + "/" + detail::file_name(service)},
              options_{options},
              set_{options.protection} {}

        /// Errors: there is none, or it is not one.
        [[nodiscard]] result<provider_update> read() const {
            auto content = detail::read_whole(path_, most_bytes);
            if (!content) return std::move(content).error();
            std::string_view rest = *content;
            const auto line = [&rest] {
                const auto first = rest.substr(0, rest.find('\n'));
                rest.remove_prefix(std::min(rest.size(), first.size() + 1));
                return first;
            };
            const auto head = line();
            std::int64_t written = 0;
            if (!head.starts_with(first_words))
                return error{errc::bad_address, path_ + " is not a snapshot", executed::no};
            const auto number = head.substr(first_words.size());
            if (std::from_chars(number.data(), number.data() + number.size(), written).ec != std::errc{})
                return error{errc::bad_address, path_ + " is not a snapshot", executed::no};
            provider_update made;
            while (!rest.empty()) {
                const auto text = line();
                auto one = parse_provider(text);
                if (one)
                    made.providers.push_back(*std::move(one));
                else if (made.refused++ == 0)
                    made.fault =
                        "'" + std::string{text.substr(0, 256)} + "' in " + path_ + ": " + one.error().message();
            }
            // A clock that was set back must not make it look as if it came from the future.
            const auto age = wall_seconds() - written;
            made.age = std::chrono::seconds{std::clamp<std::int64_t>(age, 0, 1'000'000'000)} + duration{1};
            return made;
        }
        void remember(const provider_update& told) {
            const std::lock_guard lock{mutex_};
            static_cast<void>(set_.apply(told, clock::now()));
        }
        void take(const provider_update& told) {
            const std::lock_guard lock{mutex_};
            const auto now = clock::now();
            static_cast<void>(set_.advance(now));
            static_cast<void>(set_.apply(told, now));
            dirty_ = true;
            if (now < next_write_) return;
            next_write_ = deadline_after(now, options_.write_interval);
            write();
        }
        void flush() {
            const std::lock_guard lock{mutex_};
            if (dirty_) write();
        }

    private:
        static constexpr std::string_view first_words = "futon providers 1 ";
        static constexpr std::size_t most_bytes = std::size_t{64} * 1024 * 1024;

        [[nodiscard]] static std::int64_t wall_seconds() {
            return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                .count();
        }
        void write() {
            dirty_ = false;
            std::string content = std::string{first_words} + std::to_string(wall_seconds()) + "\n";
            for (const auto& each : set_.list()) content.append(provider_text(*each)).append("\n");
            auto made = detail::make_directory(directory_, 0700);
            if (made)
                if (auto written =
                        detail::write_whole(path_ + "." + std::to_string(::getpid()) + ".new", path_, content, 0600);
                    !written)
                    made = std::move(written).error();
            if (!made)
                detail::default_reports().log(
                    {.level = log_level::warning, .kind = "snapshot_not_written", .text = made.error().message()});
        }

        const std::string directory_;
        const std::string path_;
        const snapshot_cache_options options_;
        std::mutex mutex_;
        provider_set set_;
        time_point next_write_{};
        bool dirty_ = false;
    };

    any_registry inner_;
    std::string directory_;
    snapshot_cache_options options_;
};
static_assert(registry<snapshot_cache>);

}  // namespace futon
