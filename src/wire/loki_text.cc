// Selectors and labels as Loki writes them.
#include "base/text.h"
#include "wire/loki.h"

namespace stoker::wire::loki {
namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    void blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
    }
    bool take(std::string_view word) {
        blanks();
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }
    bool at_end() {
        blanks();
        return at_ == text_.size();
    }
    std::string_view name() {
        blanks();
        const std::size_t begin = at_;
        const auto fits = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                   c == ':' || c == '-' || c == '/';
        };
        while (at_ < text_.size() && fits(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    // "..." with Go's escapes, or `...` as it is.
    Result<std::string> string() {
        blanks();
        if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '`')) return problem("a quoted text");
        const char quote = text_[at_++];
        std::string out;
        while (at_ < text_.size() && text_[at_] != quote) {
            if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size()) {
                const char c = text_[++at_];
                out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            } else {
                out += text_[at_];
            }
            ++at_;
        }
        if (at_ == text_.size()) return problem("the end of a quoted text");
        ++at_;
        return out;
    }
    Error problem(std::string_view expected) const {
        return {Errc::InvalidArgument, "at character " + std::to_string(at_ + 1) + ": " + std::string(expected) +
                                           " was expected, not \"" + std::string(text_.substr(at_, 20)) + "\""};
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

Result<std::vector<Query::Matcher>> matchers(Reader& reader) {
    std::vector<Query::Matcher> out;
    if (!reader.take("{")) return reader.problem("'{'");
    while (!reader.take("}")) {
        if (!out.empty()) {
            if (!reader.take(",")) return reader.problem("',' or '}'");
            if (reader.take("}")) return out;
        }
        Query::Matcher one;
        one.name = reader.name();
        if (one.name.empty()) return reader.problem("a label's name");
        if (reader.take("=~") || reader.take("!~")) return reader.problem("= or != (no regular expressions here)");
        one.equal = !reader.take("!=");
        if (one.equal && !reader.take("=")) return reader.problem("= or !=");
        TRY(one.value, reader.string());
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

Result<Labels> parse_labels(std::string_view text) {
    Reader reader(text);
    auto parsed = matchers(reader);
    if (!parsed) return std::move(parsed).error().context("labels");
    if (!reader.at_end()) return reader.problem("the end").context("labels");
    Labels labels;
    for (auto& matcher : *parsed) {
        if (!matcher.equal) return Error{Errc::InvalidArgument, "labels: " + matcher.name + " has != where = belongs"};
        labels.emplace_back(std::move(matcher.name), std::move(matcher.value));
    }
    return labels;
}

std::string labels_text(const Labels& labels) {
    std::string out = "{";
    for (const auto& [name, value] : labels) {
        if (out.size() > 1) out += ", ";
        out += name + "=" + quote_json(value);
    }
    return out + "}";
}

Result<Query> parse_query(std::string_view text) {
    Reader reader(text);
    Query query;
    auto parsed = matchers(reader);
    if (!parsed) return std::move(parsed).error().context("query");
    query.matchers = *std::move(parsed);
    while (!reader.at_end()) {
        const bool has = reader.take("|=");
        if (!has && !reader.take("!=")) {
            return reader.problem("|= \"text\" or != \"text\" (nothing else of LogQL is spoken here)").context("query");
        }
        auto value = reader.string();
        if (!value) return std::move(value).error().context("query");
        (has ? query.contains : query.lacks).push_back(*std::move(value));
    }
    return query;
}

}  // namespace stoker::wire::loki
