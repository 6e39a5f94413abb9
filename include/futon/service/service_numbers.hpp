// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The services that one channel calls, and the numbers of their methods.

#include <futon/service/any_channel.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Not thread-safe: guarded by its channel. What it gives stays valid as long as this.
class service_numbers {
public:
    /// As `any_channel::open`.
    const service_info& open(const std::string& key, std::vector<method_info> (*make)(const std::string& key)) {
        auto [found, added] = services_.try_emplace({key, reinterpret_cast<std::uintptr_t>(make)});
        if (added) {
            found->second = {key, make(key)};
            for (auto& method : found->second.methods) method.number = next_number_++;
        }
        return found->second;
    }

private:
    // By name and contract: two contracts, of two namespaces or two versions, may have the same name.
    std::map<std::pair<std::string, std::uintptr_t>, service_info> services_;
    std::uint32_t next_number_ = 0;
};

}  // namespace futon::detail
