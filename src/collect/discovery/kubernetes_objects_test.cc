// Objects as targets, with the labels that Prometheus documents; and kubeconfigs.
#include "collect/discovery/kubernetes_objects.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "collect/discovery/kubeconfig.h"

namespace stoker::collect {
namespace {

using nlohmann::json;

// One line a target; __meta_kubernetes_ is written as '~'.
std::string shown(std::string_view role, const std::map<std::string, std::vector<std::string>>& objects) {
    KubernetesWorld world;
    for (const auto& [resource, texts] : objects) {
        for (const auto& text : texts) {
            json object = json::parse(text);
            world[resource].emplace(kubernetes_key(object), object);
        }
    }
    const auto line = [](const LabelMap& labels) {
        std::string out;
        for (const auto& [name, value] : labels) {
            std::string shorter = name;
            if (shorter.starts_with("__meta_kubernetes_")) shorter = "~" + shorter.substr(18);
            out += " " + shorter + "=" + value;
        }
        return out;
    };
    std::string out;
    for (const TargetGroup& group : kubernetes_groups(role, world)) {
        out += group.source + line(group.labels) + "\n";
        for (const LabelMap& target : group.targets) out += " " + line(target) + "\n";
    }
    return out;
}

constexpr const char* kPod = R"({"metadata":{"namespace":"d","name":"p","uid":"u1","labels":{"app.k8s/name":"x"},
  "annotations":{"prometheus.io/scrape":"true"},"ownerReferences":[{"controller":true,"kind":"ReplicaSet","name":"rs"}]},
 "spec":{"nodeName":"n","containers":[{"name":"c","image":"i:1","ports":[{"name":"http","containerPort":8000,"protocol":"TCP"},
  {"name":"other","containerPort":9000,"protocol":"TCP"}]}],"initContainers":[{"name":"init","image":"i:2"}]},
 "status":{"podIP":"10.0.0.5","hostIP":"10.0.0.1","phase":"Running","conditions":[{"type":"Ready","status":"True"}],
  "containerStatuses":[{"name":"c","containerID":"docker://abc"}]}})";

TEST(KubernetesObjects, Pods) {
    EXPECT_EQ(shown("pod", {{"pods", {kPod}}}),
              "pod/d/p ~namespace=d ~pod_annotation_prometheus_io_scrape=true"
              " ~pod_annotationpresent_prometheus_io_scrape=true ~pod_controller_kind=ReplicaSet"
              " ~pod_controller_name=rs ~pod_host_ip=10.0.0.1 ~pod_ip=10.0.0.5 ~pod_label_app_k8s_name=x"
              " ~pod_labelpresent_app_k8s_name=true ~pod_name=p ~pod_node_name=n ~pod_phase=Running ~pod_ready=true"
              " ~pod_uid=u1\n"
              "  __address__=10.0.0.5:8000 ~pod_container_id=docker://abc ~pod_container_image=i:1"
              " ~pod_container_init=false ~pod_container_name=c ~pod_container_port_name=http"
              " ~pod_container_port_number=8000 ~pod_container_port_protocol=TCP\n"
              "  __address__=10.0.0.5:9000 ~pod_container_id=docker://abc ~pod_container_image=i:1"
              " ~pod_container_init=false ~pod_container_name=c ~pod_container_port_name=other"
              " ~pod_container_port_number=9000 ~pod_container_port_protocol=TCP\n"
              "  __address__=10.0.0.5 ~pod_container_image=i:2 ~pod_container_init=true ~pod_container_name=init\n");
    // Not started yet: known, without a target.
    EXPECT_EQ(shown("pod", {{"pods", {R"({"metadata":{"namespace":"d","name":"p"},"spec":{"containers":[{}]}})"}}}),
              "pod/d/p ~namespace=d ~pod_name=p ~pod_ready=unknown\n");
}

TEST(KubernetesObjects, Services) {
    EXPECT_EQ(
        shown("service", {{"services",
                           {R"({"metadata":{"namespace":"d","name":"s","labels":{"a":"b"}},"spec":{"type":"ClusterIP",
        "clusterIP":"10.1.1.1","ports":[{"name":"http","port":80,"protocol":"TCP"}]}})",
                            R"({"metadata":{"namespace":"e","name":"x"},"spec":{"type":"ExternalName",
        "externalName":"h.example","ports":[{"port":443,"protocol":"TCP"}]}})"}}}),
        "service/d/s ~namespace=d ~service_label_a=b ~service_labelpresent_a=true ~service_name=s\n"
        "  __address__=s.d.svc:80 ~service_cluster_ip=10.1.1.1 ~service_port_name=http ~service_port_number=80"
        " ~service_port_protocol=TCP ~service_type=ClusterIP\n"
        "service/e/x ~namespace=e ~service_name=x\n"
        "  __address__=x.e.svc:443 ~service_external_name=h.example ~service_port_number=443"
        " ~service_port_protocol=TCP ~service_type=ExternalName\n");
}

