// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the copies of a registry with a thread of its own share.

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/registry.hpp>
#include <futon/registry/detail/owned_thread.hpp>

#include <memory>
#include <string>
#include <utility>

namespace futon::detail {

/// A registry's core and the thread that runs it, which ends with this. A core has `run` (the thread's body), `stop`
/// and `lists`; one that takes registrations has `post` (for the thread), and on the thread `publish` and `take_back`.
///
/// Thread-safety: safe.
template <class Core>
class running_core {
public:
    explicit running_core(std::shared_ptr<Core> core)
        : core_{std::move(core)}, thread_{[its = core_] { its->run(); }} {}
    running_core(const running_core&) = delete;
    running_core& operator=(const running_core&) = delete;
    ~running_core() { core_->stop(); }

    [[nodiscard]] const Core& core() const noexcept { return *core_; }

    void register_provider(const std::string& service, const provider& who, registration_done done) {
        if (const auto why = provider_fault(who); !why.empty())
            return done(error{errc::bad_address, "a provider cannot be registered: " + std::string{why}, executed::no});
        core_->post([core = core_.get(), service, who, done = std::move(done)] { core->publish(service, who, done); });
    }
    void deregister_provider(const std::string& service, const endpoint& address, registration_done done) {
        core_->post([core = core_.get(), service, address, done = std::move(done)] {
            core->take_back(service, address, done);
        });
    }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        return core_->lists().subscribe(service, std::move(listener));
    }

private:
    const std::shared_ptr<Core> core_;
    owned_thread thread_;
};

/// What the concept `registry` asks for besides `text`, of a registry whose copies share a core that takes
/// registrations.
///
/// Thread-safety: safe.
template <class Core>
class registry_of_core {
public:
    void register_provider(const std::string& service, const provider& who, registration_done done) {
        running_->register_provider(service, who, std::move(done));
    }
    void deregister_provider(const std::string& service, const endpoint& address, registration_done done) {
        running_->deregister_provider(service, address, std::move(done));
    }
    [[nodiscard]] subscription subscribe(const std::string& service, provider_listener listener) {
        return running_->subscribe(service, std::move(listener));
    }

protected:
    explicit registry_of_core(std::shared_ptr<Core> core)
        : running_{std::make_shared<running_core<Core>>(std::move(core))} {}
    [[nodiscard]] const Core& core() const noexcept { return running_->core(); }

private:
    std::shared_ptr<running_core<Core>> running_;
};

}  // namespace futon::detail
