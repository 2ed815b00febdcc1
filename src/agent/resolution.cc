#include "agent/resolution.h"

namespace stoker::agent {

std::vector<std::string> ResolutionOptions::default_signs() {
    return {"rate(node_pressure_cpu_waiting_seconds_total[30s]) > 0.5",
            "rate(node_pressure_memory_waiting_seconds_total[30s]) > 0.02",
            "rate(node_pressure_io_stalled_seconds_total[30s]) > 0.2",
            "abs(node_load1 - node_load5) > 1 + node_load5 / 2",
            "increase(node_vmstat_oom_kill[1m]) > 0",
            "rate(node_network_receive_errs_total[1m]) > 0",
            "rate(node_network_transmit_errs_total[1m]) > 0",
            "abs(delta(gpu_utilization_ratio[30s])) > 0.3",
            "gpu_up == 0",
            "time() - gpu_xid_last_seen_timestamp_seconds < 60",
            "time() - stoker_log_signature_last_seen_timestamp_seconds < 60"};
}

void Thinning::hold(Round round, Kept& out) {
    held_bytes_ += round.bytes.size();
    held_.push_back(std::move(round));
    while (held_bytes_ > kMostHeld && !held_.empty()) {
        held_bytes_ -= held_.front().bytes.size();
        out.left_out += held_.front().samples;
        held_.erase(held_.begin());
    }
}

}  // namespace stoker::agent
