#include "agent/fill.h"

#include <algorithm>

namespace stoker::agent {
namespace {

constexpr std::size_t kRecordsARead = 64;  // So much is decoded in vain at most.

}  // namespace

Filled fill(Buffer& buffer, const std::string& reader, std::uint64_t from, FillLimits limits, SteadyTime now) {
    Filled out;
    out.next = from;
    while (out.batch.samples() < limits.most_samples && out.batch.records() < limits.most_records) {
        const std::size_t most = std::min(kRecordsARead, limits.most_records - out.batch.records());
        auto read = buffer.read(reader, out.next, most, now);
        if (!read) {
            out.error = read.error().message;
            break;
        }
        for (auto& record : read->records) {
            const std::uint64_t sequence = record->sequence;
            if (out.batch.samples() >= limits.most_samples || !out.batch.add(std::move(record))) {
                out.next = sequence;
                out.more = true;
                return out;
            }
        }
        if (read->next == out.next) return out;
        out.next = read->next;
    }
    out.more = out.next < buffer.end();
    return out;
}

}  // namespace stoker::agent
