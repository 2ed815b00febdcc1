#include "collect/discovery/dns_sd.h"

#include <boost/asio/use_awaitable.hpp>

#include "base/file.h"
#include "collect/discovery/dns_lookup.h"
#include "collect/discovery/polled.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

DnsType type_of(const std::string& name) {
    if (name == "A") return DnsType::A;
    if (name == "AAAA") return DnsType::Aaaa;
    if (name == "MX") return DnsType::Mx;
    return name == "NS" ? DnsType::Ns : DnsType::Srv;
}

std::string host_and_port(const std::string& host, std::int64_t port) {
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

class DnsDiscoverer : public PolledDiscoverer {
public:
    DnsDiscoverer(DnsSdConfig config, DiscoveryContext context)
        : PolledDiscoverer(context, "dns", config.refresh_interval), config_(std::move(config)) {}

protected:
    asio::awaitable<Result<std::vector<TargetGroup>>> ask() override {
        // Read each time: it changes with the network.
        const auto conf = read_file(config_.resolv_conf);
        DnsServers servers;
        servers.conf = parse_resolv_conf(conf ? *conf : std::string{});
        for (const std::string& name : config_.names) {
            auto answer = co_await dns_lookup(context_.loop, servers, name, type_of(config_.type));
            if (stopper_.stopped()) break;
            if (answer) {
                known_.insert_or_assign(name, group_of(name, *answer));
            } else if (partial_.empty()) {
                // Names that were answered count, even if others were not: those keep what they had.
                partial_ = name + ": " + answer.error().message;
            }
        }
        std::vector<TargetGroup> groups;
        for (const auto& [name, group] : known_) groups.push_back(group);
        co_return groups;
    }

private:
    TargetGroup group_of(const std::string& name, const DnsAnswer& answer) const {
        TargetGroup group;
        group.source = name;
        for (const DnsRecord& record : answer.records) {
            LabelMap target;
            target.emplace("__meta_dns_name", name);
            std::int64_t port = config_.port;
            std::string host = record.address.empty() ? record.target : record.address;
            if (record.type == DnsType::Srv) {
                target.emplace("__meta_dns_srv_record_target", record.target + ".");
                target.emplace("__meta_dns_srv_record_port", std::to_string(record.port));
                port = record.port;
            } else if (record.type == DnsType::Mx) {
                target.emplace("__meta_dns_mx_record_target", record.target + ".");
            } else if (record.type == DnsType::Ns) {
                target.emplace("__meta_dns_ns_record_target", record.target + ".");
            }
            target.emplace("__address__", host_and_port(host, port));
            group.targets.push_back(std::move(target));
        }
        return group;
    }

    const DnsSdConfig config_;
    std::map<std::string, TargetGroup> known_;
};

}  // namespace

std::shared_ptr<Discoverer> dns_discoverer(DnsSdConfig config, DiscoveryContext context) {
    return std::make_shared<DnsDiscoverer>(std::move(config), context);
}

}  // namespace stoker::collect
