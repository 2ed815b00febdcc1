#include "tsdb/archive.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "tsdb/bytes.h"
#include "tsdb/disk.h"
#include "tsdb/disk_scan.h"

namespace stoker::tsdb {

namespace {

// The first byte of a key.
constexpr char kDefinition = 'd';  // Then the id.
constexpr char kPosting = 'p';     // Then name, value, id.
constexpr char kByTime = 't';      // Then the time of the newest sample, id.
constexpr std::size_t kIdBytes = 8;

std::string definition_key(SeriesId id) {
    std::string key(1, kDefinition);
    put_ordered(key, id);
    return key;
}

std::string time_key(std::int64_t last_time, SeriesId id) {
    std::string key(1, kByTime);
    put_ordered(key, last_time);
    put_ordered(key, id);
    return key;
}

// Texts that may hold any byte, so that their order is that of the keys: a zero byte is written as 0 ff, the end as
// 0 1.
void put_key_text(std::string& key, std::string_view text) {
    for (const char c : text) {
        key += c;
        if (c == '\0') {
            key += '\xff';
        }
    }
    key += '\0';
    key += '\1';
}

// Takes one from the front.
std::string take_key_text(std::string_view& key) {
    std::string text;
    while (key.size() >= 2 && !(key[0] == '\0' && key[1] == '\1')) {
        text += key[0];
        key.remove_prefix(key[0] == '\0' ? 2 : 1);
    }
    key.remove_prefix(std::min<std::size_t>(key.size(), 2));
    return text;
}

std::string posting_prefix(std::string_view name) {
    std::string key(1, kPosting);
    put_key_text(key, name);
    return key;
}

std::string posting_prefix(std::string_view name, std::string_view value) {
    std::string key = posting_prefix(name);
    put_key_text(key, value);
    return key;
}

std::string posting_key(std::string_view name, std::string_view value, SeriesId id) {
    std::string key = posting_prefix(name, value);
    put_ordered(key, id);
    return key;
}

Result<Unit> checked(const rocksdb::Status& status) {
    if (!status.ok()) {
        return Error{status.IsCorruption() ? Errc::Corruption : Errc::Unavailable,
                     "read archived series: " + status.ToString()};
    }
    return Unit{};
}

std::string_view view(const rocksdb::Slice& slice) {
    return {slice.data(), slice.size()};
}

Result<ArchivedSeries> decode(SeriesId id, std::string_view bytes) {
    ByteReader reader(bytes);
    ArchivedSeries series;
    series.id = id;
    series.first_time = unzigzag(reader.varint());
    series.last_time = unzigzag(reader.varint());
    series.late_disk_time = unzigzag(reader.varint());
    TRY(series.labels, decode_labels(reader.rest()));
    return series;
}

bool wanted(const std::vector<CompiledMatcher>& matchers, const Labels& labels) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const CompiledMatcher& matcher) { return matcher.matches(labels.get(matcher.name())); });
}

}  // namespace

Result<std::unique_ptr<Archive>> Archive::open(rocksdb::DB& db, rocksdb::ColumnFamilyHandle& family) {
    std::unique_ptr<Archive> archive(new Archive(db, family));
    std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(rocksdb::ReadOptions(), &family));
    const auto last_of = [&](char kind) -> std::string_view {
        const char next = static_cast<char>(kind + 1);
        it->SeekForPrev(rocksdb::Slice(&next, 1));
        archive->damaged_ = archive->damaged_ || it->status().IsCorruption();
        return it->Valid() && it->key()[0] == kind ? view(it->key()) : std::string_view();
    };
    if (const auto key = last_of(kDefinition); key.size() == 1 + kIdBytes) {
        archive->highest_id_ = get_ordered(key.data() + 1);
    }
    if (const auto key = last_of(kByTime); key.size() == 1 + 2 * kIdBytes) {
        archive->newest_ = get_ordered_signed(key.data() + 1);
    }
    if (archive->damaged_) {
        archive->newest_ = std::numeric_limits<std::int64_t>::max();  // It may reach that far: everyone must look.
        return archive;
    }
    TRY_UNIT(checked(it->status()));
    return archive;
}

void Archive::put(rocksdb::WriteBatch& batch, const ArchivedSeries& series) {
    std::string value;
    put_varint(value, zigzag(series.first_time));
    put_varint(value, zigzag(series.last_time));
    put_varint(value, zigzag(series.late_disk_time));
    value += encode_labels(series.labels);
    batch.Put(&family_, definition_key(series.id), value);
    for (const auto& [name, text] : series.labels) {
        batch.Put(&family_, posting_key(name, text, series.id), rocksdb::Slice());
    }
    batch.Put(&family_, time_key(series.last_time, series.id), rocksdb::Slice());
    std::int64_t seen = newest_.load();
    while (series.last_time > seen && !newest_.compare_exchange_weak(seen, series.last_time)) {
    }
}

