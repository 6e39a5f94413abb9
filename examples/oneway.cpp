// SPDX-License-Identifier: Apache-2.0
// One-way calls: the caller learns only whether the call is on its way.
// expected output:
//   sent 3
//   logged one two three
//   closed: client_closed, ran: no
#include <futon/futon.hpp>

#include <future>
#include <iostream>
#include <string>

struct Journal {
    void log(std::string line);
    std::string flush();
};
FUTON_SERVICE(Journal, log, flush)

struct journal_impl {
    void log(std::string line) { text += " " + line; }
    std::string flush() { return text; }
    std::string text;
};

int main() {
    futon::server server;
    // On the I/O thread, calls of one connection start in the order in which they were made; on the pool they need not.
    server.provide<Journal>(journal_impl{}, {.run_on = futon::run_on::io});
    server.start();
    futon::client client{server.addresses()};
    const auto journal = client.stub<Journal>();

    int sent = 0;
    for (const auto* line : {"one", "two", "three"}) {
        const futon::result<void> queued = journal.log(line, futon::oneway);  // returns at once
        if (queued) ++sent;
    }
    std::cout << "sent " << sent << "\n";

    // A call with a reply, on the same connection and so behind them, tells that they have run.
    std::cout << "logged" << journal.flush().get() << "\n";

    client.close();
    const auto refused = journal.log("four", futon::oneway);
    std::cout << "closed: " << refused.error().code().message() << ", ran: " << name(refused.error().ran()) << "\n";
}
