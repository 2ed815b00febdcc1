// tracing and access_log: what is told to others about each request.
#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {

void describe(config::Fields& f, TracingConfig& c) {
    f.field("endpoint", c.endpoint,
            "Receiver of traces by OTLP/HTTP: http://HOST:4318/v1/traces. Empty: nothing is sent. While it is away "
            "traces wait, at most for `storage.journal.retention`.");
    check_url(f, "endpoint", c.endpoint);
    f.secrets("headers", c.headers, "HTTP headers sent along.");
    f.secret("bearer_token", c.bearer_token, "Token sent as Authorization.");
    f.field("sample", c.sample,
            "Share of the requests that went well whose traces are sent, 0 to 1, by trace id; those of others always "
            "are.");
    f.check("sample", c.sample >= 0 && c.sample <= 1, "must be from 0 to 1");
    f.field("resource", c.resource, "Attributes of the resource beside service.name.");
    positive(f, "timeout", c.timeout, "Limit for one request.");
}

void describe(config::Fields& f, AccessLogConfig& c) {
    f.field("path", c.path,
            "File that gets one line of JSON for each request (docs/format/records.md), relative to the configuration "
            "file; `-` is standard output. Empty: none. A file that was moved away is made anew.");
}

TraceExportOptions trace_options(const Config& config) {
    const TracingConfig& c = config.tracing;
    TraceExportOptions options;
    options.endpoint = c.endpoint;
    options.headers = c.headers;
    if (!c.bearer_token.empty()) options.headers["Authorization"] = "Bearer " + c.bearer_token;
    options.sample = c.sample;
    options.timeout = c.timeout;
    options.resource = c.resource;
    return options;
}

}  // namespace stoker::app
