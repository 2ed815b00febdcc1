#include "collect/logs/parse_line.h"

#include <gtest/gtest.h>

#include "collect/logs/container_line.h"
#include "collect/logs/journald_line.h"
#include "collect/logs/log_time.h"
#include "collect/logs/severity.h"

namespace stoker::collect {
namespace {

LogEntry parsed(const std::string& line) {
    LogEntry entry;
    entry.body = line;
    parse_line(entry);
    return entry;
}

std::string attributes(const LogEntry& entry) {
    std::string out;
    for (const auto& [key, value] : entry.attributes) out += key + "=" + value + ";";
    return out;
}

TEST(ParseLine, SeverityOfPlainText) {
    struct Row {
        const char* line;
        std::string_view severity;
    };
    for (const auto& [line, severity] : {
             Row{"INFO 11-23 10:20:30 [loggers.py:111] Engine 000: Avg prompt throughput", "info"},  // vLLM
             {"(EngineCore_0 pid=71) ERROR 11-23 10:20:30 [core.py:634] EngineCore failed to start.", "error"},
             {"WARNING 11-23 10:20:30 [scheduler.py:9] Sequence group 1 is preempted", "warn"},
             {"INFO:     127.0.0.1:1 - \"POST /v1/completions\" 200", "info"},         // uvicorn
             {"2025-11-23T10:20:30.123Z  WARN text_generation_router: slow", "warn"},  // TGI
             {"E1123 10:20:30.123456 7 server.cc:9] failed", "error"},                 // Triton
             {"[TensorRT-LLM][ERROR] Assertion failed", "error"},
             {"[11/23/2025-10:20:30] [TRT-LLM] [E] no", "error"},
             {"2025/11/23 10:20:30 [crit] 7#7: *1 open()", "fatal"},  // nginx
             {"host:71:99 [0] NCCL WARN Call to connect failed", "warn"},
             {"Traceback (most recent call last):", "error"},
             {"the error of my ways", ""},
             {"INFORMATIVE ERRORS", ""},
             {"loading model, no warning", ""},
             {"", ""},
         }) {
        EXPECT_EQ(severity_name(parsed(line).severity), severity) << line;
    }
}

TEST(ParseLine, JsonOfCommonLoggers) {
    const LogEntry zap =
        parsed(R"({"level":"error","ts":1700000000.25,"msg":"it broke","trace_id":"0AF7651916CD43DD8448EB211C80319C",)"
               R"("span_id":"b7ad6b7169203331","service":"router","code":7,"ctx":{"user":"u1"}})");
    EXPECT_EQ(zap.body, "it broke");
    EXPECT_EQ(zap.severity, kError);
    EXPECT_EQ(zap.severity_text, "error");
    EXPECT_EQ(zap.time_ns, 1'700'000'000'250'000'000);
    EXPECT_EQ(zap.trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(zap.span_id, "b7ad6b7169203331");
    EXPECT_EQ(zap.service, "router");
    EXPECT_EQ(attributes(zap), "code=7;ctx.user=u1;");

    const LogEntry pino = parsed(R"({"level":50,"time":1700000000123,"msg":"x"})");
    EXPECT_EQ(pino.severity, kError);
    EXPECT_EQ(pino.time_ns, 1'700'000'000'123'000'000);

    const LogEntry none = parsed(R"({"level":"loud","ts":"yesterday","a":[1]})");
    EXPECT_EQ(none.body, R"({"level":"loud","ts":"yesterday","a":[1]})");
    EXPECT_EQ(none.severity, 0);
    EXPECT_EQ(attributes(none), "level=loud;ts=yesterday;a=[1];");
}

TEST(ParseLine, Logfmt) {
    const LogEntry ollama =
        parsed(R"(time=2025-11-23T10:20:30.123Z level=WARN source=sched.go:1 msg="runner \"x\" died" code=-1)");
    EXPECT_EQ(ollama.body, R"(runner "x" died)");
    EXPECT_EQ(ollama.severity, kWarn);
    EXPECT_EQ(ollama.time_ns, 1'763'893'230'123'000'000);
    EXPECT_EQ(attributes(ollama), "source=sched.go:1;code=-1;");
    for (const char* sentence :
         {"a=b c=d", "x = 5 and y = 6", "level=info", "url http://x?level=1 b=2", "level=info x"}) {
        EXPECT_EQ(parsed(sentence).body, sentence);
        EXPECT_TRUE(parsed(sentence).attributes.empty()) << sentence;
    }
}

TEST(ParseLine, AttributesAreBounded) {
    std::string line = R"({"msg":"m")";
    for (int i = 0; i < 200; ++i) line += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
    EXPECT_EQ(parsed(line + "}").attributes.size(), kMostLineAttributes);
}

TEST(ParseLine, TraceIdInText) {
    constexpr const char* kId = "0af7651916cd43dd8448eb211c80319c";
    for (const std::string before : {"x trace_id=", "x [trace_id: ", "x \"traceId\": \"", "TraceId="}) {
        EXPECT_EQ(parsed(before + kId + " y").trace_id, kId) << before;
    }
    EXPECT_EQ(parsed("trace_id=00000000000000000000000000000000").trace_id, "");
    EXPECT_EQ(parsed("trace_id=xyz").trace_id, "");
    EXPECT_EQ(parsed("trace_identity " + std::string(kId)).trace_id, "");
}

TEST(LogTime, EveryForm) {
    const auto nanos = [](std::string_view text) { return parse_log_time(text).value_or(-1); };
    EXPECT_EQ(nanos("2026-11-22T10:00:00.5Z"), 1'795'341'600'500'000'000);
    EXPECT_EQ(nanos("2026-11-22T10:00:00.123456789+02:00"), 1'795'334'400'123'456'789);
    EXPECT_EQ(nanos("2026-11-22 10:00:00,250 -0100"), 1'795'345'200'250'000'000);
    EXPECT_EQ(nanos("2026/11/22 10:00:00Z"), 1'795'341'600'000'000'000);
    EXPECT_EQ(nanos("1700000000"), 1'700'000'000'000'000'000);
    EXPECT_EQ(nanos("1700000000123"), 1'700'000'000'123'000'000);
    EXPECT_EQ(nanos("1700000000123456"), 1'700'000'000'123'456'000);
    EXPECT_EQ(nanos("1700000000123456789"), 1'700'000'000'123'456'789);
    for (const char* text : {"", "x", "5", "-1700000000", "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z",
                             "2026-11-22T10:00:00Zx", "9999-11-22T10:00:00Z", "1e30", "nan"}) {
        EXPECT_EQ(nanos(text), -1) << text;
    }
}

TEST(ContainerLine, Docker) {
    const auto line = parse_docker_line(R"({"log":"hello \"x\"\n","stream":"stderr","time":"2026-11-22T10:00:00.5Z"})");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->text, "hello \"x\"");
    EXPECT_FALSE(line->partial);
    EXPECT_EQ(line->stream, "stderr");
    EXPECT_EQ(line->time_ns, 1'795'341'600'500'000'000);
    EXPECT_TRUE(parse_docker_line(R"({"log":"cut","stream":"stdout"})")->partial);
    for (const char* none : {"", "{", R"({"log":5})", R"({"stream":"stdout","log":"x"})"}) {
        EXPECT_FALSE(parse_docker_line(none)) << none;
    }
}

TEST(ContainerLine, Cri) {
    const auto line = parse_cri_line("2026-11-22T12:00:00.5+02:00 stderr P some text ");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->text, "some text ");
    EXPECT_TRUE(line->partial);
    EXPECT_EQ(line->stream, "stderr");
    EXPECT_EQ(line->time_ns, 1'795'341'600'500'000'000);
    EXPECT_EQ(parse_cri_line("2026-11-22T10:00:00Z stdout F")->text, "");
    for (const char* none : {"", "2026-11-22T10:00:00Z INFO F x", "2026-11-22T10:00:00Z stdout X y", "stdout F x"}) {
        EXPECT_FALSE(parse_cri_line(none)) << none;
    }
    EXPECT_EQ(guess_format("2026-11-22T10:00:00Z stdout F x"), LogFormat::Cri);
    EXPECT_EQ(guess_format(R"({"log":"x\n"})"), LogFormat::Docker);
    EXPECT_EQ(guess_format(R"({"msg":"x"})"), LogFormat::Text);
}

