// The configuration's sections storage.records (requests) and storage.telemetry (traces and logs).
#pragma once

#include "base/config.h"
#include "base/time.h"
#include "records/store.h"
#include "records/telemetry_store.h"

namespace stoker::app {

struct RecordsConfig {
    Duration retention{30LL * 24 * 3600 * 1000};
    config::Bytes memory_limit = records::StoreOptions{}.memory_limit;
    std::int64_t threads = records::StoreOptions{}.threads;
};

struct SamplingConfig {
    double rate = records::SamplingOptions{}.rate;
    double per_second = records::SamplingOptions{}.per_second;
    Duration slow = records::SamplingOptions{}.slow;
    Duration wait = records::SamplingOptions{}.wait;
};

struct TelemetryConfig {
    Duration retention = records::TelemetryOptions{}.retention;
    config::Bytes max_size = records::TelemetryOptions{}.max_size;
    config::Bytes buffer = records::TelemetryOptions{}.buffer;
    config::Bytes memory_limit = records::TelemetryOptions{}.memory_limit;
    SamplingConfig sampling;
};

void describe(config::Fields& f, RecordsConfig& c);
void describe(config::Fields& f, SamplingConfig& c);
void describe(config::Fields& f, TelemetryConfig& c);

}  // namespace stoker::app
