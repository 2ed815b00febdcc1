#include "collect/host/kernel_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace stoker::collect {
namespace {

Error read_error(const std::string& path, int code) {
    Errc kind = Errc::Internal;
    if (code == ENOENT || code == ENOTDIR || code == ENODEV) kind = Errc::NotFound;
    if (code == EACCES || code == EPERM) kind = Errc::PermissionDenied;
    return {kind, path + ": " + std::generic_category().message(code)};
}

std::vector<std::string> list(const std::string& folder, bool only_folders) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(folder.c_str()), &::closedir);
    if (!opened) return names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a folder of our own; glibc locks no other.
    while (const dirent* entry = ::readdir(opened.get())) {
        const bool wanted = !only_folders || entry->d_type == DT_DIR;  // /sys and the usual disks always say the type.
        if (wanted && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    std::size_t at = 0;
    while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
        const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
        out.push_back(line.substr(at, end - at));
        at = end;
    }
    return out;
}

std::optional<double> kernel_number(std::string_view text) {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789.-") == std::string_view::npos;
    return digits ? parse_number(text) : std::nullopt;
}

std::optional<double> kernel_hex(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return static_cast<double>(value);
}

std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) return "";
    text.remove_prefix(begin + open.size());
    const std::size_t end = text.find(close);
    return end == std::string_view::npos ? "" : text.substr(0, end);
}

std::string metric_part(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    return out;
}

Result<std::string_view> KernelFiles::read(const std::string& path) {
    return read(path, Extent::Whole);
}

Result<std::string_view> KernelFiles::read(const std::string& path, Extent extent) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return read_error(path, errno);
    constexpr std::size_t kFirst = 4096;
    if (buffer_.size() < kFirst) buffer_.resize(kFirst);
    std::size_t filled = 0;
    ssize_t got = 0;
    while ((got = ::read(file, buffer_.data() + filled, buffer_.size() - filled)) > 0) {
        filled += static_cast<std::size_t>(got);
        if (extent == Extent::Line && buffer_[filled - 1] == '\n') {
            got = 0;
            break;
        }
        if (filled < buffer_.size()) continue;
        if (buffer_.size() >= kDefaultFileLimit) break;
        buffer_.resize(buffer_.size() * 2);
    }
    const int problem = errno;
    ::close(file);
    if (got < 0) return read_error(path, problem);
    if (got > 0) return Error{Errc::ResourceExhausted, path + ": too large"};
    return std::string_view(buffer_.data(), filled);
}

std::optional<std::string_view> KernelFiles::read_line(const std::string& path) {
    const auto text = read(path, Extent::Line);
    if (!text) return std::nullopt;
    return trim(*text);
}

std::optional<double> KernelFiles::read_number(const std::string& path) {
    const auto line = read_line(path);
    return line ? kernel_number(*line) : std::nullopt;
}

const std::string& KernelFiles::constant(const std::string& path) {
    const auto known = constants_.find(path);
    if (known != constants_.end()) return known->second;
    return constants_.emplace(path, read_line(path).value_or("")).first->second;
}

std::vector<std::string> names_in(const std::string& folder) {
    return list(folder, false);
}

std::vector<std::string> folders_in(const std::string& folder) {
    return list(folder, true);
}

}  // namespace stoker::collect
