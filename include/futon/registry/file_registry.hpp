// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry for the processes of one machine, in a directory: no server, and people can read and write it.
///
/// `DIR/SERVICE/ADDRESS` holds a provider as one line of text (see provider_text.hpp) and, below it, whose it is;
/// `DIR/SERVICE/settings` what an operator set, a `key=value` a line. In names all but letters, digits and `-_:@.` is
/// percent-encoded. A file that a person writes has no owner, and stays until it is removed.

#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/file_registry_core.hpp>
#include <futon/registry/detail/running_core.hpp>
#include <futon/registry/file_registry_options.hpp>
#include <futon/registry/provider_lists.hpp>
#include <futon/registry/registry_url.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// Files are written whole and under another name first, so that a process may be killed at any moment. A killed
/// process is noticed at once, a stopped one after `expiry`. What was removed by others while its process lives is
/// written again. The directory is made by the first who registers; it must belong to this user or to root, and others
/// must not write there.
///
/// One thread, which its last copy joins; listeners run there, or inside `subscribe`. `register_provider` fails with
/// `bad_address` (not a provider), `permission_denied`, and `unavailable` or `resource_exhausted`, which are tried
/// again.
/// Thread-safety: safe. Copies share all.
class file_registry : public detail::registry_of_core<detail::file_registry_core> {
public:
    static constexpr std::string_view scheme = "file";

    explicit file_registry(std::string directory, file_registry_options options = {})
        : registry_of_core{detail::file_registry_core::make(std::move(directory), options)} {}
    /// For `open_registry`: "file:///run/futon?heartbeat=2s&expiry=10s".
    [[nodiscard]] static result<file_registry> open(const registry_url& url) {
        if (!url.rest.starts_with('/')) return url.fault("the path must be absolute");
        if (auto known = url.knows_only({"heartbeat", "expiry"}); !known) return std::move(known).error();
        file_registry_options options;
        const auto heartbeat = url.time("heartbeat", options.heartbeat);
        if (!heartbeat) return heartbeat.error();
        const auto expiry = url.time("expiry", std::max(options.expiry, 5 * *heartbeat));
        if (!expiry) return expiry.error();
        if (*expiry <= *heartbeat)
            return url.fault("'expiry' must be several times the heartbeat, or who is alive counts as gone");
        options.heartbeat = *heartbeat;
        options.expiry = *expiry;
        return file_registry{url.rest, options};
    }
    [[nodiscard]] std::string text() const { return "file://" + core().directory(); }
};
static_assert(registry<file_registry>);

}  // namespace futon