TEST(KubernetesObjects, Nodes) {
    EXPECT_EQ(
        shown("node", {{"nodes", {R"({"metadata":{"name":"n"},"spec":{"providerID":"aws:///i-1"},"status":{"addresses":[
        {"type":"Hostname","address":"n.local"},{"type":"InternalIP","address":"fd00::1"},
        {"type":"InternalIP","address":"10.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}})"}}}),
        "node//n ~node_name=n ~node_provider_id=aws:///i-1\n"
        "  __address__=[fd00::1]:10250 ~node_address_Hostname=n.local ~node_address_InternalIP=fd00::1"
        " instance=n\n");
}

TEST(KubernetesObjects, IngressesHaveATargetForEachRuleAndPath) {
    const auto ingress = [](const std::string& spec) {
        return shown(
            "ingress",
            {{"ingresses", {R"({"metadata":{"namespace":"d","name":"i","labels":{"a":"b"}},"spec":)" + spec + "}"}}});
    };
    const std::string head =
        "ingress/d/i ~ingress_label_a=b ~ingress_labelpresent_a=true ~ingress_name=i ~namespace=d\n";
    EXPECT_EQ(ingress(R"({"ingressClassName":"nginx","tls":[{"hosts":["x.example","*.wild.example"]}],"rules":[
        {"host":"x.example","http":{"paths":[{"path":"/a"},{}]}},
        {"host":"one.wild.example"},{"host":"wild.example"},{"host":"one.two.wild.example"},
        {"host":"plain.example","http":{"paths":[]}}]})"),
              "ingress/d/i ~ingress_class_name=nginx ~ingress_label_a=b ~ingress_labelpresent_a=true ~ingress_name=i"
              " ~namespace=d\n"
              "  __address__=x.example ~ingress_host=x.example ~ingress_path=/a ~ingress_scheme=https\n"
              "  __address__=x.example ~ingress_host=x.example ~ingress_path=/ ~ingress_scheme=https\n"
              "  __address__=one.wild.example ~ingress_host=one.wild.example ~ingress_path=/ ~ingress_scheme=https\n"
              "  __address__=wild.example ~ingress_host=wild.example ~ingress_path=/ ~ingress_scheme=http\n"
              "  __address__=one.two.wild.example ~ingress_host=one.two.wild.example ~ingress_path=/"
              " ~ingress_scheme=http\n"
              "  __address__=plain.example ~ingress_host=plain.example ~ingress_path=/ ~ingress_scheme=http\n");
    EXPECT_EQ(ingress("{}"), head);
}

TEST(KubernetesObjects, EndpointsJoinTheirServiceAndPodAndTheirOtherPorts) {
    const std::string text = shown(
        "endpoints",
        {{"endpoints",
          {R"({"metadata":{"namespace":"d","name":"s"},"subsets":[{"ports":[{"name":"http","port":8000,"protocol":"TCP"}],
        "addresses":[{"ip":"10.0.0.5","nodeName":"n","targetRef":{"kind":"Pod","name":"p","namespace":"d"}}],
        "notReadyAddresses":[{"ip":"10.0.0.6"}]}]})"}},
         {"services", {R"({"metadata":{"namespace":"d","name":"s","labels":{"a":"b"}}})"}},
         {"pods", {kPod}}});
    EXPECT_THAT(text, testing::StartsWith("endpoints/d/s ~endpoints_name=s ~namespace=d ~service_label_a=b"
                                          " ~service_labelpresent_a=true ~service_name=s\n"));
    EXPECT_THAT(text, testing::HasSubstr("  __address__=10.0.0.5:8000 ~endpoint_address_target_kind=Pod"
                                         " ~endpoint_address_target_name=p ~endpoint_node_name=n"
                                         " ~endpoint_port_name=http ~endpoint_port_protocol=TCP ~endpoint_ready=true"
                                         " ~namespace=d"));
    EXPECT_THAT(text, testing::HasSubstr("  __address__=10.0.0.6:8000 ~endpoint_port_name=http"
                                         " ~endpoint_port_protocol=TCP ~endpoint_ready=false\n"));
    EXPECT_THAT(text, testing::HasSubstr("  __address__=10.0.0.5:9000 ~namespace=d"));
    EXPECT_THAT(text, testing::HasSubstr("~pod_container_port_name=other"));
}

