// SPDX-License-Identifier: Apache-2.0
// Many subscribers: what one client changes is told to all that watch. Who reads too slowly is dropped, and holds up nobody.
// expected output:
//   tea is 1
//   tea is 2
//   the watch ended: the server is stopping
#include <futon/futon.hpp>

#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

struct Change {
    std::string key;
    std::string value;
};

struct Store {
    void put(std::string key, std::string value);
    futon::stream<Change> watch(std::string prefix);
};
FUTON_SERVICE(Store, put, watch)

// [store]
class store_impl {
public:
    void put(std::string key, std::string value) {
        const std::lock_guard lock{mutex_};
        const Change change{key, values_[key] = std::move(value)};
        std::erase_if(watching_, [&](watcher& each) {
            if (each.out.is_cancelled()) return true;  // its reader has gone
            if (!key.starts_with(each.prefix) || each.out.try_send(change)) return false;
            each.out.fail({futon::errc::overloaded, "this watcher reads too slowly"});
            return true;
        });
    }
    futon::task<void> watch(futon::call_context& call, std::string prefix, futon::sink<Change> out) {
        auto changes = add(std::move(prefix));
        for (;;) {
            // When the server stops this throws, and the watcher gets `unavailable`: it may watch elsewhere.
            auto next = changes.next().cancel_with(call.drain_token());
            auto change = co_await std::move(next);
            co_await out.send(*std::move(change));
        }
    }

private:
    struct watcher {
        std::string prefix;
        futon::sink<Change> out;
    };
    // With the lock, so that no change falls between what there is and what is told from now on.
    futon::stream<Change> add(std::string prefix) {
        const std::lock_guard lock{mutex_};
        auto [out, in] = futon::make_stream<Change>(values_.size() + 64);  // so many a watcher may lag behind
        for (const auto& [key, value] : values_)
            if (key.starts_with(prefix)) static_cast<void>(out.try_send({key, value}));
        watching_.push_back({std::move(prefix), std::move(out)});
        return std::move(in);
    }

    std::mutex mutex_;
    std::map<std::string, std::string> values_;
    std::vector<watcher> watching_;
};
// [/store]

int main() {
    futon::server server;
    server.provide<Store>(std::make_shared<store_impl>());
    server.start();
    futon::client client{server.addresses()};
    const auto store = client.stub<Store>();

    store.put("tea", "1").get();
    auto changes = store.watch("te");
    const auto show_next = [&] {
        const Change change = *changes.next().get();
        std::cout << change.key << " is " << change.value << "\n";
    };
    show_next();
    store.put("cake", "7").get();
    store.put("tea", "2").get();
    show_next();
    server.stop().get();
    std::cout << "the watch ended: " << changes.next().get_result().error().message() << "\n";
}
