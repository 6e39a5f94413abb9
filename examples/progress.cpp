// SPDX-License-Identifier: Apache-2.0
// A long job that tells how far it is, and then its result. Whoever stops listening stops the job.
// expected output:
//   25 %
//   50 %
//   75 %
//   100 %
//   1000 rows
//   25 %, that is enough
//   the job was stopped
#include <futon/futon.hpp>

#include <future>
#include <iostream>
#include <stop_token>
#include <string>

struct Report {
    int rows = 0;
};

struct Jobs {
    futon::stream<int, Report> load(std::string file);  // percents, and then a report
};
FUTON_SERVICE(Jobs, load)

// [server]
struct jobs_impl {
    futon::task<Report> load(std::string file, futon::sink<int> progress) {
        const std::stop_callback told{progress.stop_token(), [this] { stopped.set_value(); }};
        for (int percent = 25; percent <= 100; percent += 25) {
            // Here a quarter of the work is done.
            co_await progress.send(percent);  // throws when nobody listens any more
            if (file == "endless") percent = 0;
        }
        co_return Report{1000};
    }
    std::promise<void>& stopped;
};
// [/server]

// [client]
futon::task<Report> load_with_bar(futon::stub<Jobs> jobs, std::string file) {
    auto job = jobs.load(file);
    while (auto percent = co_await job.next()) std::cout << *percent << " %\n";
    co_return co_await job.result();
}
// [/client]

// [stop]
futon::task<void> look_once(futon::stub<Jobs> jobs) {
    auto job = jobs.load("endless");
    auto percent = co_await job.next();
    std::cout << *percent << " %, that is enough\n";
}  // the stream ends here, and with it the job
// [/stop]

int main() {
    std::promise<void> stopped;
    futon::server server;
    server.provide<Jobs>(jobs_impl{stopped});
    server.start();
    futon::client client{server.addresses()};
    const auto jobs = client.stub<Jobs>();

    const Report report = futon::sync_wait(load_with_bar(jobs, "rows.csv"));
    std::cout << report.rows << " rows\n";

    futon::sync_wait(look_once(jobs));
    stopped.get_future().wait();
    std::cout << "the job was stopped\n";
}
