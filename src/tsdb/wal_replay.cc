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

// A stretch of a segment that is not frames.
struct Gap {
    std::size_t from = 0;
    std::size_t to = 0;
    std::string what;
    bool torn = false;  // It looks like the end of a write that was cut short, not like damage.
};

// One segment's bytes, read frame by frame.
class SegmentReader {
public:
    SegmentReader(std::string_view bytes, std::uint64_t number) : bytes_(bytes), number_(number) {}

    // Gives every intact frame to `visit`, and collects what lies between them.
    std::vector<Gap> read(const std::function<bool(std::string_view)>& visit, WalReplay& report) {
        std::size_t at = read_header();
        while (at < bytes_.size()) {
            Frame frame;
            bool found = read_frame_header(at, frame);
            if (!found) {
                // If only the length is wrong, the entries reach to the next frame.
                frame.end = find_frame(at + 1);
                found = frame.end - at > kWalFrameHeader && !first_version_;
                frame.entries = found ? bytes_.substr(at + kWalFrameHeader, frame.end - at - kWalFrameHeader) : "";
                found = found && wal_checksum(frame.entries, number_, at) == frame.checksum;
            }
            if (!found) {
                // Only the very end can be a write that never finished: whole frames behind it say it is not that.
                note({at, frame.end, "not a frame", frame.end == bytes_.size()});
                at = frame.end;
            } else if (wal_checksum(frame.entries, number_, at) != frame.checksum) {
                note({at, frame.end, "a frame with a wrong checksum", false});
                at = frame.end;
            } else if (!visit(frame.entries)) {
                note({at, frame.end, "a frame with malformed entries", false});
                at = frame.end;
            } else {
                ++report.frames;
                report.bytes += frame.end - at;
                at = frame.end;
            }
        }
        return std::move(gaps_);
    }

private:
    struct Frame {
        std::uint64_t checksum = 0;
        std::string_view entries;
        std::size_t end = 0;
    };

    std::size_t read_header() {
        ByteReader reader(bytes_.substr(std::min(bytes_.size(), kWalMagic.size())));
        const std::string_view magic = bytes_.substr(0, kWalMagic.size());
        const auto number = reader.fixed<std::uint64_t>();
        first_version_ = magic == kWalMagic1;
        if (reader.ok() && number == number_ && (magic == kWalMagic || first_version_)) {
            return kWalSegmentHeader;
        }
        first_version_ = false;
        const std::size_t next = find_frame(std::min(kWalSegmentHeader, bytes_.size()));
        note({0, std::min(next, bytes_.size()), "not the header of this segment", bytes_.size() < kWalSegmentHeader});
        return next;
    }

    bool read_frame_header(std::size_t at, Frame& frame) const {
        ByteReader reader(bytes_.substr(at));
        frame.checksum = reader.fixed<std::uint64_t>();
        const auto length = reader.fixed<std::uint32_t>();
        if (!first_version_ && reader.fixed<std::uint32_t>() != wal_length_check(length, number_, at)) {
            return false;
        }
        if (!reader.ok() || length > reader.rest().size()) {
            return false;
        }
        frame.entries = reader.rest().substr(0, length);
        frame.end = bytes_.size() - reader.rest().size() + length;
        return true;
    }

    // Where the next frame begins, or the end. The first version's headers can't be told from other bytes.
    std::size_t find_frame(std::size_t at) const {
        for (Frame frame; !first_version_ && at < bytes_.size(); ++at) {
            if (read_frame_header(at, frame)) {
                return at;
            }
        }
        return bytes_.size();
    }

    void note(Gap gap) {
        if (gap.from < gap.to) {  // An empty segment is one whose process died before it had a header.
            gaps_.push_back(std::move(gap));
        }
    }

    const std::string_view bytes_;
    const std::uint64_t number_;
    bool first_version_ = false;
    std::vector<Gap> gaps_;
};

// Keeps a copy of what could not be read, for whoever wants to try.
void set_aside(const std::filesystem::path& path) {
    std::error_code failed;
    std::filesystem::copy_file(path, path.string() + ".damaged", std::filesystem::copy_options::skip_existing, failed);
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

Result<WalReplay> replay_wal(const std::filesystem::path& directory, const std::function<bool(std::string_view)>& visit,
                             WalMend mend) {
    if (mend == WalMend::Yes) {
        TRY_UNIT(ensure_directory(directory));
    }
    TRY(const auto segments, wal_segments(directory));
    WalReplay report;
    for (const std::uint64_t number : segments) {
        const auto path = wal_segment_path(directory, number);
        report.next_segment = number + 1;
        const Result<std::string> content = read_file(path, kMaxSegment);
        if (!content) {
            return content.error();
        }
        bool damaged = false;
        for (const Gap& gap : SegmentReader(*content, number).read(visit, report)) {
            if (gap.torn && number == segments.back()) {
                report.torn_bytes += gap.to - gap.from;
                if (mend == WalMend::Yes) {
                    std::error_code failed;
                    std::filesystem::resize_file(path, gap.from, failed);
                }
                continue;
            }
            damaged = true;
            report.damaged_bytes += gap.to - gap.from;
            report.damage.push_back({path, fmt::format("{} in bytes {} to {}", gap.what, gap.from, gap.to)});
        }
        if (damaged && mend == WalMend::Yes) {
            set_aside(path);
        }
    }
    return report;
}

}  // namespace stoker::tsdb
