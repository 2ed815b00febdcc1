#include "collect/discovery/catalog_objects.h"

#include <gmock/gmock.h>

#include "collect/discovery/unix_http.h"

namespace stoker::collect {
namespace {

// One line a target; __meta_ is written as '~'.
std::string shown(const Result<TargetGroup>& group) {
    if (!group) return group.error().message;
    std::string out;
    for (const LabelMap& target : group->targets) {
        std::string line;
        for (const auto& [name, value] : target) {
            line +=
                (line.empty() ? "" : " ") + (name.starts_with("__meta_") ? "~" + name.substr(7) : name) + "=" + value;
        }
        out += line + "\n";
    }
    return out;
}

constexpr const char* kContainers = R"([
 {"Id":"c1","Names":["/web"],"Labels":{"com.x/y":"z"},"HostConfig":{"NetworkMode":"front"},
  "Ports":[{"PrivatePort":8000,"PublicPort":80,"IP":"0.0.0.0","Type":"tcp"},{"PrivatePort":53,"Type":"udp"}],
  "NetworkSettings":{"Networks":{"back":{"NetworkID":"n2","IPAddress":"10.0.2.2"},"front":{"NetworkID":"n1","IPAddress":"10.0.1.2"}}}},
 {"Id":"c2","Names":["/host"],"HostConfig":{"NetworkMode":"host"},"NetworkSettings":{"Networks":{"host":{"NetworkID":"n3"}}}},
 {"Id":"c3","Names":["/bare"],"HostConfig":{"NetworkMode":"front"},"NetworkSettings":{"Networks":{"front":{"NetworkID":"n1","IPAddress":"10.0.1.9"}}}}])";
constexpr const char* kNetworks =
    R"([{"Id":"n1","Name":"front","Scope":"local","Internal":false,"Ingress":false,"Labels":{"l":"v"}}])";

TEST(Catalog, Docker) {
    DockerSdConfig config;
    config.match_first_network = false;
    const std::string all = shown(docker_group(kContainers, kNetworks, config));
    EXPECT_THAT(all, testing::HasSubstr(
                         "__address__=10.0.1.2:8000 ~docker_container_id=c1 ~docker_container_label_com_x_y=z"
                         " ~docker_container_name=/web ~docker_container_network_mode=front ~docker_network_id=n1"
                         " ~docker_network_ingress=false ~docker_network_internal=false ~docker_network_ip=10.0.1.2"
                         " ~docker_network_label_l=v ~docker_network_name=front ~docker_network_scope=local"
                         " ~docker_port_private=8000 ~docker_port_public=80 ~docker_port_public_ip=0.0.0.0\n"));
    EXPECT_THAT(all, testing::HasSubstr("__address__=10.0.2.2:8000"));
    EXPECT_THAT(all, testing::HasSubstr("__address__=localhost ~docker_container_id=c2"));
    EXPECT_THAT(all, testing::HasSubstr("__address__=10.0.1.9:80 ~docker_container_id=c3"));
    config.match_first_network = true;
    EXPECT_THAT(shown(docker_group(kContainers, kNetworks, config)), testing::Not(testing::HasSubstr("10.0.1.2:8000")));
    EXPECT_THAT(shown(docker_group("{}", "[]", config)), testing::HasSubstr("not a list of containers"));
    EXPECT_EQ(shown(docker_group(R"([1,{},{"NetworkSettings":{"Networks":{"x":1}},"Ports":[1]}])", "[2]", config)),
              "__address__=:80\n");
}

TEST(Catalog, Consul) {
    ConsulSdConfig config;
    config.tags = {"prod"};
    const auto services = consul_services(R"({"web":["prod","a"],"db":["a"],"x":null})", config);
    ASSERT_TRUE(services);
    EXPECT_THAT(*services, testing::ElementsAre("web"));
    EXPECT_EQ(shown(consul_group(R"([{"Node":{"Node":"n1","Address":"10.0.0.1","Datacenter":"dc1","Meta":{"rack":"r1"},
        "TaggedAddresses":{"lan":"10.0.0.1"}},"Service":{"ID":"web-1","Address":"","Port":8080,"Tags":["prod","a"],
        "Meta":{"v-x":"1"}},"Checks":[{"Status":"passing"},{"Status":"warning"}]}])",
                                 "web", config)),
              "__address__=10.0.0.1:8080 ~consul_address=10.0.0.1 ~consul_dc=dc1 ~consul_health=warning"
              " ~consul_metadata_rack=r1 ~consul_node=n1 ~consul_service=web ~consul_service_id=web-1"
              " ~consul_service_metadata_v_x=1 ~consul_service_port=8080 ~consul_tagged_address_lan=10.0.0.1"
              " ~consul_tags=,prod,a,\n");
    EXPECT_THAT(shown(consul_group("{", "web", config)), testing::HasSubstr("not a list of instances"));
    EXPECT_FALSE(consul_services("[]", config));
}

TEST(Catalog, AnswersOverAUnixSocket) {
    EXPECT_EQ(unix_answer("HTTP/1.0 200 OK\r\nA: b\r\n\r\n[1]").value_or(""), "[1]");
    EXPECT_THAT(unix_answer("HTTP/1.0 500 Oh\r\n\r\nbad\n").error().message, testing::HasSubstr("500: bad"));
    for (const char* text : {"", "HTTP/1.0 200", "nonsense\r\n\r\n", "HTTP/1.\r\n\r\n"}) {
        EXPECT_FALSE(unix_answer(text)) << text;
    }
}

}  // namespace
}  // namespace stoker::collect
