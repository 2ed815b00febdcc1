// What agent.yaml may say of sources beyond the machine itself: GPUs, log files, and how finely samples are kept.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/gpus.h"
#include "agent/log_shipper.h"
#include "agent/resolution.h"
#include "base/config.h"
#include "base/time.h"
#include "collect/logs/file_follower.h"

namespace stoker::agent {

struct TlsConfig {
    std::string ca_file;
    std::string certificate;
    std::string key;
    bool verify = true;
};

struct LogFilesConfig {
    std::vector<std::string> paths;
    std::vector<std::string> exclude;
    std::string service;
    std::string format = "auto";
    std::string multiline_start;
    std::string from = "end";
    std::map<std::string, std::string> attributes;
};

struct LogSendConfig {
    std::string url;
    std::string token_file;
    std::map<std::string, std::string> headers;
    TlsConfig tls;
    Duration timeout = LogShipperOptions{}.timeout;
};

struct LogsConfig {
    std::vector<LogFilesConfig> files;
    std::vector<std::string> signature_files;
    LogSendConfig send;
};

void describe(config::Fields& f, TlsConfig& c);
void describe(config::Fields& f, GpuOptions& c);
void describe(config::Fields& f, LogFilesConfig& c);
void describe(config::Fields& f, LogSendConfig& c);
void describe(config::Fields& f, LogsConfig& c);
void describe(config::Fields& f, ResolutionOptions& c);

// Paths of the section, made to begin at `folder` where they are relative.
void resolve_paths(LogsConfig& logs, const std::string& folder);

// What follows the files, keeping its places in `positions_file`. REQUIRES: config.files is not empty.
collect::FollowerOptions follower_options(const LogsConfig& config, const std::string& positions_file);

}  // namespace stoker::agent
