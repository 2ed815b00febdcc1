// A record that parses must write and parse again to the same bytes.
#include "base/check.h"
#include "records/request_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::records;
    const auto record = request_record_from_json({reinterpret_cast<const char*>(data), size});
    if (!record) return 0;
    const std::string json = to_json(*record);
    const auto again = request_record_from_json(json);
    STOKER_CHECK(again.has_value());
    STOKER_CHECK(to_json(*again) == json);
    return 0;
}
