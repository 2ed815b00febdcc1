#include "collect/discovery/scrape_config.h"

#include <fmt/format.h>

#include <set>

#include "base/config_more.h"
#include "base/text.h"
#include "net/http.h"

namespace stoker::collect {
namespace {

constexpr std::string_view kPositive = "must be positive";

void check_static_targets(config::Fields& f, const StaticConfig& c) {
    for (std::size_t i = 0; i < c.targets.size(); ++i) {
        f.check(fmt::format("targets[{}]", i), c.targets[i].find('/') == std::string::npos,
                "must be HOST:PORT, without a scheme or a path: those are 'scheme' and 'metrics_path'");
    }
}

void check_url(config::Fields& f, std::string_view key, const std::string& url) {
    const auto parsed = net::parse_url(url);
    f.check(key, parsed.has_value(), parsed ? "" : parsed.error().message);
}

// Of Prometheus' sources those that Stoker has not.
void refuse_sources(config::Fields& f) {
    for (const char* name : {"aws",     "azure",     "digitalocean", "dockerswarm", "ec2",      "eureka",   "gce",
                             "hetzner", "ionos",     "kuma",         "lightsail",   "linode",   "marathon", "nerve",
                             "nomad",   "openstack", "outscale",     "ovhcloud",    "puppetdb", "scaleway", "serverset",
                             "stackit", "triton",    "uyuni",        "vultr"}) {
        refuse(f, {std::string(name) + "_sd_configs"},
               "let something that knows these targets write them for file_sd_configs, or serve them for "
               "http_sd_configs");
    }
}

}  // namespace

void describe(config::Fields& f, StaticConfig& c) {
    f.field("targets", c.targets, "HOST:PORT of each.");
    check_static_targets(f, c);
    f.field("labels", c.labels, "Labels that all of them get.");
}

void describe(config::Fields& f, FileSdConfig& c) {
    f.field("files", c.files,
            "JSON or YAML files with lists of `{targets: [], labels: {}}`; `*`, `?` and `[...]` match names. A change "
            "is seen within five seconds.");
    f.required("files");
    for (std::size_t i = 0; i < c.files.size(); ++i) {
        const std::string& file = c.files[i];
        f.check(fmt::format("files[{}]", i),
                file.ends_with(".json") || file.ends_with(".yml") || file.ends_with(".yaml"),
                "must end with .json, .yml or .yaml");
    }
    f.field("refresh_interval", c.refresh_interval, "How often they are read again, changed or not.");
    f.check("refresh_interval", c.refresh_interval > Duration{0}, kPositive);
}

void describe(config::Fields& f, HttpSdConfig& c) {
    f.field("url", c.url, "Answers with a JSON list of `{\"targets\": [], \"labels\": {}}`.");
    f.required("url");
    if (!c.url.empty()) check_url(f, "url", c.url);
    f.field("refresh_interval", c.refresh_interval, "How often it is asked.");
    f.check("refresh_interval", c.refresh_interval > Duration{0}, kPositive);
    describe_http(f, c.http);
}

void describe(config::Fields& f, ScrapeConfig& c) {
    f.field("job_name", c.job_name, "The label `job` of its targets, unless relabelling changes it.");
    f.required("job_name");
    f.field("honor_labels", c.honor_labels, "Labels of the page win over the target's of the same name.");
    f.field("honor_timestamps", c.honor_timestamps, "Times that the page gives are taken.");
    config::list_map(f, "params", c.params, "Parameters of the URL.");
    f.field("scrape_interval", c.scrape_interval, "Time between two scrapes of a target; 0s takes the default.");
    f.field("scrape_timeout", c.scrape_timeout, "Limit for one scrape; 0s takes the default.");
    f.check("scrape_timeout", c.scrape_interval.count() == 0 || c.scrape_timeout <= c.scrape_interval,
            "must not be longer than 'scrape_interval'");
    f.field("metrics_path", c.metrics_path, "Path of the metrics.");
    f.choice("scheme", c.scheme, {"http", "https"}, "How targets are spoken to.");
    f.field("body_size_limit", c.body_size_limit,
            "Largest page, such as 10MB, uncompressed; 0 takes the largest there may be, 64MB.");
    const auto bytes = parse_prometheus_bytes(c.body_size_limit);
    f.check("body_size_limit", bytes.has_value(), bytes ? "" : bytes.error().message);
    const auto limit = [&f](std::string_view key, std::int64_t& value, std::string_view doc) {
        f.field(key, value, doc);
        f.check(key, value >= 0, "must not be negative");
    };
    limit("sample_limit", c.sample_limit,
          "Samples of a page after `metric_relabel_configs`; a page with more is a failed scrape. 0 takes 1000000.");
    limit("target_limit", c.target_limit, "Targets after relabelling; with more, none is scraped. 0 sets no limit.");
    limit("label_limit", c.label_limit, "Labels of a sample; one with more fails the scrape. 0 takes 128.");
    limit("label_name_length_limit", c.label_name_length_limit, "Bytes of a label's name. 0 takes 1024.");
    limit("label_value_length_limit", c.label_value_length_limit, "Bytes of a label's value. 0 takes 16384.");
    limit("keep_dropped_targets", c.keep_dropped_targets,
          "Targets dropped by relabelling that are shown at most; 0 takes 1000. All are counted.");
    f.field("enable_compression", c.enable_compression, "Asks for gzip.");
    f.field("scrape_protocols", c.scrape_protocols,
            "Formats to ask for, by Prometheus' names; with `PrometheusProto` native histograms come along.");
    describe_http(f, c.http);
    f.list("static_configs", c.static_configs, "Targets that are written here.");
    f.list("file_sd_configs", c.file_sd_configs, "Targets from files.");
    f.list("http_sd_configs", c.http_sd_configs, "Targets that an endpoint names.");
    f.list("dns_sd_configs", c.dns_sd_configs, "Targets that DNS names.");
    f.list("kubernetes_sd_configs", c.kubernetes_sd_configs, "Targets in Kubernetes, followed as they change.");
    f.list("docker_sd_configs", c.docker_sd_configs, "Containers of Docker or Podman.");
    f.list("consul_sd_configs", c.consul_sd_configs, "Services that Consul knows.");
    f.list("relabel_configs", c.relabel_configs, "Rules for targets, before they are scraped; in order.");
    f.list("metric_relabel_configs", c.metric_relabel_configs, "Rules for samples, before they are stored; in order.");
    refuse_sources(f);
    refuse(f, {"convert_classic_histograms_to_nhcb"}, "classic histograms are kept as they are");
    // Settings without an effect here: formats are recognised, and both kinds of histograms are stored.
    for (const char* key :
         {"track_timestamps_staleness", "scrape_classic_histograms", "always_scrape_classic_histograms",
          "native_histogram_bucket_limit", "native_histogram_min_bucket_factor", "fallback_scrape_protocol",
          "scrape_fallback_protocol", "metric_name_validation_scheme", "metric_name_escaping_scheme",
          "scrape_native_histograms", "extra_scrape_metrics", "scrape_failure_log_file"}) {
        static_cast<void>(config::given(f, key));
    }
}

void check_job_names(config::Fields& f, std::string_view key, const std::vector<ScrapeConfig>& jobs) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        f.check(fmt::format("{}[{}].job_name", key, i),
                jobs[i].job_name.empty() || seen.insert(jobs[i].job_name).second,
                fmt::format("the job '{}' is there already", jobs[i].job_name));
    }
}

