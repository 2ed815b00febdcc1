#include "journal/cursor_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "journal/crc32c.h"

namespace stoker::journal {
namespace {

constexpr std::string_view kFirstLine = "stoker-cursors 1";
constexpr std::string_view kChecksumKey = "crc32c ";
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMaxFileBytes = 1024 * 1024;

std::string path_in(const std::string& directory) {
    return directory + "/cursors";
}

template <typename T>
std::optional<T> number(std::string_view text, int base) {
    T value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<JournalId> journal_id(std::string_view hex) {
    JournalId id{};
    if (hex.size() != 2 * id.size()) return std::nullopt;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const auto byte = number<std::uint8_t>(hex.substr(2 * i, 2), 16);
        if (!byte) return std::nullopt;
        id[i] = static_cast<char>(*byte);
    }
    return id;
}

// Takes one line between the first and the checksum; false if it makes no sense.
bool take_line(std::string_view line, Cursors& cursors) {
    const auto words = split(line, ' ');
    if (words.size() == 2 && words[0] == "journal") {
        const auto id = journal_id(words[1]);
        if (id) cursors.journal = *id;
        return id.has_value();
    }
    if (words.size() != 3 || words[0] != "cursor" || !is_consumer_name(words[1])) return false;
    const auto next = number<std::uint64_t>(words[2], 10);
    if (next) cursors.next[std::string(words[1])] = *next;
    return next.has_value();
}

}  // namespace

std::string encode(const Cursors& cursors) {
    std::string text = fmt::format("{}\njournal {}\n", kFirstLine, to_hex(cursors.journal));
    for (const auto& [consumer, next] : cursors.next) text += fmt::format("cursor {} {}\n", consumer, next);
    return text + fmt::format("{}{:08x}\n", kChecksumKey, crc32c(text));
}

Result<Cursors> decode_cursors(std::string_view text) {
    const std::size_t last = text.rfind(kChecksumKey);
    if (!text.starts_with(kFirstLine) || !text.ends_with('\n') || last == std::string_view::npos) {
        return Error{Errc::Corruption, "not a cursor file, or cut off"};
    }
    const std::string_view body = text.substr(0, last);
    const std::string_view sum = text.substr(last + kChecksumKey.size());
    if (number<std::uint32_t>(sum.substr(0, sum.size() - 1), 16) != crc32c(body)) {
        return Error{Errc::Corruption, "cursor file has a bad checksum"};
    }
    Cursors cursors;
    const auto lines = split(body, '\n');
    for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
        if (!take_line(lines[i], cursors)) {
            return Error{Errc::Corruption, fmt::format("cursor file, line {}: not understood", i + 1)};
        }
    }
    return cursors;
}

Result<Cursors> read_cursors(FileSystem& files, const std::string& directory) {
    TRY(const auto file, files.open_read(path_in(directory)));
    TRY(const std::uint64_t size, file->size());
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(size, kMaxFileBytes)), '\0');
    TRY(const std::size_t got, file->read_at(0, text.data(), text.size()));
    text.resize(got);
    return decode_cursors(text);
}

Result<Unit> write_cursors(FileSystem& files, const std::string& directory, const Cursors& cursors) {
    const std::string path = path_in(directory);
    const std::string temporary = path + ".tmp";
    {
        TRY(const auto file, files.open_append(temporary));
        TRY_UNIT(file->truncate(0));  // One that a crash left behind.
        TRY_UNIT(file->write(encode(cursors)));
        TRY_UNIT(file->sync());
    }
    TRY_UNIT(files.rename(temporary, path));
    return files.sync_directory(directory);
}

bool is_consumer_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace stoker::journal