TEST(KubernetesObjects, EndpointSlices) {
    EXPECT_EQ(shown("endpointslice",
                    {{"endpointslices",
                      {R"({"metadata":{"namespace":"d","name":"s-1","labels":{"kubernetes.io/service-name":"s"}},
        "addressType":"IPv4","ports":[{"name":"http","port":80,"protocol":"TCP"}],
        "endpoints":[{"addresses":["10.0.0.9"],"conditions":{"ready":true,"serving":false}}]})"}},
                     {"services", {R"({"metadata":{"namespace":"d","name":"s"}})"}}}),
              "endpointslice/d/s-1 ~endpointslice_address_type=IPv4"
              " ~endpointslice_label_kubernetes_io_service_name=s"
              " ~endpointslice_labelpresent_kubernetes_io_service_name=true ~endpointslice_name=s-1 ~namespace=d"
              " ~service_name=s\n"
              "  __address__=10.0.0.9:80 ~endpointslice_endpoint_conditions_ready=true"
              " ~endpointslice_endpoint_conditions_serving=false ~endpointslice_port=80"
              " ~endpointslice_port_name=http ~endpointslice_port_protocol=TCP\n");
}

TEST(KubernetesObjects, StrangeOnesAreHarmless) {
    for (const char* role : {"pod", "service", "node", "endpoints", "endpointslice"}) {
        const std::string resource = kubernetes_resources(role).front();
        for (const char* text :
             {"{}", "[]", "1", R"({"metadata":1,"spec":[],"status":"x"})",
              R"({"spec":{"ports":[1,"x",{}],"containers":[[],{"ports":{}}]},"subsets":[[]]})",
              R"({"status":{"podIP":5,"addresses":[{}]},"ports":[{}],"endpoints":[{"addresses":[1]}]})"}) {
            shown(role, {{resource, {text}}});
        }
    }
}

constexpr const char* kConfig = R"(
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u, namespace: mine}}
- {name: two, context: {cluster: c, user: e}}
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: SGVsbG8=}
users:
- {name: u, user: {client-certificate: u.pem, client-key-data: S2V5, tokenFile: /run/token}}
- {name: e, user: {exec: {command: aws}}}
)";

TEST(Kubeconfig, CurrentContext) {
    const auto access = parse_kubeconfig(kConfig, "/home/me/.kube");
    ASSERT_TRUE(access) << access.error().message;
    EXPECT_EQ(access->server, "https://10.0.0.1:6443");
    EXPECT_EQ(access->own_namespace, "mine");
    EXPECT_EQ(read_file(access->http.tls_config->ca_file).value_or(""), "Hello");
    EXPECT_EQ(read_file(access->http.tls_config->key_file).value_or(""), "Key");
    EXPECT_EQ(access->http.tls_config->cert_file, "/home/me/.kube/u.pem");
    EXPECT_EQ(access->http.authorization->credentials_file, "/run/token");
}

TEST(Kubeconfig, SaysWhatIsWrong) {
    const auto problem = [](std::string text) { return parse_kubeconfig(text, "").error().message; };
    std::string exec = kConfig;
    exec.replace(exec.find("current-context: one"), 20, "current-context: two");
    EXPECT_THAT(problem(exec), testing::HasSubstr("'exec'"));
    EXPECT_THAT(problem(""), testing::HasSubstr("expected keys"));
    EXPECT_THAT(problem("a: b"), testing::HasSubstr("current-context"));
    EXPECT_THAT(problem("current-context: x\ncontexts: []"), testing::HasSubstr("'x' in 'contexts'"));
    EXPECT_THAT(problem("a: ["), testing::HasSubstr("line"));
}

TEST(Kubeconfig, InACluster) {
    const auto folder = std::filesystem::path(testing::TempDir()) / "serviceaccount";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "namespace") << "prod\n";
    const auto environment = [](const std::string& name) -> std::optional<std::string> {
        return name == "KUBERNETES_SERVICE_HOST" ? "fd00::1" : "443";
    };
    const auto access = in_cluster(environment, folder.string());
    ASSERT_TRUE(access);
    EXPECT_EQ(access->server, "https://[fd00::1]:443");
    EXPECT_EQ(access->own_namespace, "prod");
    EXPECT_EQ(access->http.authorization->credentials_file, (folder / "token").string());
    const auto outside = in_cluster([](const std::string&) { return std::nullopt; });
    ASSERT_FALSE(outside);
    EXPECT_THAT(outside.error().message, testing::HasSubstr("KUBERNETES_SERVICE_HOST"));
}

}  // namespace
}  // namespace stoker::collect
