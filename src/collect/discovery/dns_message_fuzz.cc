#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collect/discovery/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    using stoker::collect::DnsType;
    const auto id = size < 2 ? std::uint16_t{0} : static_cast<std::uint16_t>(data[0] << 8 | data[1]);
    for (const DnsType type : {DnsType::A, DnsType::Ns, DnsType::Mx, DnsType::Aaaa, DnsType::Srv}) {
        static_cast<void>(stoker::collect::parse_dns_answer(text, id, type));
    }
    static_cast<void>(stoker::collect::parse_resolv_conf(text));
    return 0;
}
