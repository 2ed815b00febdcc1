#include "collect/logs/positions.h"

#include <nlohmann/json.hpp>

namespace stoker::collect {
namespace {

constexpr std::int64_t kVersion = 1;

}  // namespace

Result<std::vector<FilePosition>> positions_from_json(const std::string& json) {
    const auto damaged = [](const std::string& what) { return Error{Errc::Corruption, "positions of logs: " + what}; };
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (!document.is_object()) return damaged("not a JSON object");
    try {
        if (document.at("version").get<std::int64_t>() > kVersion) return damaged("written by a newer version");
        std::vector<FilePosition> out;
        for (const auto& file : document.at("files")) {
            FilePosition& position = out.emplace_back();
            position.path = file.at("path").get<std::string>();
            position.id = {file.at("device").get<std::uint64_t>(), file.at("inode").get<std::uint64_t>()};
            position.offset = file.at("offset").get<std::uint64_t>();
            position.fingerprint = {file.at("print_bytes").get<std::uint32_t>(), file.at("print").get<std::uint64_t>()};
        }
        return out;
    } catch (const nlohmann::json::exception& broken) {
        return damaged(broken.what());
    }
}

std::string to_json(const std::vector<FilePosition>& positions) {
    auto files = nlohmann::json::array();
    for (const FilePosition& position : positions) {
        files.push_back({{"path", position.path},
                         {"device", position.id.device},
                         {"inode", position.id.inode},
                         {"offset", position.offset},
                         {"print_bytes", position.fingerprint.bytes},
                         {"print", position.fingerprint.hash}});
    }
    const nlohmann::json document = {{"version", kVersion}, {"files", std::move(files)}};
    return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace stoker::collect
