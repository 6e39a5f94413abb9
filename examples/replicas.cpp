// SPDX-License-Identifier: Apache-2.0
// One question to several servers: the first good answer, or as many as must agree. The others are cancelled.
// expected output:
//   first: blue
//   slow:  nobody waits for it any more
//   none:  all_failed
//   two:   blue and blue
#include <futon/futon.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <stop_token>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

struct Store {
    std::string get(std::string key);
};
FUTON_SERVICE(Store, (get, futon::idempotent))

enum class mood { well, slow, broken };

struct replica {
    // What goes well here answers only when `after` is ready, so that there is something to cancel elsewhere.
    explicit replica(mood how, futon::shared_future<void> after = {}) : how_{how}, after_{std::move(after)} {
        server_.provide<Store>(std::ref(*this));
        server_.start();
        client_.emplace(server_.addresses());
    }
    futon::task<std::string> get(futon::call_context& call, std::string) {
        if (how_ == mood::broken) throw std::runtime_error{"the disk is gone"};
        if (how_ == mood::slow) {
            const std::stop_callback told{call.stop_token(), [this] { stopped.set_value(); }};
            begun.set_value();
            co_await futon::delay(10min);
        }
        if (after_.valid()) co_await after_;
        co_return std::string{"blue"};
    }
    [[nodiscard]] futon::stub<Store> stub() { return client_->stub<Store>(); }
    futon::promise<void> begun{};
    std::promise<void> stopped{};

private:
    mood how_;
    futon::shared_future<void> after_;
    futon::server server_{};
    std::optional<futon::client> client_{};
};

int main() {
    replica broken{mood::broken};
    replica slow{mood::slow};
    replica well{mood::well, slow.begun.get_future().share()};
    const auto a = broken.stub();
    const auto b = slow.stub();
    const auto c = well.stub();

    // [first]
    // The first that succeeds. The broken one fails sooner and does not count; the slow one is cancelled.
    std::string colour = futon::first_success(a.get("colour"), b.get("colour"), c.get("colour")).get();
    // [/first]
    std::cout << "first: " << colour << "\n";
    slow.stopped.get_future().wait();
    std::cout << "slow:  nobody waits for it any more\n";

    const auto none = futon::first_success(a.get("colour"), a.get("colour")).get_result();
    std::cout << "none:  " << none.error().code().message() << "\n";

    replica another{mood::well};
    replica slower{mood::slow};
    std::vector<futon::stub<Store>> replicas{a, slower.stub(), c, another.stub()};
    // [quorum]
    std::vector<futon::future<std::string>> reads;
    for (const auto& each : replicas) reads.push_back(each.get("colour"));
    const auto two = futon::quorum(2, std::move(reads)).get();  // the first two values, each with its index
    // [/quorum]
    std::cout << "two:   " << two[0].value << " and " << two[1].value << "\n";
}
