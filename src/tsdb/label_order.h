// Sorting many label sets that share most of their labels.
//
// Comparing sets text by text touches the same few texts over and over. Here each different label gets a number when it
// is first seen (by the address of its one copy in the index), the different ones are sorted once, and the sets are
// then compared as short lists of small integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tsdb/index.h"

namespace stoker::tsdb {

class LabelOrder {
public:
    // The next set. REQUIRES: the texts stay where they are.
    void add(std::span<const LabelRef> refs);

    // The numbers of the sets (0: the first added) in the order of their labels.
    std::vector<std::uint32_t> sorted() const;

private:
    struct Slot {
        const std::string* text = nullptr;
        std::uint32_t number = 0;
    };

    std::uint32_t number_of(const LabelRef& label);
    void grow();

    std::vector<Slot> table_;             // By address of the value's text; a power of two, half empty.
    std::vector<LabelRef> labels_;        // By number.
    std::vector<std::uint32_t> numbers_;  // Of all sets, one after the other.
    std::vector<std::uint32_t> ends_;     // Of each in numbers_.
};

}  // namespace stoker::tsdb
