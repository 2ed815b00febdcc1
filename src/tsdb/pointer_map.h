// 64-bit numbers to pointers, without a node for each: open addressing with linear probing, a power of two places, at
// most three quarters of them in use.
//
// A store of a million series asks it for every sample and fills it at every start. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace stoker::tsdb {

template <typename T>
class PointerMap {
public:
    // Null if there is none.
    T* find(std::uint64_t key) const {
        if (places_.empty()) {
            return nullptr;
        }
        for (std::size_t at = home(key);; at = next(at)) {
            if (places_[at].value == nullptr || places_[at].key == key) {
                return places_[at].value;
            }
        }
    }

    // Also in place of another. REQUIRES: value is not null.
    void set(std::uint64_t key, T* value) {
        if ((size_ + 1) * 4 > places_.size() * 3) {
            grow();
        }
        std::size_t at = home(key);
        while (places_[at].value != nullptr && places_[at].key != key) {
            at = next(at);
        }
        size_ += places_[at].value == nullptr ? 1U : 0U;
        places_[at] = {key, value};
    }

    // Those behind move up, so that no search ends too early.
    void erase(std::uint64_t key) {
        if (find(key) == nullptr) {
            return;
        }
        std::size_t hole = home(key);
        while (places_[hole].key != key) {
            hole = next(hole);
        }
        for (std::size_t at = next(hole); places_[at].value != nullptr; at = next(at)) {
            const std::size_t mask = places_.size() - 1;
            if (((at - home(places_[at].key)) & mask) >= ((at - hole) & mask)) {
                places_[hole] = places_[at];
                hole = at;
            }
        }
        places_[hole] = {};
        --size_;
    }

    std::size_t size() const { return size_; }

private:
    struct Place {
        std::uint64_t key = 0;
        T* value = nullptr;
    };

    // Ids are dense and share their low bits: the product's upper bits are well spread.
    std::size_t home(std::uint64_t key) const { return (key * 0x9e3779b97f4a7c15ULL) >> shift_; }
    std::size_t next(std::size_t at) const { return (at + 1) & (places_.size() - 1); }

    void grow() {
        std::vector<Place> before = std::exchange(places_, {});
        places_.resize(before.empty() ? 16 : before.size() * 2);
        shift_ = before.empty() ? 60 : shift_ - 1;
        size_ = 0;
        for (const Place& place : before) {
            if (place.value != nullptr) {
                set(place.key, place.value);
            }
        }
    }

    std::vector<Place> places_;
    unsigned shift_ = 60;
    std::size_t size_ = 0;
};

}  // namespace stoker::tsdb
