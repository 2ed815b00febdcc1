#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/file.h"
#include "base/log.h"
#include "tsdb/bytes.h"
#include "tsdb/wal.h"
#include "tsdb/wal_format.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kMaxSegment = std::size_t{8} << 30;

// Where reading one segment stopped.
struct SegmentEnd {
    std::size_t good_bytes = 0;  // Up to here everything was intact.
    bool torn = false;           // What follows looks like a write that was cut short, not like damage.
};

bool has_header(std::string_view bytes, std::uint64_t number) {
    ByteReader reader(bytes.substr(std::min(bytes.size(), kWalMagic.size())));
    return bytes.substr(0, kWalMagic.size()) == kWalMagic && reader.fixed<std::uint64_t>() == number && reader.ok();
}

SegmentEnd read_segment(std::string_view bytes, std::uint64_t number,
                        const std::function<bool(std::string_view)>& visit, WalReplay& report) {
    if (!has_header(bytes, number)) {
        return {0, bytes.size() < kWalSegmentHeader};
    }
    std::size_t at = kWalSegmentHeader;
    while (at < bytes.size()) {
        ByteReader reader(bytes.substr(at));
        const auto checksum = reader.fixed<std::uint64_t>();
        const auto length = reader.fixed<std::uint32_t>();
        if (!reader.ok() || length > reader.rest().size()) {
            return {at, true};
        }
        const std::string_view entries = reader.rest().substr(0, length);
        if (wal_checksum(entries, number, at) != checksum) {
            // The last frame may be there in length but not in content after power loss.
            return {at, entries.size() == reader.rest().size()};
        }
        if (!visit(entries)) {
            return {at, false};
        }
        at += kWalFrameHeader + length;
        ++report.frames;
    }
    return {at, true};
}

// Keeps a copy of what could not be read, for whoever wants to try, and says so loudly.
void set_aside(const std::filesystem::path& path, std::size_t good_bytes, std::size_t bad_bytes) {
    std::error_code failed;
    const auto aside = path.string() + ".damaged";
    std::filesystem::copy_file(path, aside, std::filesystem::copy_options::overwrite_existing, failed);
    log::error("damaged metrics log: samples were lost",
               {{"file", path.string()}, {"offset", good_bytes}, {"bytes", bad_bytes}, {"copy", failed ? "" : aside}});
}

}  // namespace

std::filesystem::path wal_segment_path(const std::filesystem::path& directory, std::uint64_t number) {
    return directory / fmt::format("{:08}.wal", number);
}

Result<std::vector<std::uint64_t>> wal_segments(const std::filesystem::path& directory) {
    std::vector<std::uint64_t> numbers;
    std::error_code failed;
    for (std::filesystem::directory_iterator it(directory, failed), end; !failed && it != end; it.increment(failed)) {
        const std::string name = it->path().filename().string();
        std::uint64_t number = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
        if (parsed.ec == std::errc() && std::string_view(parsed.ptr) == ".wal") {
            numbers.push_back(number);
        }
    }
    if (failed) {
        return Error{Errc::Unavailable, fmt::format("list {}: {}", directory.string(), failed.message())};
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<WalReplay> replay_wal(const std::filesystem::path& directory,
                             const std::function<bool(std::string_view)>& visit) {
    TRY_UNIT(ensure_directory(directory));
    TRY(const auto segments, wal_segments(directory));
    WalReplay report;
    for (const std::uint64_t number : segments) {
        const auto path = wal_segment_path(directory, number);
        const Result<std::string> content = read_file(path, kMaxSegment);
        if (!content) {
            return content.error();
        }
        const std::string_view bytes = *content;
        const SegmentEnd end = read_segment(bytes, number, visit, report);
        report.bytes += end.good_bytes;
        report.next_segment = number + 1;
        const std::size_t bad = bytes.size() - end.good_bytes;
        if (bad == 0) {
            continue;
        }
        if (end.torn && number == segments.back()) {
            report.torn_bytes += bad;
        } else {
            report.damaged_bytes += bad;
            set_aside(path, end.good_bytes, bad);
        }
        // Cut, so that the next start does not report the same again.
        std::error_code failed;
        std::filesystem::resize_file(path, end.good_bytes, failed);
    }
    return report;
}

}  // namespace stoker::tsdb
