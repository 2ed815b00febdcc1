// A table of text for terminals: columns as wide as their widest cell, in UTF-8.
#pragma once

#include <string>
#include <vector>

namespace stoker::app {

class Table {
public:
    explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
    // REQUIRES: as many cells as the header has.
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    bool empty() const { return rows_.size() == 1; }
    std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

// "3", "3.25", "1.2e+07": a number for people, at most six digits.
std::string short_number(double value);
// "850 us", "12.3 ms", "4.56 s"
std::string short_seconds(double seconds);

}  // namespace stoker::app
