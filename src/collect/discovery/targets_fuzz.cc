// What sources answer: lists of targets, Kubernetes' lists and events, kubeconfigs, containers, services.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "collect/discovery/catalog_objects.h"
#include "collect/discovery/kubeconfig.h"
#include "collect/discovery/kubernetes_watch.h"
#include "collect/discovery/oauth2_token.h"
#include "collect/discovery/target_list.h"
#include "collect/discovery/unix_http.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 7) {
        case 0:
            static_cast<void>(parse_target_list_json(text, "f"));
            break;
        case 1:
            static_cast<void>(parse_target_list_yaml(text, "f"));
            break;
        case 2: {
            KubernetesWatch watch({});
            static_cast<void>(watch.listed(text));
            static_cast<void>(watch.event(text));
            for (const char* role : {"pod", "service", "node", "endpoints", "endpointslice", "ingress"}) {
                KubernetesWorld world;
                for (const auto& resource : kubernetes_resources(role)) world[resource] = watch.objects();
                static_cast<void>(kubernetes_groups(role, world));
            }
            break;
        }
        case 3:
            static_cast<void>(parse_kubeconfig(text, "/x"));
            break;
        case 4:
            static_cast<void>(oauth2_token(data[0] % 2 == 0 ? 200 : 401, text));
            break;
        case 5: {
            static_cast<void>(docker_group(text, "[]", {}));
            static_cast<void>(docker_group("[]", text, {}));
            static_cast<void>(unix_answer(text));
            break;
        }
        default:
            static_cast<void>(consul_group(text, "s", {}));
            static_cast<void>(consul_services(text, {}));
    }
    return 0;
}
