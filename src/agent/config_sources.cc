#include "agent/config_sources.h"

#include <re2/re2.h>

#include <filesystem>
#include <optional>

#include "agent/local_rules.h"
#include "net/http.h"

namespace stoker::agent {
namespace {

namespace fs = std::filesystem;

// Of one poll: its lines go in one request, which the timeout must be enough for.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::optional<collect::LogFormat> format_of(const std::string& name) {
    if (name == "text") return collect::LogFormat::Text;
    if (name == "docker") return collect::LogFormat::Docker;
    if (name == "cri") return collect::LogFormat::Cri;
    return std::nullopt;
}

void from_folder(const std::string& folder, std::string& path) {
    if (!path.empty()) path = (fs::path(folder) / path).lexically_normal();
}

}  // namespace

void describe(config::Fields& f, TlsConfig& c) {
    f.field("ca_file", c.ca_file, "Certificates that may sign the server's. Empty: the system's.");
    f.field("certificate", c.certificate, "The agent's own certificate (PEM), for servers that ask for one.");
    f.field("key", c.key, "Its private key (PEM).");
    f.check("key", c.key.empty() == c.certificate.empty(), "certificate and key go together");
    f.field("verify", c.verify, "Whether the server's certificate and name are checked.");
}

void describe(config::Fields& f, GpuOptions& c) {
    f.field("enabled", c.enabled, "Whether GPUs are read, from the moment that their driver is there.");
    f.field("interval", c.interval, "Between two looks at them.");
    f.check("interval", c.interval >= Duration{100},
            "must be at least 100ms: the driver needs milliseconds for each GPU");
    f.field("library", c.library,
            "NVIDIA's management library. Empty: `libnvidia-ml.so.1`, wherever the system has it.");
    f.field("rocm_library", c.rocm_library,
            "AMD's management library. Empty: `librocm_smi64.so`, wherever the system or `/opt/rocm` has it.");
    f.field("dcgm_names", c.dcgm_names,
            "Whether values that DCGM has too are also written under its names (gpu.md), for dashboards made for it.");
}

void describe(config::Fields& f, LogFilesConfig& c) {
    f.field("paths", c.paths, "Files to follow, through rotation; `*`, `?` and `[...]` match names.");
    f.required("paths");
    f.check("paths", !c.paths.empty(), "must name at least one file");
    f.field("exclude", c.exclude,
            "Those of them to leave alone, as patterns of whole paths; here `*` matches `/` too.");
    f.field("service", c.service, "Who writes them. Empty: the container's or the file's name.");
    f.choice("format", c.format, {"auto", "text", "docker", "cri"},
             "text is a line each, JSON and logfmt understood; docker is its json-file; cri is what containerd and "
             "CRI-O write; auto goes by the first line.");
    f.field("multiline_start", c.multiline_start,
            "RE2 pattern of the first line of an entry; lines without it belong to the one before. Empty: indented "
            "lines and stack traces do.");
    const RE2 pattern(c.multiline_start, RE2::Quiet);
    f.check("multiline_start", pattern.ok(), "is no RE2 pattern: " + pattern.error());
    f.choice("from", c.from, {"end", "beginning"},
             "Where files that are there already are begun when they are followed for the first time.");
    f.field("attributes", c.attributes, "Put on every line that is sent.");
}

void describe(config::Fields& f, LogSendConfig& c) {
    f.field(
        "url", c.url,
        "Who takes lines by OTLP/HTTP: https://HOST:8701/v1/logs for Stoker. Empty: lines stay here, only failures in "
        "them are counted.");
    f.check("url", c.url.empty() || net::parse_url(c.url).has_value(), "must be http:// or https:// and a host");
    f.field("token_file", c.token_file, "File with the token, sent as Authorization. Read anew for each request.");
    f.secrets("headers", c.headers, "HTTP headers sent along.");
    f.object("tls", c.tls, "For https.");
    f.field("timeout", c.timeout, "Limit for one request.");
    f.check("timeout", c.timeout > Duration{0}, "must be above 0");
}

void describe(config::Fields& f, LogsConfig& c) {
    f.list("files", c.files, "Log files to follow.");
    f.field("signature_files", c.signature_files,
            "Further failure signatures, in the format of config/logs/signatures.yaml; they come before the built-in "
            "ones and replace those of the same name.");
    f.object("send", c.send, "Where the lines go. What is not taken waits in the files, which are read again.");
}

void describe(config::Fields& f, ResolutionOptions& c) {
    f.field(
        "enabled", c.enabled,
        "Whether rounds are left out when all is quiet. What led up to something that happens is sent as well, from "
        "the last round that was kept.");
    f.field("quiet_interval", c.quiet_interval, "Between two rounds of a source that are kept when all is quiet.");
    f.check("quiet_interval", c.quiet_interval > Duration{0}, "must be above 0");
    f.field("linger", c.linger, "Every round is kept for so long after something happened.");
    f.field("when", c.when,
            "PromQL, as in `rules`: something happens while one of them gives anything. Looked at every five seconds.");
    for (std::size_t i = 0; i < c.when.size(); ++i) {
        const auto good = LocalRules::check(c.when[i]);
        f.check("when[" + std::to_string(i) + "]", good.has_value(), good ? "" : good.error().message);
    }
}

void resolve_paths(LogsConfig& logs, const std::string& folder) {
    for (LogFilesConfig& one : logs.files) {
        for (std::string& path : one.paths) from_folder(folder, path);
    }
    for (std::string& path : logs.signature_files) from_folder(folder, path);
    LogSendConfig& send = logs.send;
    for (std::string* path : {&send.token_file, &send.tls.ca_file, &send.tls.certificate, &send.tls.key}) {
        from_folder(folder, *path);
    }
}

collect::FollowerOptions follower_options(const LogsConfig& config, const std::string& positions_file) {
    collect::FollowerOptions options;
    for (const LogFilesConfig& files : config.files) {
        collect::FollowSpec spec;
        spec.paths = files.paths;
        spec.exclude = files.exclude;
        spec.service = files.service;
        spec.format = format_of(files.format);
        if (!files.multiline_start.empty()) {
            spec.join.start = std::make_shared<const RE2>(files.multiline_start, RE2::Quiet);
        }
        spec.from_beginning = files.from == "beginning";
        spec.attributes.assign(files.attributes.begin(), files.attributes.end());
        options.specs.push_back(std::move(spec));
    }
    options.positions_file = positions_file;
    options.max_bytes_per_poll = kMostBytes;
    return options;
}

}  // namespace stoker::agent