TEST(ContainerLine, NameFromPath) {
    const auto pod = container_of_path("/var/log/pods/prod_chat-0_1b2/vllm/0.log");
    EXPECT_EQ(pod.name_space + "/" + pod.pod + "/" + pod.container, "prod/chat-0/vllm");
    const auto link = container_of_path("/var/log/containers/chat-0_prod_vllm-abc-def.log");
    EXPECT_EQ(link.name_space + "/" + link.pod + "/" + link.container, "prod/chat-0/vllm-abc");
    EXPECT_EQ(container_of_path("/var/lib/docker/containers/0a1b/0a1b-json.log").id, "0a1b");
    EXPECT_EQ(container_of_path("/var/log/syslog").container, "");
}

TEST(Journald, Entry) {
    const auto line = parse_journald_line(
        R"({"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1700000000000001","PRIORITY":"3","MESSAGE":"it broke",)"
        R"("_SYSTEMD_UNIT":"vllm.service","SYSLOG_IDENTIFIER":"python3","_PID":"71","_HOSTNAME":"gpu1"})");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->cursor, "s=1;i=2");
    EXPECT_EQ(line->entry.time_ns, 1'700'000'000'000'001'000);
    EXPECT_EQ(line->entry.severity, kError);
    EXPECT_EQ(line->entry.service, "vllm");
    EXPECT_EQ(line->entry.stream, "vllm.service");
    EXPECT_NE(attributes(line->entry).find("host.name=gpu1;"), std::string::npos);
    EXPECT_NE(attributes(line->entry).find("process.pid=71;"), std::string::npos);
}

TEST(Journald, OddValues) {
    const auto bytes = parse_journald_line(R"({"MESSAGE":[104,105],"SYSLOG_IDENTIFIER":"kernel","PRIORITY":"6"})");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->entry.body, "hi");
    EXPECT_EQ(bytes->entry.service, "kernel");
    EXPECT_EQ(bytes->entry.severity, kInfo);
    EXPECT_EQ(parse_journald_line(R"({"MESSAGE":["a","b"]})")->entry.body, "a");
    EXPECT_EQ(parse_journald_line(R"({"MESSAGE":null})")->entry.body, "");
    // One priority for all that a daemon prints: the line's own word counts.
    EXPECT_EQ(parse_journald_line(R"({"MESSAGE":"ERROR 11-23 x","PRIORITY":"6"})")->entry.severity, kError);
    EXPECT_FALSE(parse_journald_line("-- No entries --"));
}

}  // namespace
}  // namespace stoker::collect
