// What looking at this machine's GPUs costs, and what comes of it: reads them as Stoker does, N times at an interval,
// prints every sample of each look, and at the end the time and CPU that the looks took.
//
//   bench_gpu [ROUNDS] [INTERVAL_MS] [LIBRARY]      (default: 10 1000, the driver's own library)
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "collect/gpu/gpu_source.h"
#include "collect/gpu/nvml_reader.h"

namespace {

using namespace stoker;
using namespace stoker::collect;

class PrintingSink : public SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        for (const auto& sample : samples) {
            std::printf("%s %s %lld\n", sample.labels.text().c_str(), format_number(sample.sample.value).c_str(),
                        static_cast<long long>(sample.sample.time));
        }
        count_ = samples.size();
    }
    std::size_t count() const { return count_; }

private:
    std::size_t count_ = 0;
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
    const std::chrono::milliseconds interval(argc > 2 ? std::atoi(argv[2]) : 1000);
    auto board = std::make_shared<GpuBoard>();
    GpuSource source(std::make_unique<nvml::NvmlReader>(argc > 3 ? argv[3] : ""), board, std::make_shared<XidBook>(),
                     std::make_shared<XidTable>(), {.dcgm = DcgmNames::Add, .host = "bench"});
    PrintingSink sink;
    std::vector<double> took_ms;
    double cpu_before = 0;
    auto due = std::chrono::steady_clock::now();
    const auto all_began = due;
    for (int i = 0; i < rounds; ++i) {
        if (i == 1) cpu_before = cpu_seconds();  // Loading the driver's library is done once.
        const auto began = std::chrono::steady_clock::now();
        auto result = source.collect(now(), sink);
        took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
        if (!result) std::fprintf(stderr, "round %d: %s\n", i, result.error().message.c_str());
        due += interval;
        std::this_thread::sleep_until(due);
    }
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - all_began).count();
    const double cpu = cpu_seconds() - cpu_before;
    for (const auto& look : board->looks()) {
        if (!look.error.empty()) std::fprintf(stderr, "%s: %s\n", look.reader.c_str(), look.error.c_str());
    }
    const double first = took_ms.front();
    took_ms.erase(took_ms.begin());
    std::sort(took_ms.begin(), took_ms.end());
    if (took_ms.empty()) return 0;
    std::fprintf(
        stderr,
        "samples a round %zu; first look %.1f ms; then median %.2f ms, longest %.2f ms; CPU %.3f %% of a core\n",
        sink.count(), first, took_ms[took_ms.size() / 2], took_ms.back(),
        100 * cpu / (wall * static_cast<double>(rounds - 1) / rounds));
    return 0;
}
