// The two forms in which container runtimes keep what a container writes, a record a line. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stoker::collect {

struct ContainerLine {
    std::string text;           // Without the line's end.
    bool partial = false;       // The next record of the same stream goes on with it.
    std::string_view stream{};  // "stdout" or "stderr".
    std::int64_t time_ns = 0;   // 0: the record says none.
};

enum class LogFormat : std::uint8_t { Text, Docker, Cri };

// Docker's json-file: {"log":"text\n","stream":"stdout","time":"2026-11-22T10:00:00.5Z"}. Nothing if it is none.
std::optional<ContainerLine> parse_docker_line(std::string_view line);

// What containerd and CRI-O write: 2026-11-22T10:00:00.5+00:00 stdout F text. Nothing if it is none.
std::optional<ContainerLine> parse_cri_line(std::string_view line);

// What a line looks like.
LogFormat guess_format(std::string_view line);

// namespace, pod and container of /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log or
// /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log, or the id of
// /var/lib/docker/containers/ID/ID-json.log; empty fields where the path does not say.
struct ContainerOfLog {
    std::string name_space;
    std::string pod;
    std::string container;
    std::string id;
};
ContainerOfLog container_of_path(std::string_view path);

}  // namespace stoker::collect
