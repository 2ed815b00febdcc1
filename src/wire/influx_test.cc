#include "wire/influx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace stoker::wire {
namespace {

// One line a point: measurement,tag=value field=number @time; errors as "line 3: why".
std::string shown(std::string_view text, InfluxPrecision precision = InfluxPrecision::Nanoseconds) {
    std::string out;
    InfluxVisitor visitor;
    const auto next = [&] { out += out.empty() ? "" : " | "; };
    visitor.on_point = [&](const InfluxPoint& point) {
        next();
        out += point.measurement;
        for (const auto& [name, value] : point.tags) out += "," + std::string(name) + "=" + std::string(value);
        for (const auto& field : point.fields) {
            out += " " + std::string(field.name) + "=" + (field.value ? format_number(*field.value) : "text");
        }
        if (point.time_ms) out += " @" + std::to_string(*point.time_ms);
    };
    visitor.on_error = [&](const InfluxError& error) {
        next();
        out += "line " + std::to_string(error.line) + ": " + error.message;
    };
    parse_influx(text, precision, visitor);
    return out;
}

struct Row {
    std::string_view text;
    std::string_view want;
};

TEST(Influx, Lines) {
    for (const Row& row : std::vector<Row>{
             {"", ""},
             {"\n  \n# comment\n", ""},
             {"cpu value=1", "cpu value=1"},
             {"cpu,host=a,core=0 idle=1.5,user=2i,total=3u 1700000000123456789",
              "cpu,host=a,core=0 idle=1.5 user=2 total=3 @1700000000123"},
             {"a v=t\nb v=false\r\nc v=TRUE\n", "a v=1 | b v=0 | c v=1"},
             {"a v=-1.5e3,w=+2,x=.5", "a v=-1500 w=2 x=0.5"},
             {"my\\ disk\\,a,path=/mnt\\ x\\=y f\\ g=1", "my disk,a,path=/mnt x=y f g=1"},
             {"win,path=C:\\\\Windows v=1", "win,path=C:\\\\Windows v=1"},
             {"log msg=\"a, b=c \\\"d\\\" \n next\",n=1 1000000", "log msg=text n=1 @1"},
             {"log msg=\"\nx\",n=1\nb v=2,", "log msg=text n=1 | line 3: missing field key"},
             {"a v=1 -1", "a v=1 @-1"},
         }) {
        EXPECT_EQ(shown(row.text), row.want) << row.text;
    }
}

TEST(Influx, BadLinesAreNamedAndOthersTaken) {
    for (const Row& row : std::vector<Row>{
             {"a v=1\ncpu\nb v=2", "a v=1 | line 2: missing fields | b v=2"},
             {",host=a v=1", "line 1: missing measurement"},
             {"a,host v=1", "line 1: missing tag value"},
             {"a,host= v=1", "line 1: missing tag value"},
             {"a,=b v=1", "line 1: missing tag key"},
             {"a =1", "line 1: missing field key"},
             {"a v= 1", "line 1: missing field value"},
             {"a v", "line 1: missing field value"},
             {"a v=nan", "line 1: invalid value \"nan\""},
             {"a v=-inf", "line 1: invalid value \"-inf\""},
             {"a v=-", "line 1: invalid value \"-\""},
             {"a v=1.5i", "line 1: invalid value \"1.5i\""},
             {"a v=-1u", "line 1: invalid value \"-1u\""},
             {"a v=99999999999999999999i", "line 1: invalid value \"99999999999999999999i\""},
             {"a v=\"x", "line 1: unbalanced quotes"},
             {"a v=\"x\"y", "line 1: text after a quoted value"},
             {"a v=1 x", "line 1: bad timestamp \"x\""},
             {"a v=1 1 2", "line 1: text after the timestamp"},
             {"a\xff v=1", "line 1: text that is not UTF-8"},
         }) {
        EXPECT_EQ(shown(row.text), row.want) << row.text;
    }
}

TEST(Influx, Precisions) {
    for (const auto& [name, want] : std::vector<Row>{{"", "a v=1 @0"},
                                                     {"us", "a v=1 @1"},
                                                     {"u", "a v=1 @1"},
                                                     {"ms", "a v=1 @1700"},
                                                     {"s", "a v=1 @1700000"},
                                                     {"m", "a v=1 @102000000"},
                                                     {"h", "a v=1 @6120000000"}}) {
        EXPECT_EQ(shown("a v=1 1700", *parse_influx_precision(name)), want) << name;
    }
    EXPECT_FALSE(parse_influx_precision("days").has_value());
    EXPECT_EQ(shown("a v=1 9223372036854775807", InfluxPrecision::Hours), "line 1: time outside range");
}

TEST(Influx, Limits) {
    std::size_t errors = 0;
    InfluxVisitor visitor{[](const InfluxPoint&) {}, [&](const InfluxError&) { ++errors; }};
    parse_influx("a,b=1,c=2 v=1\na v=1,w=2\na v=12345678901234\na v=1\n", InfluxPrecision::Seconds, visitor,
                 {.max_line_bytes = 12, .max_tags = 1, .max_fields = 1});
    EXPECT_EQ(errors, 3u);
}

}  // namespace
}  // namespace stoker::wire