Result<Unit> complete(ScrapeConfig& job, const ScrapeDefaults& defaults) {
    if (job.scrape_interval.count() == 0) job.scrape_interval = defaults.interval;
    if (job.scrape_timeout.count() == 0) job.scrape_timeout = std::min(defaults.timeout, job.scrape_interval);
    if (job.scrape_timeout > job.scrape_interval) {
        return Error{Errc::InvalidArgument, "job '" + job.job_name + "': scrape_timeout " +
                                                format_duration(job.scrape_timeout) + " is longer than its interval, " +
                                                format_duration(job.scrape_interval)};
    }
    resolve_paths(job.http, defaults.folder);
    for (FileSdConfig& source : job.file_sd_configs) {
        for (std::string& file : source.files) file = from_folder(file, defaults.folder);
    }
    for (HttpSdConfig& source : job.http_sd_configs) resolve_paths(source.http, defaults.folder);
    for (KubernetesSdConfig& source : job.kubernetes_sd_configs) resolve_paths(source, defaults.folder);
    for (DockerSdConfig& source : job.docker_sd_configs) resolve_paths(source.http, defaults.folder);
    for (ConsulSdConfig& source : job.consul_sd_configs) resolve_paths(source.http, defaults.folder);
    for (DnsSdConfig& source : job.dns_sd_configs)
        source.resolv_conf = from_folder(source.resolv_conf, defaults.folder);
    return Unit{};
}

Result<std::uint64_t> parse_prometheus_bytes(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = parse_integer(text.substr(0, digits));
    const std::string_view unit = text.substr(digits);
    constexpr std::string_view kUnits = "KMGTPE";
    int shift = -1;
    if (unit.empty() || unit == "B") shift = 0;
    const std::size_t power = unit.empty() ? std::string_view::npos : kUnits.find(unit.front());
    if (power != std::string_view::npos && (unit.substr(1) == "B" || unit.substr(1) == "iB")) {
        shift = static_cast<int>(power + 1) * 10;
    }
    if (!count || shift < 0 || *count > (std::numeric_limits<std::int64_t>::max() >> shift)) {
        return Error{Errc::InvalidArgument, "'" + std::string(text) + "' is not a size such as 10MB or 512KiB"};
    }
    return static_cast<std::uint64_t>(*count) << shift;
}

}  // namespace stoker::collect
