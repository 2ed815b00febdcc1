#include "tsdb/disk_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

namespace stoker::tsdb {

namespace {

__extension__ typedef unsigned __int128 Number;  // NOLINT(modernize-use-using)
constexpr std::size_t kNumberBytes = 16;

std::string_view view_of(const rocksdb::Slice& slice) {
    return {slice.data(), slice.size()};
}

// The front of a key as a number, so that places behind it can be computed.
Number number_of(std::string_view key) {
    Number number = 0;
    for (std::size_t i = 0; i < kNumberBytes; ++i) {
        number = number << 8 | (i < key.size() ? static_cast<std::uint8_t>(key[i]) : 0);
    }
    return number;
}

std::string key_of(Number number) {
    std::string key(kNumberBytes, '\0');
    for (std::size_t i = kNumberBytes; i-- > 0; number >>= 8) {
        key[i] = static_cast<char>(number & 0xff);
    }
    return key;
}

bool readable_from(rocksdb::Iterator& it, Number at) {
    it.Seek(key_of(at));
    return it.status().ok();
}

// Places the iterator on the first readable key behind `last`, found by doubling steps and then by halving them. False
// if there is none.
bool step_over(rocksdb::Iterator& it, std::string_view last) {
    const Number start = number_of(last);
    const Number most = ~Number{0};
    Number step = 1;
    while (step <= most - start && !readable_from(it, start + step)) {
        if (step > most / 2) {
            return false;
        }
        step *= 2;
    }
    if (step > most - start) {
        return false;
    }
    Number bad = start + step / 2;
    Number good = start + step;
    while (good - bad > 1) {
        const Number middle = bad + (good - bad) / 2;
        (readable_from(it, middle) ? good : bad) = middle;
    }
    return readable_from(it, good) && it.Valid();
}

}  // namespace

FileStarts file_starts(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
    rocksdb::ColumnFamilyMetaData all;
    db.GetColumnFamilyMetaData(family, &all);
    FileStarts starts;
    for (const auto& level : all.levels) {
        for (std::size_t i = 1; level.level > 0 && i < level.files.size(); ++i) {
            starts.push_back(level.files[i].smallestkey);
        }
    }
    std::sort(starts.begin(), starts.end());
    return starts;
}

void checked_next(rocksdb::Iterator& it, const FileStarts& starts) {
    if (starts.empty()) {
        it.Next();
        return;
    }
    const std::string last = it.key().ToString();
    it.Next();
    for (auto at = std::upper_bound(starts.begin(), starts.end(), last); at != starts.end(); ++at) {
        if (!it.status().ok() || (it.Valid() && it.key().compare(*at) < 0)) {
            return;
        }
        it.Seek(*at);
    }
}

Result<Unit> scan_family(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string_view first,
                         const ScanVisitor& visitor) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.verify_checksums = true;
    const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options, family));
    const FileStarts starts = file_starts(db, family);
    std::string last(first);
    it->Seek(rocksdb::Slice(first.data(), first.size()));
    for (;;) {
        for (; it->Valid(); checked_next(*it, starts)) {
            last.assign(it->key().data(), it->key().size());
            TRY_UNIT(visitor.on_entry(last, view_of(it->value())));
        }
        const auto status = it->status();
        if (status.ok()) {
            return Unit{};
        }
        if (!status.IsCorruption()) {
            return Error{Errc::Unavailable, "read metrics store: " + status.ToString()};
        }
        const bool more = step_over(*it, last);
        visitor.on_gap(last, more ? view_of(it->key()) : std::string_view(), status.ToString());
        if (!more) {
            return Unit{};
        }
    }
}

std::string key_text(std::string_view key) {
    std::string text;
    for (const char c : key) {
        text += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
    }
    return text;
}

}  // namespace stoker::tsdb
