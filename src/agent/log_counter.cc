#include "agent/log_counter.h"

#include "agent/builtin_data.h"
#include "base/check.h"
#include "base/file.h"

namespace stoker::agent {

Result<std::shared_ptr<const collect::Signatures>> load_signatures(const std::vector<std::string>& files) {
    auto builtin = collect::parse_signatures(kBuiltinSignatures, "built-in");
    STOKER_CHECK(builtin.problems.empty(), "the signatures that ship with Stoker are broken");
    std::vector<collect::SignatureSpec> more;
    for (const std::string& path : files) {
        TRY(const std::string text, read_file(path));
        auto file = collect::parse_signatures(text, path);
        if (!file.problems.empty()) {
            std::string all;
            for (const auto& problem : file.problems) all += (all.empty() ? "" : "\n") + problem.text();
            return Error{Errc::InvalidArgument, all};
        }
        more = collect::with_signatures(std::move(file.signatures), std::move(more));
    }
    return collect::Signatures::compile(collect::with_signatures(std::move(builtin.signatures), std::move(more)));
}

Result<Unit> LogCounter::append(std::vector<collect::LogEntry> entries) {
    constexpr std::int64_t kNanos = 1'000'000;
    collect::Signatures::Found found;
    for (const collect::LogEntry& entry : entries) {
        if (!signatures_->find(entry.body, found)) continue;
        const std::int64_t time = entry.time_ns > 0 ? entry.time_ns : entry.observed_ns;
        counter_.count(signatures_->specs()[found.index], entry.service, from_millis(time / kNanos));
    }
    return Unit{};
}

}  // namespace stoker::agent
