#include "agent/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace stoker::agent {
namespace {

using nlohmann::json;

constexpr Duration kStale{30'000};  // Six rounds of housekeeping missed.

std::string ago(std::int64_t millis, Timestamp now) {
    if (millis == 0) return "never";
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - from_millis(millis));
    return format_duration(std::max<Duration>(seconds, Duration{0})) + " ago";
}

std::string text_of(const json& status, Timestamp now) {
    const auto at = status.at("at_ms").get<std::int64_t>();
    const bool stale = now - from_millis(at) > kStale;
    const auto mib = [](const json& bytes) { return bytes.get<double>() / (1 << 20); };
    std::string out =
        fmt::format("agent        {}, version {}, pid {}, {}\n", status.at("instance").get<std::string>(),
                    status.at("version").get<std::string>(), status.at("pid").get<std::int64_t>(),
                    stale ? "NOT RUNNING: it last wrote this " + ago(at, now) : "written " + ago(at, now));
    out += fmt::format("itself       {:.1f} MiB, {:.1f} s of processor time since {}\n",
                       mib(status.at("resident_bytes")), status.at("cpu_seconds").get<double>(),
                       format_timestamp(from_millis(status.at("started_ms").get<std::int64_t>())));
    out += fmt::format("buffer       {:.1f} MiB on disk\n", mib(status.at("buffer_bytes")));
    if (const auto error = status.at("buffer_error").get<std::string>(); !error.empty()) {
        out += "             NOTHING IS BUFFERED: " + error + "\n";
    }
    for (const json& sender : status.at("senders")) {
        out += fmt::format(
            "destination  {}: {} batches wait, {} samples sent (last {}), {} refused\n",
            sender.at("destination").get<std::string>(), sender.at("waiting_records").get<std::int64_t>(),
            sender.at("sent_samples").get<std::int64_t>(), ago(sender.at("last_sent_ms").get<std::int64_t>(), now),
            sender.at("refused_samples").get<std::int64_t>());
        if (const auto error = sender.at("last_error").get<std::string>(); !error.empty()) {
            out += "             last request failed: " + error + "\n";
        }
    }
    return out;
}

}  // namespace

std::string status_file(const Config& config) {
    return config.data_dir + "/status.json";
}

std::string to_json(const AgentStatus& status) {
    json senders = json::array();
    for (const SenderStatus& one : status.senders) {
        senders.push_back({{"reader", one.reader},
                           {"destination", one.destination},
                           {"waiting_records", one.waiting_records},
                           {"sent_samples", one.sent_samples},
                           {"refused_samples", one.refused_samples},
                           {"last_sent_ms", to_millis(one.last_sent)},
                           {"last_error", one.last_error}});
    }
    const json all = {{"version", STOKER_VERSION},
                      {"pid", getpid()},
                      {"instance", status.instance},
                      {"started_ms", to_millis(status.started)},
                      {"at_ms", to_millis(status.at)},
                      {"resident_bytes", status.use.resident_bytes},
                      {"cpu_seconds", status.use.cpu_seconds},
                      {"buffer_bytes", status.buffer_bytes},
                      {"buffer_error", status.buffer_error},
                      {"senders", std::move(senders)}};
    return all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::string> status_text(const std::string& text, Timestamp now) {
    const json status = json::parse(text, nullptr, false);
    try {
        return text_of(status, now);
    } catch (const json::exception& wrong) {
        return Error{Errc::InvalidArgument, std::string("not an agent's status: ") + wrong.what()};
    }
}

}  // namespace stoker::agent
