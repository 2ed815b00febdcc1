#include "collect/gpu/xid_source.h"

#include <array>

namespace stoker::collect {
namespace {

constexpr std::array kFamilies = {
    GpuFamily{"gpu_xid_errors_total", "xid, severity, action, pci", "counter",
              "Errors that the driver reported, by XID, since Stoker began; `severity` and `action` are the table's."},
    GpuFamily{
        "gpu_xid_last_seen_timestamp_seconds", "xid, severity, action, pci", "gauge",
        "When that XID was last reported, also before Stoker began. Alert on this: `increase()` misses the first."},
    GpuFamily{"nvswitch_sxid_errors_total", "sxid, pci", "counter",
              "Errors of NVLink switches, from the kernel's log."},
    GpuFamily{"nvswitch_sxid_last_seen_timestamp_seconds", "sxid, pci", "gauge", "When that SXid was last reported."},
    GpuFamily{
        "stoker_gpu_kernel_log_readable", "", "gauge",
        "1 if XIDs are read from the kernel's log too; 0 where it may not be read (a container without privilege)."},
};

const GpuIdentity* find_gpu(const std::vector<GpuLook>& looks, const std::string& pci) {
    for (const auto& look : looks) {
        for (const auto& gpu : look.gpus) {
            if (gpu.id.pci == pci) return &gpu.id;
        }
    }
    return nullptr;
}

}  // namespace

std::span<const GpuFamily> xid_families() {
    return kFamilies;
}

XidSource::XidSource(std::string kernel_log, std::shared_ptr<XidBook> book, std::shared_ptr<const GpuBoard> board,
                     std::shared_ptr<const XidTable> table, GpuSourceOptions options)
    : log_(kernel_log),
      follow_(!kernel_log.empty()),
      book_(std::move(book)),
      board_(std::move(board)),
      table_(std::move(table)),
      options_(std::move(options)) {}

Result<Unit> XidSource::follow_log(Timestamp now) {
    const XidFrom from = history_ ? XidFrom::History : XidFrom::KernelLog;
    TRY_UNIT(log_.read(now, [&](Timestamp at, std::string_view message) {
        if (const auto line = parse_xid_line(message)) {
            book_->note(from, line->pci, line->code, line->nvswitch, at, line->detail);
        }
    }));
    history_ = false;
    return Unit{};
}

Result<Unit> XidSource::collect(Timestamp now, SampleSink& sink) {
    const Result<Unit> followed = follow_ ? follow_log(now) : Result<Unit>(Unit{});
    const auto looks = board_->looks();
    // The GPUs' names come from their own source, which may be a moment later, or hang.
    if (looks.empty() && rounds_ < kWaitForNames) {
        ++rounds_;
        return Unit{};
    }
    const auto counts = book_->counts();
    bool any_gpu = false;
    for (const auto& look : looks) any_gpu = any_gpu || !look.gpus.empty();
    if (!any_gpu && counts.empty()) return Unit{};
    SampleBatch out(now, {{"instance", options_.host}, {"job", "gpu"}});
    if (follow_) out.add("stoker_gpu_kernel_log_readable", followed ? 1 : 0);
    for (const XidCount& each : counts) {
        SampleBatch::Pairs labels = {{"pci", each.pci}};
        const double last = static_cast<double>(to_millis(each.last)) / 1e3;
        if (each.nvswitch) {
            labels.emplace_back("sxid", std::to_string(each.code));
            out.add("nvswitch_sxid_errors_total", labels, static_cast<double>(each.count));
            out.add("nvswitch_sxid_last_seen_timestamp_seconds", labels, last);
            continue;
        }
        const GpuIdentity* id = find_gpu(looks, each.pci);
        const XidEntry& entry = table_->find(each.code, id != nullptr ? id->generation : "");
        labels.emplace_back("xid", std::to_string(each.code));
        labels.emplace_back("severity", entry.severity);
        labels.emplace_back("action", entry.action);
        if (id != nullptr) {
            labels.emplace_back("gpu", std::to_string(id->index));
            labels.emplace_back("uuid", id->uuid);
        }
        out.add("gpu_xid_errors_total", labels, static_cast<double>(each.count));
        out.add("gpu_xid_last_seen_timestamp_seconds", labels, last);
    }
    if (!std::exchange(told_metadata_, true)) {
        std::vector<tsdb::FamilyMetadata> metadata;
        for (const GpuFamily& family : kFamilies) metadata.push_back({family.name, {family.type, family.help, ""}});
        sink.set_metadata(metadata);
    }
    sink.append(out.samples());
    return Unit{};
}

}  // namespace stoker::collect
