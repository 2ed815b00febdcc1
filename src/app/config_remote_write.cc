// remote_write: receivers that everything ingested is sent on to.
#include <set>
#include <string>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {

void describe(config::Fields& f, RemoteWriteConfig& c) {
    f.field("name", c.name, "What its metrics and its queue's folder are called: letters, digits, \"_.-\".");
    f.required("name");
    f.check("name", is_plain_name(c.name), "must be 1 to 64 letters, digits or \"_.-\"");
    f.field("url", c.url, "Where it takes samples: https://HOST/api/v1/write.");
    f.required("url");
    check_url(f, "url", c.url);
    f.choice("protocol", c.protocol, {"1.0", "2.0"},
             "Version of remote write. 2.0 falls back to 1.0 where the receiver doesn't know it.");
    f.field("labels", c.labels,
            "Labels added to series that have none of that name; they go before `external_labels`.");
    f.secrets("headers", c.headers, "HTTP headers sent along.");
    f.secret("bearer_token", c.bearer_token, "Token sent as Authorization.");
    f.field("user", c.user, "User for basic authentication.");
    f.secret("password", c.password, "Its password.");
    f.check("user", c.user.empty() || c.bearer_token.empty(), "can't be given together with bearer_token");
    positive(f, "timeout", c.timeout, "Limit for one request.");
    f.field("shards", c.shards, "Requests out at a time, 1 to 64. Series stay in order whatever the number.");
    f.check("shards", c.shards >= 1 && c.shards <= 64, "must be from 1 to 64");
    f.field("queue_size", c.queue_size,
            "Bytes on disk for what the receiver has not taken yet; past it the oldest is dropped and counted.");
    f.check("queue_size", c.queue_size.count > 0, kMustBePositive);
}

void check_remote_write(config::Fields& f, const std::vector<RemoteWriteConfig>& receivers) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < receivers.size(); ++i) {
        f.check("remote_write[" + std::to_string(i) + "].name", names.insert(receivers[i].name).second,
                "is the name of another entry already");
    }
}

Result<collect::RemoteWriteOptions> sender_options(const RemoteWriteConfig& config,
                                                   const std::map<std::string, std::string>& external_labels) {
    TRY_UNIT(net::parse_url(config.url));
    collect::RemoteWriteOptions options;
    options.url = config.url;
    options.name = config.name;
    options.protocol = config.protocol == "2.0" ? wire::RemoteWriteVersion::V2 : wire::RemoteWriteVersion::V1;
    std::map<std::string, std::string> labels = config.labels;
    labels.insert(external_labels.begin(), external_labels.end());
    options.external_labels = tsdb::Labels({labels.begin(), labels.end()});
    for (const auto& [name, value] : config.headers) options.headers.add(name, value);
    options.bearer_token = config.bearer_token;
    options.basic_user = config.user;
    options.basic_password = config.password;
    options.timeout = config.timeout;
    options.shards = static_cast<std::size_t>(config.shards);
    options.max_queue_bytes = config.queue_size.count;
    return options;
}

}  // namespace stoker::app
