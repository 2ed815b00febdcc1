#include "twin/dialect.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "twin/dialect_names.h"
#include "wire/prometheus_text.h"

namespace stoker::twin {
namespace {

using nlohmann::json;

constexpr auto kDialects = std::to_array<Dialect>({
    {"vllm", "0.11.0", "vllm", "", "/metrics"},
    {"sglang", "0.5.3", "sglang", "uvicorn", "/metrics"},
    {"tgi", "3.3.4", "", "", "/metrics"},
    {"tensorrt-llm", "1.1.0", "tensorrt_llm", "uvicorn", "/prometheus/metrics"},
    {"triton", "2.60.0", "Triton Inference Server", "", "/metrics"},
    {"lmdeploy", "0.10.1", "lmdeploy", "uvicorn", "/metrics"},
    {"llama.cpp", "b6500-0a1b2c3", "llamacpp", "llama.cpp", "/metrics"},
    {"ollama", "0.12.3", "library", "", ""},
    {"ray-serve-llm", "2.50.0", "organization-owner", "", "/metrics"},
});

struct Series {
    std::vector<std::pair<std::string, std::string>> labels;  // Without vLLM's `engine` and `model_name`.
    double value = 0;
};
using Page = std::map<std::string, std::vector<Series>>;  // By sample name.

Page read(std::string_view vllm_page, const DialectFacts& facts) {
    Page page;
    const auto samples = wire::parse_exposition(vllm_page, wire::ExpositionFormat::Prometheus);
    if (!samples) return page;
    for (const auto& sample : *samples) {
        Series series{sample.labels, sample.value};
        std::erase_if(series.labels, [](const auto& l) { return l.first == "engine" || l.first == "model_name"; });
        page[sample.name].push_back(std::move(series));
    }
    const Profile& profile = facts.profile;
    page["profile:kv_blocks"] = {{{}, static_cast<double>(profile.kv_blocks)}};
    page["profile:block_tokens"] = {{{}, static_cast<double>(profile.block_tokens)}};
    page["profile:kv_tokens"] = {{{}, static_cast<double>(profile.kv_blocks) * profile.block_tokens}};
    return page;
}

// Each engine's labels of every series; several sets are ranks that all say the same.
std::vector<std::string> own_labels(std::string_view dialect, std::string_view type, const std::string& model) {
    const std::string named = "model_name=" + quote_json(model);
    if (dialect == "sglang") {
        // The scheduler's gauges come from every rank, the tokenizer's counters and histograms from one process.
        if (type != "gauge") return {named};
        return {R"(engine_type="unified",)" + named + R"(,pp_rank="0",tp_rank="0")",
                R"(engine_type="unified",)" + named + R"(,pp_rank="0",tp_rank="1")"};
    }
    if (dialect == "tensorrt-llm") return {R"(engine_type="trtllm",)" + named};
    if (dialect == "triton") return {"model=" + quote_json(model) + R"(,version="1")"};
    if (dialect == "lmdeploy") return {R"(engine="0",)" + named};
    if (dialect == "ray-serve-llm") {
        return {R"(ReplicaId="r1",SessionName="s1",Version="2.50.0",WorkerId="w1",engine="0",)" + named};
    }
    return {""};
}

void add_label(std::string& labels, std::string_view more) {
    if (more.empty()) return;
    if (!labels.empty()) labels += ',';
    labels += more;
}

class Writer {
public:
    Writer(const Dialect& dialect, const Page& page, const std::string& model)
        : dialect_(dialect), page_(page), model_(model) {}

    void add(const DialectRow& row) {
        if (row.own != family_) {
            family_ = row.own;
            text_ += "# HELP " + std::string(row.own) + " Simulated.\n# TYPE " + std::string(row.own) + " " +
                     std::string(row.type) + "\n";
        }
        if (row.type != "histogram") return scalar(row);
        for (const char* part : {"_bucket", "_sum", "_count"}) histogram(row, part);
    }

    std::string text() && { return std::move(text_); }

private:
    double value_at(std::string_view name) const {
        const auto found = page_.find(std::string(name));
        double sum = 0;
        if (found != page_.end()) {
            for (const Series& series : found->second) sum += series.value;
        }
        return sum;
    }

    void scalar(const DialectRow& row) {
        const auto found = page_.find(std::string(row.from));
        if (found == page_.end()) return;
        for (const Series& series : found->second) {
            double value = series.value;
            if (!row.minus.empty()) value -= value_at(row.minus);
            line(std::string(row.own), series, row, "", value * row.scale);
        }
    }

