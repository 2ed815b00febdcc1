#include "heal/process_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace stoker::heal {
namespace {

using nlohmann::json;

constexpr std::size_t kTail = 4096;
constexpr std::size_t kLineLimit = 300;

}  // namespace

std::string file_name(const std::string& id) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string name;
    for (const char c : id) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || (c == '.' && !name.empty());
        if (plain) {
            name += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        name += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    return name;
}

ProcessFiles::ProcessFiles(const std::string& directory, const std::string& id)
    : log_(directory + "/" + file_name(id) + ".log"), identity_(directory + "/" + file_name(id) + ".json") {}

Result<Fd> ProcessFiles::open_log() const {
    Fd fd(::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (fd.open()) return fd;
    return Error{Errc::Internal, log_ + ": " + std::generic_category().message(errno)};
}

void ProcessFiles::rotate(std::uint64_t bytes, int keep) const {
    std::error_code error;
    const auto size = std::filesystem::file_size(log_, error);
    if (error || size <= bytes) return;
    for (int i = keep; i > 1; --i) {
        std::filesystem::rename(log_ + "." + std::to_string(i - 1), log_ + "." + std::to_string(i), error);
    }
    if (keep > 0) {
        std::filesystem::copy_file(log_, log_ + ".1", std::filesystem::copy_options::overwrite_existing, error);
        if (error) log::warn("engine's log could not be rotated", {{"file", log_}, {"error", error.message()}});
    }
    // Emptied even if the copy failed: a full disk is worse than a lost log.
    std::filesystem::resize_file(log_, 0, error);
}

std::string ProcessFiles::last_line() const {
    const Fd fd(::open(log_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.open()) return "";
    const off_t size = lseek(fd.get(), 0, SEEK_END);
    std::array<char, kTail> buffer{};
    const ssize_t got =
        pread(fd.get(), buffer.data(), buffer.size(), std::max<off_t>(0, size - static_cast<off_t>(kTail)));
    const std::string_view tail(buffer.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    const auto lines = split(tail, '\n');
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        const std::string_view text = trim(*line);
        const bool ours = text.starts_with("--- ") && text.find(" stoker starts: ") != std::string_view::npos;
        if (!text.empty() && !ours) return std::string(text.substr(0, kLineLimit));
    }
    return "";
}

Result<Unit> ProcessFiles::write_identity(const ProcessIdentity& identity,
                                          const std::vector<std::string>& command) const {
    const json content = {
        {"pid", identity.pid}, {"start_ticks", identity.start_ticks}, {"boot_id", boot_id()}, {"command", command}};
    return write_file_atomic(identity_, content.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

std::optional<ProcessFiles::Remembered> ProcessFiles::read_identity() const {
    const auto text = read_file(identity_);
    if (!text) return std::nullopt;
    const json content = json::parse(*text, nullptr, false);
    if (!content.is_object()) return std::nullopt;
    const auto number = [&content](const char* key) {
        const auto found = content.find(key);
        return found != content.end() && found->is_number_integer() ? found->get<std::int64_t>() : std::int64_t{0};
    };
    Remembered remembered;
    remembered.identity.pid = static_cast<pid_t>(number("pid"));
    remembered.identity.start_ticks = static_cast<std::uint64_t>(number("start_ticks"));
    const auto boot = content.find("boot_id");
    if (remembered.identity.pid <= 1 || boot == content.end() || !boot->is_string() || *boot != boot_id()) {
        return std::nullopt;
    }
    const auto command = content.find("command");
    if (command != content.end() && command->is_array()) {
        for (const json& part : *command) {
            if (part.is_string()) remembered.command.push_back(part.get<std::string>());
        }
    }
    return remembered;
}

void ProcessFiles::remove_identity() const {
    ::unlink(identity_.c_str());
}

}  // namespace stoker::heal
