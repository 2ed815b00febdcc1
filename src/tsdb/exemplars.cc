#include "tsdb/exemplars.h"

#include <bit>

#include "tsdb/bytes.h"
#include "tsdb/disk.h"

namespace stoker::tsdb {

namespace {

bool same(const Exemplar& a, const Exemplar& b) {
    return a.time == b.time && std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value) &&
           a.labels == b.labels;
}

}  // namespace

std::string encode_exemplar(SeriesId id, const Exemplar& exemplar) {
    std::string out;
    put_varint(out, id);
    put_varint(out, zigzag(exemplar.time));
    put_fixed(out, exemplar.value);
    put_varint(out, exemplar.labels.size());
    for (const auto& [name, value] : exemplar.labels) {
        put_text(out, name);
        put_text(out, value);
    }
    return out;
}

Result<Exemplar> decode_exemplar(std::string_view bytes, SeriesId& id) {
    ByteReader reader(bytes);
    Exemplar exemplar;
    id = reader.varint();
    exemplar.time = unzigzag(reader.varint());
    exemplar.value = reader.fixed<double>();
    if (!reader.ok()) {
        return Error{Errc::Corruption, "malformed exemplar"};
    }
    TRY(exemplar.labels, decode_labels(reader.rest()));
    return exemplar;
}

ExemplarRing::Verdict ExemplarRing::add(SeriesId id, const Exemplar& exemplar) {
    if (most_ == 0) {
        return Verdict::Off;
    }
    MutexLock lock(mutex_);
    if (const auto chain = chains_.find(id); chain != chains_.end()) {
        const Exemplar& newest = slot(chain->second.newest).exemplar;
        if (same(newest, exemplar)) {
            return Verdict::Duplicate;
        }
        if (exemplar.time <= newest.time) {
            return Verdict::TooOld;
        }
    }
    push(id, exemplar);
    return Verdict::Stored;
}

void ExemplarRing::restore(std::uint64_t number, SeriesId id, const Exemplar& exemplar) {
    if (most_ == 0) {
        return;
    }
    MutexLock lock(mutex_);
    if (number < next_) {
        return;
    }
    if (number > next_) {  // A gap: part of them was dropped or could not be read. Numbers must stay dense.
        while (first_ < next_) {
            drop_oldest();
        }
        first_ = next_ = number;
    }
    push(id, exemplar);
}

void ExemplarRing::push(SeriesId id, const Exemplar& exemplar) {
    if (next_ - first_ == most_) {
        drop_oldest();
    }
    const std::uint64_t number = next_++;
    if (slots_.size() < most_ && slots_.size() <= number % most_) {
        slots_.resize(number % most_ + 1);
    }
    slot(number) = {id, exemplar, 0};
    const auto [chain, fresh] = chains_.try_emplace(id, Chain{number, number});
    if (!fresh) {
        slot(chain->second.newest).newer = number;
        chain->second.newest = number;
    }
}

void ExemplarRing::drop_oldest() {
    Slot& oldest = slot(first_);
    const auto chain = chains_.find(oldest.id);
    if (oldest.newer == 0) {
        chains_.erase(chain);
    } else {
        chain->second.oldest = oldest.newer;
    }
    oldest = Slot{};
    ++first_;
}

std::vector<Exemplar> ExemplarRing::of(SeriesId id, std::int64_t start, std::int64_t end) const {
    std::vector<Exemplar> found;
    MutexLock lock(mutex_);
    const auto chain = chains_.find(id);
    if (chain == chains_.end()) {
        return found;
    }
    for (std::uint64_t number = chain->second.oldest; number != 0; number = slot(number).newer) {
        const Exemplar& exemplar = slot(number).exemplar;
        if (exemplar.time >= start && exemplar.time <= end) {
            found.push_back(exemplar);
        }
    }
    return found;
}

std::uint64_t ExemplarRing::each_since(
    std::uint64_t first, const std::function<void(std::uint64_t, SeriesId, const Exemplar&)>& visit) const {
    MutexLock lock(mutex_);
    for (std::uint64_t number = std::max(first, first_); number < next_; ++number) {
        visit(number, slot(number).id, slot(number).exemplar);
    }
    return next_;
}

std::uint64_t ExemplarRing::oldest() const {
    MutexLock lock(mutex_);
    return first_;
}

std::size_t ExemplarRing::size() const {
    MutexLock lock(mutex_);
    return next_ - first_;
}

}  // namespace stoker::tsdb
