#include "app/config_logs.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "app/config_checks.h"

namespace stoker::app {

void describe(config::Fields& f, LogFilesConfig& c) {
    f.field("paths", c.paths,
            "Files to follow; `*`, `?` and `[...]` match names. Relative ones start at the configuration file.");
    f.required("paths");
    f.check("paths", !c.paths.empty(), "must name at least one file");
    f.field("exclude", c.exclude,
            "Those of them to leave alone, as patterns of whole paths; here `*` matches `/` too.");
    f.field("service", c.service, "Who writes them. Empty: the container's or the file's name.");
    f.choice(
        "format", c.format, {"auto", "text", "docker", "cri"},
        "text is a line each, JSON and logfmt understood; docker is its json-file; cri is what containerd and CRI-O "
        "write; auto goes by the first line.");
    f.field(
        "multiline_start", c.multiline_start,
        "RE2 pattern of the first line of an entry; lines without it belong to the one before. Empty: indented lines "
        "and stack traces do.");
    const RE2 pattern(c.multiline_start, RE2::Quiet);
    f.check("multiline_start", pattern.ok(), "is no RE2 pattern: " + pattern.error());
    f.choice(
        "from", c.from, {"end", "beginning"},
        "Where files that are there already are begun when they are followed for the first time. What appears later "
        "is read whole.");
    f.field("attributes", c.attributes, "Put on every line.");
}

void describe(config::Fields& f, JournaldConfig& c) {
    f.field("enabled", c.enabled,
            "Whether systemd's journal is followed, the kernel's messages too; needs journalctl.");
    f.field("units", c.units, "Only these units, such as `vllm.service`; `*` matches. Empty: everything.");
    f.field("directory", c.directory, "Folder of the journal's files. Empty: this machine's.");
}

void describe(config::Fields& f, LogsConfig& c) {
    f.list("files", c.files, "Log files to follow, through rotation by rename and by copying and cutting.");
    f.field("containers", c.containers,
            "Follows what this machine's containers write: /var/log/pods and /var/lib/docker/containers.");
    f.field("engines", c.engines, "Follows what engines write that Stoker runs (`run` of a replica).");
    f.object("journald", c.journald, "systemd's journal.");
    f.field("signature_files", c.signature_files,
            "Further failure signatures, in the format of config/logs/signatures.yaml; they come before the built-in "
            "ones and replace those of the same name. Relative to the configuration file.");
    f.field("max_line", c.max_line, "Longer lines, and entries of several lines, are cut.");
    f.check("max_line", c.max_line.count >= 1024 && c.max_line.count <= (std::uint64_t{512} << 10),
            "must be from 1KiB to 512KiB");
    at_least(f, "max_lines_per_second", c.max_lines_per_second, 0,
             "Lines taken a second on average; past it files wait on disk and senders are told to come back. 0 sets no "
             "limit.");
}

}  // namespace stoker::app
