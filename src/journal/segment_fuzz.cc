// Feeds arbitrary bytes to the segment reader, once as they are and once between two good records. It must end, stay in
// bounds, and serve only records whose checksum holds, in order.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "journal/cursor_file.h"
#include "journal/segment_scanner.h"

namespace {

using namespace stoker;
using namespace stoker::journal;

class MemoryFile final : public File {
public:
    explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}

    Result<Unit> write(std::string_view bytes) override {
        bytes_ += bytes;
        return Unit{};
    }
    Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t count) const override {
        if (offset >= bytes_.size()) return std::size_t{0};
        const std::size_t got = std::min<std::size_t>(count, bytes_.size() - offset);
        std::memcpy(buffer, bytes_.data() + offset, got);
        return got;
    }
    Result<Unit> sync() override { return Unit{}; }
    Result<Unit> truncate(std::uint64_t size) override {
        bytes_.resize(size);
        return Unit{};
    }
    Result<std::uint64_t> size() const override { return bytes_.size(); }

private:
    std::string bytes_;
};

constexpr JournalId kId{'f', 'u', 'z', 'z'};

std::string good_record(std::uint64_t sequence) {
    constexpr std::string_view kPayload = "{}";
    const auto header = encode_record_header(payload_checksum(checksum_seed(kId), kPayload), sequence, from_millis(1),
                                             Kind::Request, kPayload.size());
    return std::string(header.data(), header.size()) + std::string(kPayload);
}

struct Served {
    int good = 0;    // With sequence 1 or 1000.
    int forged = 0;  // Others: a fuzzer that sees comparisons learns to compute checksums.
};

Served scan(const std::string& bytes) {
    const MemoryFile file(bytes);
    SegmentScanner scanner(file, checksum_seed(kId), {.begin = 0, .end = bytes.size()});
    std::uint64_t last = 0;
    Served served;
    for (;;) {
        auto record = scanner.next();
        STOKER_CHECK(record.has_value());
        if (!*record) break;
        STOKER_CHECK((*record)->sequence > last);
        STOKER_CHECK(scanner.offset() <= bytes.size());
        last = (*record)->sequence;
        ++(last == 1 || last == 1000 ? served.good : served.forged);
    }
    STOKER_CHECK(scanner.tail().offset <= scanner.tail().end);
    return served;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    scan(bytes);
    // A forged record is a whole one to the scanner: it may have a sequence past 1000, or hold the second good record.
    const Served served = scan(good_record(1) + bytes + good_record(1000));
    STOKER_CHECK(served.good == 2 || (served.good == 1 && served.forged > 0));
    (void)decode_segment_header(bytes);
    (void)decode_cursors(bytes);
    return 0;
}
