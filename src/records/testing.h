// Verbs of the record store's tests.
#pragma once

#include <filesystem>
#include <string>

#include "base/id.h"
#include "journal/journal.h"
#include "records/request_record.h"

namespace stoker::records::testing {

class TemporaryDirectory {
public:
    TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / ("stoker-records-" + random_hex(8))) {
        std::filesystem::create_directories(path_);
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

// A good streamed request to model "tiny".
inline RequestRecord request(const std::string& id, std::int64_t time_ms = 1'700'000'000'000) {
    RequestRecord record;
    record.id = id;
    record.trace_id = "0af7651916cd43dd8448eb211c80319c";
    record.time_ms = time_ms;
    record.endpoint = "/v1/chat/completions";
    record.model = "tiny";
    record.pool = "chat";
    record.replica = "chat/127.0.0.1:9001";
    record.client = "127.0.0.1:5000";
    record.stream = true;
    record.status = 200;
    record.outcome = "ok";
    record.finish_reason = "stop";
    record.prompt_tokens = 10;
    record.completion_tokens = 20;
    record.usage_source = UsageSource::Engine;
    record.duration_ns = 900'000'000;
    record.ttft_ns = 50'000'000;
    record.itl_mean_ns = 20'000'000;
    record.itl_max_ns = 40'000'000;
    record.events = 20;
    record.request_bytes = 300;
    record.response_bytes = 4000;
    record.attempts = {{"chat/127.0.0.1:9001", 200, "", 1000, 899'000'000}};
    return record;
}

inline std::uint64_t append(journal::Journal& journal, const RequestRecord& record) {
    return journal.append(journal::Kind::Request, to_json(record), from_millis(record.time_ms)).value_or(0);
}

}  // namespace stoker::records::testing
