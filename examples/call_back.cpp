// SPDX-License-Identifier: Apache-2.0
// Calls in both directions over one connection: a server that tells its clients what happens, and asks them.
// expected output:
//   ann:    bob is here
//   server: told 1
//   ann says: hello bob
#include <futon/futon.hpp>

#include <iostream>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

// Each side declares what it offers to the other.
struct Guest {
    void joined(std::string who);
    std::string greet(std::string who);
};
FUTON_SERVICE(Guest, joined, greet)

struct Room {
    int enter(std::string name);
};
FUTON_SERVICE(Room, enter)

// [room]
class room_impl {
public:
    // The number of those who are there and were told.
    futon::task<int> enter(futon::call_context& call, std::string name) {
        std::vector<futon::future<void>> told;
        {
            const std::lock_guard lock{mutex_};
            for (const auto& guest : guests_) told.push_back(guest.joined(name));
            guests_.push_back(call.caller<Guest>());  // lives longer than the call; fails once its connection has ended
        }
        int count = 0;
        auto settled = futon::all_settled(std::move(told));
        for (const auto& each : co_await std::move(settled)) count += each ? 1 : 0;
        co_return count;
    }
    // From outside of any call, too: a stub is a stub.
    futon::future<std::string> first_greets(std::string who) {
        const std::lock_guard lock{mutex_};
        return guests_.front().greet(who);
    }

private:
    std::mutex mutex_;
    std::vector<futon::stub<Guest>> guests_;
};
// [/room]

struct guest_impl {
    std::string name;
    void joined(std::string who) { std::cout << name + ":    " + who + " is here\n"; }
    std::string greet(std::string who) { return "hello " + who; }
};

int main() {
    room_impl room;
    futon::server server;
    server.provide<Room>(std::ref(room));  // by reference: it outlives the server
    server.start();

    futon::client ann{server.addresses()};
    ann.provide<Guest>(guest_impl{"ann"});  // before the first call, which connects
    ann.stub<Room>().enter("ann").get();

    futon::client bob{server.addresses()};
    bob.provide<Guest>(guest_impl{"bob"});
    const int told = bob.stub<Room>().enter("bob").get();
    std::cout << "server: told " << told << "\n";
    std::cout << "ann says: " << room.first_greets("bob").get() << "\n";
}
