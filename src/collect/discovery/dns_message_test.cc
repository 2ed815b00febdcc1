#include "collect/discovery/dns_message.h"

#include <gmock/gmock.h>

namespace stoker::collect {
namespace {

using namespace std::string_literals;

const std::string kQuestion = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01s\x01x\x00\x00\x21\x00\x01"s;

// An answer to kQuestion with these flags and records; the name at offset 12 is "s.x".
std::string answer(const std::string& records, int count, const std::string& flags = "\x81\x80"s) {
    return "\x12\x34"s + flags + "\x00\x01\x00"s + static_cast<char>(count) + "\x00\x00\x00\x00"s +
           kQuestion.substr(12) + records;
}

std::string record(const std::string& type, const std::string& data) {
    return "\xc0\x0c\x00"s + type + "\x00\x01\x00\x00\x00\x3c\x00"s + static_cast<char>(data.size()) + data;
}

TEST(DnsMessage, AsksAsTheStandardSays) {
    EXPECT_EQ(dns_question(0x1234, "s.x", DnsType::Srv).value_or(""), kQuestion);
    EXPECT_EQ(dns_question(0x1234, "s.x.", DnsType::Srv).value_or(""), kQuestion);
    for (const std::string& name : {""s, "."s, "a..b"s, std::string(64, 'a') + ".x", std::string(260, 'a')}) {
        EXPECT_FALSE(dns_question(1, name, DnsType::A)) << name;
    }
}

TEST(DnsMessage, ReadsEachType) {
    const auto srv = parse_dns_answer(
        answer(record("\x21", "\x00\x01\x00\x02\x1f\x90\x01h\xc0\x0c"s) + record("\x05", "\x01y\x00"s), 2), 0x1234,
        DnsType::Srv);
    ASSERT_TRUE(srv) << srv.error().message;
    ASSERT_EQ(srv->records.size(), 1u);
    EXPECT_EQ(srv->records[0].target, "h.s.x");
    EXPECT_EQ(srv->records[0].port, 8080);
    const auto a = parse_dns_answer(answer(record("\x01", "\x0a\x00\x00\x05"s), 1), 0x1234, DnsType::A);
    ASSERT_TRUE(a);
    EXPECT_EQ(a->records.at(0).address, "10.0.0.5");
    const auto aaaa =
        parse_dns_answer(answer(record("\x1c", "\xfd"s + std::string(14, '\0') + "\x01"s), 1), 0x1234, DnsType::Aaaa);
    ASSERT_TRUE(aaaa);
    EXPECT_EQ(aaaa->records.at(0).address, "fd00::1");
    const auto mx = parse_dns_answer(answer(record("\x0f", "\x00\x0a\x01m\x00"s), 1), 0x1234, DnsType::Mx);
    ASSERT_TRUE(mx);
    EXPECT_EQ(mx->records.at(0).target, "m");
}

TEST(DnsMessage, SaysWhenTheNameIsNotThereOrTheAnswerTooLong) {
    const auto none = parse_dns_answer(answer("", 0, "\x81\x83"s), 0x1234, DnsType::A);
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->no_such_name);
    const auto cut = parse_dns_answer(answer("", 5, "\x83\x80"s), 0x1234, DnsType::A);
    ASSERT_TRUE(cut);
    EXPECT_TRUE(cut->truncated);
    EXPECT_THAT(parse_dns_answer(answer("", 0, "\x81\x82"s), 0x1234, DnsType::A).error().message,
                testing::HasSubstr("SERVFAIL"));
}

TEST(DnsMessage, BrokenAnswersAreRefused) {
    const std::string good = answer(record("\x21", "\x00\x01\x00\x02\x1f\x90\x01h\xc0\x0c"s), 1);
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_FALSE(parse_dns_answer(good.substr(0, length), 0x1234, DnsType::Srv)) << length;
    }
    EXPECT_FALSE(parse_dns_answer(good, 0x4321, DnsType::Srv)) << "another question's";
    EXPECT_FALSE(parse_dns_answer(kQuestion, 0x1234, DnsType::Srv)) << "a question";
    // A name that points to itself.
    EXPECT_FALSE(parse_dns_answer(answer(record("\x02", "\xc0\x21"s), 1), 0x1234, DnsType::Ns));
    EXPECT_FALSE(parse_dns_answer(answer(record("\x01", "\x0a"s), 1), 0x1234, DnsType::A)) << "an address of one byte";
}

TEST(ResolvConf, IsReadAsTheCLibraryDoes) {
    const ResolvConf conf = parse_resolv_conf(
        "# x\nnameserver 10.0.0.1#5353\nnameserver\tfd00::1 ; y\nsearch a.local b.local\noptions edns0 ndots:2\n");
    EXPECT_THAT(conf.servers, testing::ElementsAre("10.0.0.1#5353", "fd00::1"));
    EXPECT_THAT(conf.names("x"), testing::ElementsAre("x.a.local", "x.b.local", "x"));
    EXPECT_THAT(conf.names("_h._tcp.x"), testing::ElementsAre("_h._tcp.x", "_h._tcp.x.a.local", "_h._tcp.x.b.local"));
    EXPECT_THAT(conf.names("x."), testing::ElementsAre("x."));
    EXPECT_THAT(parse_resolv_conf("").servers, testing::ElementsAre("127.0.0.1"));
}

}  // namespace
}  // namespace stoker::collect
