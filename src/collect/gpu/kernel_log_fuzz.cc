// The kernel's log carries texts of devices and programs, its tables names of processes.
#include <cstddef>
#include <cstdint>

#include "collect/gpu/engine_join.h"
#include "collect/gpu/kernel_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto record = stoker::collect::parse_kernel_record(text);
    if (record) (void)stoker::collect::parse_xid_line(record->message);
    (void)stoker::collect::parse_xid_line(text);
    (void)stoker::collect::parse_listening(text);
    (void)stoker::collect::parse_parent(text);
    return 0;
}
