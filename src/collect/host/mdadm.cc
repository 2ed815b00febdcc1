// node_exporter's collector "mdadm": software RAID.
#include <array>
#include <charconv>

#include "collect/host/collectors.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr MetricFamily kState{"node_md_state", Gauge, "1 for the state that the array is in."};
constexpr MetricFamily kDisks{"node_md_disks", Gauge, "Disks of the array by state."};
constexpr MetricFamily kRequired{"node_md_disks_required", Gauge, "Disks that the array needs to be whole."};
constexpr MetricFamily kBlocks{"node_md_blocks", Gauge, "Blocks of the array."};
constexpr MetricFamily kSynced{"node_md_blocks_synced", Gauge, "Blocks of the array that are in sync."};

struct Array {
    std::string_view device;
    std::string_view state;
    double active = 0;
    double failed = 0;
    double spare = 0;
    double required = 0;
    double blocks = 0;
    double synced = 0;
    bool has_progress = false;
};

// The number at the beginning of `text`.
double leading_number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return static_cast<double>(value);
}

// "md0 : active raid1 sdb1[1] sda1[0](F) sdc1[2](S)"
Array parse_head(const std::vector<std::string_view>& fields) {
    Array array{.device = fields[0], .state = fields[2]};
    for (std::size_t i = 3; i < fields.size(); ++i) {
        if (fields[i].find('[') == std::string_view::npos) continue;
        if (fields[i].find("(F)") != std::string_view::npos) {
            ++array.failed;
        } else if (fields[i].find("(S)") != std::string_view::npos) {
            ++array.spare;
        } else {
            ++array.active;
        }
    }
    array.required = array.active;  // Without redundancy all disks are needed; others say so on the next line.
    return array;
}

// "  5855 blocks super 1.2 [4/3] [UUU_]", or "  [=>...]  recovery =  8.5% (16775552/195310144) finish=17.0min ..."
void parse_detail(std::string_view line, Array& array) {
    const std::size_t blocks = line.find(" blocks");
    if (blocks != std::string_view::npos && array.blocks == 0) {
        const auto fields = words(line);
        array.blocks = array.synced = leading_number(fields[0]);
        for (const std::string_view field : fields) {
            const std::size_t slash = field.find('/');
            if (!field.starts_with('[') || !field.ends_with(']') || slash == std::string_view::npos) continue;
            array.required = leading_number(field.substr(1));
            array.active = leading_number(field.substr(slash + 1));
        }
        return;
    }
    for (const std::string_view state : {"recovery", "resync", "reshape", "check"}) {
        const std::size_t at = line.find(state);
        if (at == std::string_view::npos || array.has_progress) continue;
        array.has_progress = true;
        array.state = state == "recovery" ? "recovering" : state;
        array.synced = leading_number(between(line.substr(at), "(", "/"));  // 0 while it waits (resync=DELAYED).
    }
}

void add(const Array& array, SamplePage& out) {
    for (const std::string_view state : {"active", "inactive", "recovering", "resync", "check"}) {
        out.add(kState, {{"device", array.device}, {"state", state}}, array.state == state ? 1 : 0);
    }
    out.add(kDisks, {{"device", array.device}, {"state", "active"}}, array.active);
    out.add(kDisks, {{"device", array.device}, {"state", "failed"}}, array.failed);
    out.add(kDisks, {{"device", array.device}, {"state", "spare"}}, array.spare);
    out.add(kRequired, {{"device", array.device}}, array.required);
    out.add(kBlocks, {{"device", array.device}}, array.blocks);
    out.add(kSynced, {{"device", array.device}}, array.synced);
}

}  // namespace

void parse_mdstat(std::string_view text, SamplePage& out) {
    std::optional<Array> array;
    each_line(text, [&](std::string_view line) {
        if (line[0] == ' ' || line[0] == '\t') {
            if (array) parse_detail(line, *array);
            return;
        }
        if (array) add(*array, out);
        array.reset();
        const auto fields = words(line);
        if (fields.size() >= 3 && fields[0].starts_with("md") && fields[1] == ":") array = parse_head(fields);
    });
    if (array) add(*array, out);
}

Result<Unit> collect_mdadm(HostContext& host) {
    TRY(const auto text, host.files.read(host.proc("mdstat")));
    parse_mdstat(text, host.page);
    return Unit{};
}

}  // namespace stoker::collect
