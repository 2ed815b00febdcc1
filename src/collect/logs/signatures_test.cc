#include "collect/logs/signatures.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "collect/logs/signature_counter.h"

namespace stoker::collect {
namespace {

using namespace std::chrono_literals;

std::string shipped() {
    const std::string here = __FILE__;
    auto text = read_file(here.substr(0, here.rfind("/src/")) + "/config/logs/signatures.yaml");
    return text ? *text : "";
}

std::string name_of(const Signatures& signatures, std::string_view line) {
    Signatures::Found found;
    if (!signatures.find(line, found)) return "none";
    std::string out = signatures.specs()[found.index].name;
    for (const auto& [name, value] : found.groups) out += " " + name + "=" + value;
    return out;
}

TEST(Signatures, ShippedOnesKnowRealLines) {
    const auto file = parse_signatures(shipped(), "signatures.yaml");
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.text();
    const auto compiled = Signatures::compile(file.signatures);
    ASSERT_TRUE(compiled) << compiled.error().message;
    const std::pair<const char*, const char*> rows[] = {
        {"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total",
         "cuda_out_of_memory"},
        {"ggml_backend_cuda_buffer_type_alloc_buffer: allocating 5120.00 MiB on device 0: cudaMalloc failed: out of "
         "memory",
         "cuda_out_of_memory"},
        {"[rank3]:[E1123 10:20:30.1 ProcessGroupNCCL.cpp:616] [Rank 3] Watchdog caught collective operation timeout: "
         "WorkNCCL(SeqNum=7, OpType=ALLREDUCE, Timeout(ms)=600000) ran for 600029 milliseconds",
         "nccl_timeout"},
        {"torch.distributed.DistBackendError: NCCL error in: x, unhandled system error", "nccl_error"},
        {"NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
         "gpu_xid pci=0000:3b:00 xid=79"},
        {"nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 24007, Fatal, Link 44",
         "nvswitch_sxid pci=0000:c1:00.0 sxid=24007"},
        {"WARNING 11-23 [scheduler.py:1057] Sequence group 7 is preempted by PreemptionMode.RECOMPUTE mode because "
         "there is "
         "not enough KV cache space.",
         "preemption_storm"},
        {"KV cache pool is full. Retract requests. #retracted_reqs: 3, #new_token_ratio: 0.7", "preemption_storm"},
        {"OSError: Can't load tokenizer for '/models/x'. If you were trying to load it from", "tokenizer_load_failed"},
        {"llama_model_load: error loading model: error loading model vocabulary: unknown pre-tokenizer type: 'x'",
         "tokenizer_load_failed"},
        {"llama_model_load: error loading model: tensor 'x' data is not within the file bounds", "model_load_failed"},
        {"OSError: x/y is not a local folder and is not a valid model identifier listed on", "model_download_failed"},
        {"Out of memory: Killed process 4711 (python3) total-vm:1kB", "oom_kill pid=4711 process=python3"},
        {"ValueError: No available memory for the cache blocks. Try increasing", "kv_cache_does_not_fit"},
        {"vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.", "engine_dead"},
        {"INFO [shm_broadcast.py:466] No available shared memory broadcast block found in 60 seconds.",
         "engine_stalled"},
        {"OSError: [Errno 98] Address already in use", "address_in_use"},
        {"OSError: [Errno 28] No space left on device", "disk_full"},
        {"RuntimeError: CUDA error: an illegal memory access was encountered", "cuda_error"},
        {"INFO 11-23 [loggers.py:111] Engine 000: Avg prompt throughput: 1.0 tokens/s, Running: 1 reqs", "none"},
        {"INFO: 127.0.0.1:5 - \"POST /v1/chat/completions HTTP/1.1\" 200 OK", "none"},
        {"", "none"},
    };
    for (const auto& [line, name] : rows) EXPECT_EQ(name_of(**compiled, line), name) << line;
}

TEST(Signatures, EveryShippedOneSaysWhatToDo) {
    for (const auto& spec : parse_signatures(shipped(), "signatures.yaml").signatures) {
        EXPECT_FALSE(spec.summary.empty()) << spec.name;
        EXPECT_FALSE(spec.action.empty()) << spec.name;
    }
}

TEST(Signatures, ProblemsSayWhereAndWhat) {
    const auto first = [](const std::string& text) {
        const auto file = parse_signatures(text, "mine.yaml");
        return file.problems.empty() ? "fine" : file.problems.front().text();
    };
    EXPECT_EQ(first("signatures:\n  - {name: a, match: ['x{2}$']}\n"), "fine");
    EXPECT_EQ(first("signatures:\n  - {name: a, match: ['(']}\n"),
              "mine.yaml:2:23: signatures[0].match[0]: is no RE2 pattern: missing ): (");
    EXPECT_NE(first("signatures:\n  - {name: A b, match: [x]}\n").find("small letters"), std::string::npos);
    EXPECT_NE(first("signatures:\n  - {name: a, match: []}\n").find("at least one pattern"), std::string::npos);
    EXPECT_NE(first("signatures:\n  - {name: a, match: ['x*']}\n").find("every line"), std::string::npos);
    EXPECT_NE(first("signatures:\n  - {name: a, match: [x], severity: bad}\n").find("severity"), std::string::npos);
    EXPECT_NE(first("signatures:\n  - {name: a, match: [x]}\n  - {name: a, match: [y]}\n").find("already"),
              std::string::npos);
    EXPECT_NE(first("version: 2\n").find("version"), std::string::npos);
}

TEST(Signatures, OperatorsComeFirstAndReplace) {
    const auto all = with_signatures({{.name = "a", .match = {"x"}}, {.name = "b", .match = {"y"}}},
                                     {{.name = "b", .match = {"z"}, .unless = {"not"}}});
    const auto compiled = Signatures::compile(all);
    ASSERT_TRUE(compiled);
    EXPECT_EQ(name_of(**compiled, "xz"), "b");
    EXPECT_EQ(name_of(**compiled, "xz not"), "a");
    EXPECT_EQ(name_of(**compiled, "y"), "none");
}

TEST(SignatureCounter, BurstsAreOneOccurrence) {
    metrics::Registry registry;
    SignatureCounter counter(registry);
    const SignatureSpec storm{.name = "storm", .severity = "warning", .match = {"x"}, .burst = {3, 60s}};
    const Timestamp start = from_millis(1'700'000'000'000);
    EXPECT_FALSE(counter.count(storm, "a", start));
    EXPECT_FALSE(counter.count(storm, "a", start + 1s));
    EXPECT_FALSE(counter.count(storm, "b", start + 2s));
    EXPECT_FALSE(counter.count(storm, "a", start + 62s));
    EXPECT_FALSE(counter.count(storm, "a", start + 63s));
    EXPECT_TRUE(counter.count(storm, "a", start + 64s));
    EXPECT_FALSE(counter.count(storm, "a", start + 65s));
    const std::string text = registry.text();
    EXPECT_NE(text.find(R"(stoker_log_signature_total{signature="storm",severity="warning",service="a"} 1)"),
              std::string::npos)
        << text;
    EXPECT_NE(
        text.find(R"(_last_seen_timestamp_seconds{signature="storm",severity="warning",service="a"} 1.700000064e+09)"),
        std::string::npos)
        << text;
}

}  // namespace
}  // namespace stoker::collect
