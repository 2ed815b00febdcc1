#include "collect/gpu/engine_join.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace stoker::collect {
namespace {

namespace fs = std::filesystem;

template <typename Number>
std::optional<Number> parse(std::string_view text, int base) {
    Number value = 0;
    const auto end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value, base);
    if (text.empty() || result.ec != std::errc{} || result.ptr != end) return std::nullopt;
    return value;
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> all;
    for (std::string_view word : split(line, ' ')) {
        if (!word.empty()) all.push_back(word);
    }
    return all;
}

}  // namespace

std::multimap<std::uint16_t, std::uint64_t> parse_listening(std::string_view text) {
    constexpr std::string_view kListening = "0A";
    std::multimap<std::uint16_t, std::uint64_t> found;
    for (std::string_view line : split(text, '\n')) {
        // sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode ...
        const auto columns = words(line);
        if (columns.size() < 10 || columns[3] != kListening) continue;
        const auto colon = columns[1].rfind(':');
        if (colon == std::string_view::npos) continue;
        const auto port = parse<std::uint16_t>(columns[1].substr(colon + 1), 16);
        const auto inode = parse<std::uint64_t>(columns[9], 10);
        if (port && inode) found.emplace(*port, *inode);
    }
    return found;
}

std::int64_t parse_parent(std::string_view stat) {
    // PID (NAME) STATE PPID ...; the name may hold anything, parentheses too.
    const auto end = stat.rfind(')');
    if (end == std::string_view::npos) return 0;
    const auto columns = words(stat.substr(end + 1));
    return columns.size() < 2 ? 0 : parse<std::int64_t>(columns[1], 10).value_or(0);
}

std::vector<std::uint16_t> EngineJoin::listens_on(std::int64_t pid, const std::set<std::uint16_t>& ports) const {
    const fs::path folder = proc_ / std::to_string(pid);
    std::map<std::uint64_t, std::uint16_t> wanted;  // By inode. Of the process's own network, which a container's is.
    for (const char* file : {"net/tcp", "net/tcp6"}) {
        const auto text = read_file(folder / file);
        if (!text) continue;
        for (const auto& [port, inode] : parse_listening(*text)) {
            if (ports.contains(port)) wanted[inode] = port;
        }
    }
    std::vector<std::uint16_t> found;
    if (wanted.empty()) return found;
    std::error_code failed;
    int seen = 0;
    for (fs::directory_iterator at(folder / "fd", failed), end; !failed && at != end && ++seen < kMostDescriptors;
         at.increment(failed)) {
        std::error_code unreadable;
        const std::string target = fs::read_symlink(at->path(), unreadable).string();
        if (unreadable || !target.starts_with("socket:[")) continue;
        const auto inode = parse<std::uint64_t>(std::string_view(target).substr(8, target.size() - 9), 10);
        if (!inode) continue;
        const auto port = wanted.find(*inode);
        if (port != wanted.end()) found.push_back(port->second);
    }
    return found;
}

const EngineJoin::Known& EngineJoin::look_at(std::int64_t pid, const std::set<std::uint16_t>& ports) {
    const auto now = std::chrono::steady_clock::now();
    Known& known = known_[pid];
    if (now < known.until) return known;
    known = {};
    known.until = now + kLookAgain;
    if (const auto name = read_file(proc_ / std::to_string(pid) / "comm")) known.name = trim(*name);
    std::int64_t each = pid;
    for (int i = 0; i < kMostAncestors && each > 1; ++i) {
        for (std::uint16_t port : listens_on(each, ports)) known.ports.push_back(port);
        const auto stat = read_file(proc_ / std::to_string(each) / "stat");
        each = stat ? parse_parent(*stat) : 0;
    }
    return known;
}

void EngineJoin::join(std::vector<GpuReading>& gpus) {
    std::map<std::uint16_t, EngineEndpoint> engines;
    std::set<std::uint16_t> ports;
    for (auto& endpoint : endpoints_()) {
        ports.insert(endpoint.port);
        engines[endpoint.port] = std::move(endpoint);
    }
    // Where other engines answer than before, what was found of the processes is out of date.
    if (ports != ports_) known_.clear();
    ports_ = ports;
    std::set<std::int64_t> present;
    for (GpuReading& gpu : gpus) {
        for (GpuProcess& process : gpu.processes) {
            present.insert(process.pid);
            const Known& known = look_at(process.pid, ports);
            process.name = known.name;
            for (std::uint16_t port : known.ports) {
                const auto engine = engines.find(port);
                if (engine == engines.end()) continue;
                process.engine_instance = engine->second.instance;
                process.replica = engine->second.replica;
                break;
            }
        }
    }
    std::erase_if(known_, [&](const auto& entry) { return !present.contains(entry.first); });
}

}  // namespace stoker::collect