// Matchers for a literal value narrow the candidates down; the others are tried on their labels.
Result<Unit> Archive::each_match(const std::vector<CompiledMatcher>& matchers, std::int64_t start, std::int64_t end,
                                 const Visit& visit) const {
    bool narrowed = false;
    std::vector<SeriesId> candidates;
    for (const CompiledMatcher& matcher : matchers) {
        if (!matcher.is_literal() || matcher.negated() || matcher.matches("")) {
            continue;
        }
        std::vector<SeriesId> ids;
        for (const std::string& literal : matcher.literals()) {
            TRY(const auto some, with_label(matcher.name(), literal));
            ids.insert(ids.end(), some.begin(), some.end());
        }
        std::sort(ids.begin(), ids.end());
        if (narrowed) {
            std::vector<SeriesId> both;
            std::set_intersection(ids.begin(), ids.end(), candidates.begin(), candidates.end(),
                                  std::back_inserter(both));
            ids.swap(both);
        }
        candidates.swap(ids);
        narrowed = true;
    }
    rocksdb::ReadOptions options;
    options.fill_cache = narrowed;
    std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(options, &family_));
    const auto look = [&]() -> Result<Unit> {
        TRY(ArchivedSeries series, decode(get_ordered(it->key().data() + 1), view(it->value())));
        if (series.first_time <= end && series.last_time >= start && wanted(matchers, series.labels)) {
            return visit(std::move(series));
        }
        return Unit{};
    };
    if (!narrowed) {
        const FileStarts starts = file_starts(db_, &family_);
        for (it->Seek(rocksdb::Slice(&kDefinition, 1)); it->Valid() && it->key()[0] == kDefinition;
             checked_next(*it, starts)) {
            TRY_UNIT(look());
        }
        return checked(it->status());
    }
    for (const SeriesId id : candidates) {
        const std::string key = definition_key(id);
        it->Seek(key);
        if (it->Valid() && view(it->key()) == key) {
            TRY_UNIT(look());
        }
    }
    return checked(it->status());
}

Result<Unit> Archive::each_around_damage(const std::vector<CompiledMatcher>& matchers, std::int64_t start,
                                         std::int64_t end, const Visit& visit) const {
    ScanVisitor visitor;
    visitor.on_entry = [&](std::string_view key, std::string_view value) -> Result<Unit> {
        if (key.size() != 1 + kIdBytes || key[0] != kDefinition) {
            return Unit{};
        }
        auto series = decode(get_ordered(key.data() + 1), value);
        const bool good = series && series->first_time <= end && series->last_time >= start;
        return good && wanted(matchers, series->labels) ? visit(*std::move(series)) : Unit{};
    };
    visitor.on_gap = [](std::string_view, std::string_view, const std::string&) {};  // Known to who called.
    return scan_family(db_, &family_, {&kDefinition, 1}, visitor);
}

Result<std::vector<SeriesId>> Archive::with_label(const std::string& name, const std::string& value) const {
    const std::string prefix = posting_prefix(name, value);
    std::vector<SeriesId> ids;
    std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(rocksdb::ReadOptions(), &family_));
    const FileStarts starts = file_starts(db_, &family_);
    for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); checked_next(*it, starts)) {
        if (it->key().size() == prefix.size() + kIdBytes) {
            ids.push_back(get_ordered(it->key().data() + prefix.size()));
        }
    }
    TRY_UNIT(checked(it->status()));
    return ids;
}

Result<std::vector<std::string>> Archive::names() const {
    return distinct(std::string(1, kPosting));
}

Result<std::vector<std::string>> Archive::values(std::string_view name) const {
    return distinct(posting_prefix(name));
}

// The different texts that follow the prefix, one seek each.
Result<std::vector<std::string>> Archive::distinct(std::string prefix) const {
    std::vector<std::string> texts;
    std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(rocksdb::ReadOptions(), &family_));
    for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix);) {
        std::string_view rest = view(it->key()).substr(prefix.size());
        texts.push_back(take_key_text(rest));
        std::string next = prefix;
        put_key_text(next, texts.back());
        next.back() = '\2';  // Behind all that begin with this text.
        it->Seek(next);
    }
    TRY_UNIT(checked(it->status()));
    return texts;
}

Result<std::vector<SeriesId>> Archive::drop_before(std::int64_t time) {
    std::vector<SeriesId> dropped;
    rocksdb::WriteBatch batch;
    std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(rocksdb::ReadOptions(), &family_));
    const FileStarts starts = file_starts(db_, &family_);
    for (it->Seek(rocksdb::Slice(&kByTime, 1)); it->Valid() && it->key()[0] == kByTime; checked_next(*it, starts)) {
        if (it->key().size() != 1 + 2 * kIdBytes || get_ordered_signed(it->key().data() + 1) >= time) {
            break;
        }
        const SeriesId id = get_ordered(it->key().data() + 1 + kIdBytes);
        std::string definition;
        const auto status = db_.Get(rocksdb::ReadOptions(), &family_, definition_key(id), &definition);
        if (status.ok()) {
            TRY(const ArchivedSeries series, decode(id, definition));
            for (const auto& [name, value] : series.labels) {
                batch.Delete(&family_, posting_key(name, value, id));
            }
        } else if (!status.IsNotFound()) {
            TRY_UNIT(checked(status));
        }
        batch.Delete(&family_, definition_key(id));
        batch.Delete(&family_, it->key());
        dropped.push_back(id);
    }
    TRY_UNIT(checked(it->status()));
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    TRY_UNIT(checked(db_.Write(options, &batch)));
    return dropped;
}

}  // namespace stoker::tsdb
