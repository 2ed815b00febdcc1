// What the parsers of the kernel's text files share: words, numbers, and reading small files cheaply.
//
// Pure functions are thread-safe; a KernelFiles belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::collect {

// The parts of a line between blanks and tabs.
std::vector<std::string_view> words(std::string_view line);

// A decimal number as the kernel writes it; "nan" and its kin are none.
std::optional<double> kernel_number(std::string_view text);
std::optional<double> kernel_hex(std::string_view text);  // With "0x" before it, or without.

// The whole text, after a colon in square brackets for example; "" if `open` or `close` is missing.
std::string_view between(std::string_view text, std::string_view open, std::string_view close);

// Letters and digits stay, anything else becomes '_'.
std::string metric_part(std::string_view text);

template <typename Visit>
void each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.empty()) visit(line);
    }
}

// Reads files of /proc and /sys into one buffer that it keeps.
class KernelFiles {
public:
    // The content, valid until the next call. Errors: NotFound, PermissionDenied, Internal (what a driver answers
    // for what it can't tell); ResourceExhausted past 16 MiB. Each names the path.
    Result<std::string_view> read(const std::string& path);

    // The same of a file of one line, without its end, or nothing. Saves asking the kernel whether more follows.
    std::optional<std::string_view> read_line(const std::string& path);
    std::optional<double> read_number(const std::string& path);

    // The line of a file that says the same for as long as the machine runs: read once. Empty if it can't be read.
    const std::string& constant(const std::string& path);

    std::size_t memory_bytes() const { return buffer_.capacity(); }

private:
    enum class Extent : std::uint8_t { Whole, Line };
    Result<std::string_view> read(const std::string& path, Extent extent);

    std::string buffer_;
    std::map<std::string, std::string> constants_;
};

// Names in a folder, sorted; empty if it can't be read. folders_in: only those of folders themselves, without links.
std::vector<std::string> names_in(const std::string& folder);
std::vector<std::string> folders_in(const std::string& folder);

}  // namespace stoker::collect