    void histogram(const DialectRow& row, std::string_view part) {
        const auto found = page_.find(std::string(row.from) + std::string(part));
        if (found == page_.end()) return;
        for (Series series : found->second) {
            std::string bound;
            for (const auto& [name, text] : series.labels) {
                if (name == "le") bound = "le=\"" + format_number(parse_number(text).value_or(0) * row.scale) + "\"";
            }
            std::erase_if(series.labels, [](const auto& label) { return label.first == "le"; });
            line(std::string(row.own) + std::string(part), series, row, bound,
                 part == "_sum" ? series.value * row.scale : series.value);
        }
    }

    void line(const std::string& name, const Series& series, const DialectRow& row, const std::string& bound,
              double value) {
        for (std::string labels : own_labels(dialect_.name, row.type, model_)) {
            for (const auto& [label, text] : series.labels) add_label(labels, label + "=" + quote_json(text));
            add_label(labels, row.labels);
            add_label(labels, bound);
            text_ += name + (labels.empty() ? "" : "{" + labels + "}") + " " + format_number(value) + "\n";
        }
    }

    const Dialect& dialect_;
    const Page& page_;
    const std::string& model_;
    std::string text_;
    std::string_view family_;
};

std::optional<json> state_json(const Dialect& dialect, std::string_view path, const DialectFacts& facts) {
    const std::string_view name = dialect.name;
    const json version = {{"version", facts.version}};
    if (path == "/version" && (name == "vllm" || name == "tensorrt-llm")) return version;
    if (path == "/get_server_info" && name == "sglang") {
        return json{
            {"version", facts.version}, {"model_path", facts.model}, {"context_length", facts.profile.max_context},
            {"dtype", "bfloat16"},      {"quantization", nullptr},   {"tp_size", 2}};
    }
    if (path == "/get_model_info" && name == "sglang")
        return json{{"model_path", facts.model}, {"is_generation", true}};
    if (path == "/info" && name == "tgi") {
        return json{{"model_id", facts.model},
                    {"version", facts.version},
                    {"router", "text-generation-router"},
                    {"model_dtype", "torch.float16"},
                    {"max_concurrent_requests", 128},
                    {"max_total_tokens", facts.profile.max_context}};
    }
    if (path == "/props" && name == "llama.cpp") {
        return json{{"default_generation_settings", {{"n_ctx", facts.profile.max_context}}},
                    {"total_slots", facts.profile.max_batch},
                    {"model_ftype", "Q4_K - Medium"},
                    {"build_info", facts.version}};
    }
    if (path == "/v2" && name == "triton") {
        return json{{"name", "triton"}, {"version", facts.version}, {"extensions", json::array({"statistics"})}};
    }
    if (path == "/metrics" && name == "tensorrt-llm") return json::array();  // The trap.
    if (name != "ollama") return std::nullopt;
    const json details = {{"family", "llama"}, {"parameter_size", "8.0B"}, {"quantization_level", "Q4_K_M"}};
    if (path == "/api/version") return version;
    if (path == "/api/tags") {
        return json{{"models", json::array({json{{"name", facts.model}, {"details", details}}})}};
    }
    if (path == "/api/ps") {
        const json loaded = {{"name", facts.model},
                             {"size", 5'000'000'000},
                             {"size_vram", 4'500'000'000},
                             {"context_length", facts.profile.max_context},
                             {"details", details}};
        return json{{"models", json::array({loaded})}};
    }
    return std::nullopt;
}

}  // namespace

Result<Dialect> find_dialect(std::string_view name) {
    std::string known;
    for (const Dialect& dialect : kDialects) {
        if (dialect.name == name) return dialect;
        known += (known.empty() ? "" : ", ") + std::string(dialect.name);
    }
    return Error{Errc::NotFound, "no dialect '" + std::string(name) + "'; known: " + known};
}

std::optional<std::string> dialect_state(const Dialect& dialect, std::string_view path, const DialectFacts& facts) {
    if (path == "/" && dialect.name == "ollama") return "Ollama is running";
    const auto body = state_json(dialect, path, facts);
    return body ? std::optional(body->dump()) : std::nullopt;
}

std::string dialect_page(const Dialect& dialect, std::string_view vllm_page, const DialectFacts& facts) {
    const auto rows = dialect_rows(dialect.name);
    if (rows.empty()) return std::string(vllm_page);
    const Page page = read(vllm_page, facts);
    Writer writer(dialect, page, facts.model);
    for (const DialectRow& row : rows) writer.add(row);
    return std::move(writer).text();
}

}  // namespace stoker::twin
