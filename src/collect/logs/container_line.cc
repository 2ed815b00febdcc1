#include "collect/logs/container_line.h"

#include <vector>

#include "base/text.h"
#include "collect/logs/log_time.h"
#include "wire/flat_json.h"

namespace stoker::collect {
namespace {

constexpr std::string_view kDockerStart = "{\"log\":";

std::string_view known_stream(std::string_view name) {
    return name == "stderr" ? "stderr" : name == "stdout" ? "stdout" : "";
}

}  // namespace

std::optional<ContainerLine> parse_docker_line(std::string_view line) {
    if (!line.starts_with(kDockerStart)) return std::nullopt;
    ContainerLine out;
    bool found = false;
    const bool object =
        wire::flatten_json(line, 1, [&](std::string_view key, std::string_view value, wire::FlatKind kind) {
            if (kind != wire::FlatKind::Text) return;
            if (key == "log") {
                out.text = value;
                found = true;
            }
            if (key == "stream") out.stream = known_stream(value);
            if (key == "time") out.time_ns = parse_log_time(value).value_or(0);
        });
    if (!object || !found) return std::nullopt;
    // Docker cuts at 16 KiB: a record without a line's end goes on in the next.
    out.partial = !out.text.ends_with('\n');
    if (!out.partial) out.text.pop_back();
    if (out.text.ends_with('\r')) out.text.pop_back();
    return out;
}

std::optional<ContainerLine> parse_cri_line(std::string_view line) {
    const auto time = time_at_front(line);
    if (!time) return std::nullopt;
    line.remove_prefix(time->length);
    ContainerLine out;
    out.time_ns = time->nanos;
    if (line.starts_with(" stdout ")) {
        out.stream = "stdout";
    } else if (line.starts_with(" stderr ")) {
        out.stream = "stderr";
    } else {
        return std::nullopt;
    }
    line.remove_prefix(8);
    // Tags, of which the first says whether the line is whole (F) or goes on (P).
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view tags = line.substr(0, end);
    const std::string_view tag = tags.substr(0, tags.find(':'));
    if (tag != "F" && tag != "P") return std::nullopt;
    out.partial = tag == "P";
    out.text = line.substr(std::min(end + 1, line.size()));
    return out;
}

LogFormat guess_format(std::string_view line) {
    if (line.starts_with(kDockerStart) && parse_docker_line(line)) return LogFormat::Docker;
    return parse_cri_line(line) ? LogFormat::Cri : LogFormat::Text;
}

ContainerOfLog container_of_path(std::string_view path) {
    ContainerOfLog out;
    const auto parts = split(path, '/');
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        if (parts[i] == "pods" && i + 3 < parts.size()) {
            const auto names = split(parts[i + 1], '_');
            if (names.size() < 2) continue;
            out.name_space = names[0];
            out.pod = names[1];
            out.container = parts[i + 2];
        } else if (parts[i] == "containers" && parts[i + 1].ends_with(".log")) {
            const auto names = split(parts[i + 1], '_');
            if (names.size() != 3) continue;
            out.pod = names[0];
            out.name_space = names[1];
            out.container = names[2].substr(0, names[2].rfind('-'));
        } else if (parts[i] == "containers" && i + 2 < parts.size() && parts[i + 2].ends_with("-json.log")) {
            out.id = parts[i + 1];
        }
    }
    return out;
}

}  // namespace stoker::collect
