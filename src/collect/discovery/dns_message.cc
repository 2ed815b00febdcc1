#include "collect/discovery/dns_message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;
constexpr int kMostJumps = 32;
constexpr std::uint16_t kInternet = 1;

Error corrupt(std::string_view why) {
    return {Errc::Corruption, "the DNS server's answer is broken: " + std::string(why)};
}

void append16(std::string& out, std::uint16_t value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value & 0xFF);
}

// Reads a message from its front; every step checks what is left.
class Reader {
public:
    explicit Reader(std::string_view message) : message_(message) {}

    std::size_t at() const { return at_; }
    void jump(std::size_t to) { at_ = to; }
    bool has(std::size_t bytes) const { return at_ <= message_.size() && message_.size() - at_ >= bytes; }

    Result<std::uint16_t> read16() {
        if (!has(2)) return corrupt("it ends too early");
        const auto high = static_cast<unsigned char>(message_[at_]);
        const auto low = static_cast<unsigned char>(message_[at_ + 1]);
        at_ += 2;
        return static_cast<std::uint16_t>(high << 8 | low);
    }

    Result<std::string_view> read(std::size_t bytes) {
        if (!has(bytes)) return corrupt("it ends too early");
        const std::string_view out = message_.substr(at_, bytes);
        at_ += bytes;
        return out;
    }

    // A name, which may go on elsewhere; afterwards this stands behind its first part.
    Result<std::string> name() {
        std::string out;
        std::size_t after = 0;
        for (int jumps = 0;;) {
            if (!has(1)) return corrupt("a name ends too early");
            const auto length = static_cast<unsigned char>(message_[at_]);
            if (length >= 0xC0) {
                if (++jumps > kMostJumps) return corrupt("a name leads in circles");
                TRY(const std::uint16_t pointer, read16());
                if (after == 0) after = at_;
                at_ = pointer & 0x3FFF;
                continue;
            }
            if (length > kLongestLabel) return corrupt("a name's part is too long");
            ++at_;
            if (length == 0) break;
            TRY(const std::string_view label, read(length));
            if (!out.empty()) out += '.';
            out += label;
            if (out.size() > kLongestName) return corrupt("a name is too long");
        }
        if (after != 0) at_ = after;
        return out;
    }

private:
    std::string_view message_;
    std::size_t at_ = 0;
};

Result<DnsRecord> read_record(Reader& reader, DnsType type, std::size_t length) {
    DnsRecord record;
    record.type = type;
    switch (type) {
        case DnsType::A:
        case DnsType::Aaaa: {
            const bool four = type == DnsType::A;
            if (length != (four ? 4u : 16u)) return corrupt("an address of another length");
            TRY(const auto bytes, reader.read(length));
            std::array<char, INET6_ADDRSTRLEN> text{};
            inet_ntop(four ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
            record.address = text.data();
            return record;
        }
        case DnsType::Srv: {
            TRY_UNIT(reader.read(4));  // Priority and weight.
            TRY(record.port, reader.read16());
            break;
        }
        case DnsType::Mx: {
            TRY_UNIT(reader.read(2));  // Preference.
            break;
        }
        case DnsType::Ns:
            break;
    }
    TRY(record.target, reader.name());
    return record;
}

std::string code_name(int code) {
    constexpr std::array<std::string_view, 6> kNames = {"", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    return code < 6 ? std::string(kNames[static_cast<std::size_t>(code)]) : "code " + std::to_string(code);
}

}  // namespace

Result<std::string> dns_question(std::uint16_t id, const std::string& name, DnsType type) {
    std::string out;
    append16(out, id);
    append16(out, 0x0100);  // A query that wants recursion.
    append16(out, 1);       // One question, nothing else.
    out.append(6, '\0');
    std::string_view rest = name;
    if (rest.ends_with('.')) rest.remove_suffix(1);
    if (rest.empty() || rest.size() > kLongestName) {
        return Error{Errc::InvalidArgument, "'" + name.substr(0, 64) + "' is not a DNS name"};
    }
    for (const std::string_view label : split(rest, '.')) {
        if (label.empty() || label.size() > kLongestLabel) {
            return Error{Errc::InvalidArgument, "'" + name.substr(0, 64) + "' is not a DNS name"};
        }
        out += static_cast<char>(label.size());
        out += label;
    }
    out += '\0';
    append16(out, static_cast<std::uint16_t>(type));
    append16(out, kInternet);
    return out;
}

Result<DnsAnswer> parse_dns_answer(std::string_view message, std::uint16_t id, DnsType type) {
    if (message.size() < kHeader) return corrupt("it is shorter than its header");
    Reader reader(message);
    TRY(const auto their_id, reader.read16());
    TRY(const auto flags, reader.read16());
    TRY(const auto questions, reader.read16());
    TRY(const auto answers, reader.read16());
    if (their_id != id || (flags & 0x8000) == 0) return corrupt("it belongs to another question");
    const int code = flags & 0xF;
    DnsAnswer out;
    out.no_such_name = code == 3;
    if (out.no_such_name) return out;
    if (code != 0) return Error{Errc::Unavailable, "the DNS server answered " + code_name(code)};
    out.truncated = (flags & 0x0200) != 0;
    if (out.truncated) return out;
    reader.jump(kHeader);
    for (int i = 0; i < questions; ++i) {
        TRY_UNIT(reader.name());
        TRY_UNIT(reader.read(4));
    }
    for (int i = 0; i < answers; ++i) {
        TRY_UNIT(reader.name());
        TRY(const auto record_type, reader.read16());
        TRY_UNIT(reader.read(6));  // Class, time to live.
        TRY(const auto length, reader.read16());
        if (!reader.has(length)) return corrupt("a record ends too early");
        const std::size_t end = reader.at() + length;
        // Others lead there: CNAME.
        if (record_type == static_cast<std::uint16_t>(type)) {
            TRY(auto record, read_record(reader, type, length));
            out.records.push_back(std::move(record));
        }
        reader.jump(end);
    }
    return out;
}

std::vector<std::string> ResolvConf::names(const std::string& name) const {
    if (name.ends_with('.')) return {name};
    std::vector<std::string> out;
    const bool absolute_first = std::count(name.begin(), name.end(), '.') >= ndots;
    if (absolute_first) out.push_back(name);
    for (const std::string& domain : search) out.push_back(name + "." + domain);
    if (!absolute_first) out.push_back(name);
    return out;
}

ResolvConf parse_resolv_conf(std::string_view text) {
    constexpr std::size_t kMostServers = 3;  // As the C library.
    constexpr std::size_t kMostSearch = 6;
    ResolvConf out;
    for (std::string_view line : split(text, '\n')) {
        // A comment begins a line or stands behind a blank; HOST#PORT has none.
        for (const std::string_view mark : {" #", " ;", "\t#", "\t;"}) line = line.substr(0, line.find(mark));
        line = trim(line);
        if (line.starts_with('#') || line.starts_with(';')) continue;
        std::vector<std::string_view> words;
        for (const std::string_view part : split(line, ' ')) {
            for (const std::string_view word : split(part, '\t')) {
                if (!word.empty()) words.push_back(word);
            }
        }
        if (words.size() < 2) continue;
        if (words[0] == "nameserver" && out.servers.size() < kMostServers) out.servers.emplace_back(words[1]);
        if (words[0] == "search" || words[0] == "domain") {
            out.search.clear();
            for (std::size_t i = 1; i < words.size() && out.search.size() < kMostSearch; ++i) {
                out.search.emplace_back(words[i]);
            }
        }
        for (std::size_t i = 1; words[0] == "options" && i < words.size(); ++i) {
            if (!words[i].starts_with("ndots:")) continue;
            const auto dots = parse_integer(words[i].substr(6));
            if (dots && *dots >= 0) out.ndots = static_cast<int>(std::min<std::int64_t>(*dots, 15));
        }
    }
    if (out.servers.empty()) out.servers.emplace_back("127.0.0.1");
    return out;
}

}  // namespace stoker::collect
