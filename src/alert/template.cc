#include "alert/template.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

#include "alert/template_functions.h"

namespace stoker::alert {

namespace {

using internal::TemplateValue;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Evaluates what stands between {{ and }}: commands joined by |, each a value or a function with its arguments.
class Action {
public:
    // Without labels (null) every one counts as "0", so that a check sees neither missing nor unfit values.
    Action(std::string_view text, const tsdb::Labels* labels, double value)
        : rest_(text), labels_(labels), value_(value) {}

    Result<std::string> run() {
        TRY(TemplateValue result, command(nullptr));
        while (take('|')) {
            const TemplateValue piped = std::move(result);
            TRY(result, command(&piped));
        }
        skip_space();
        if (!rest_.empty()) return fail("unexpected \"" + std::string(rest_) + "\"");
        return internal::to_text(result);
    }

private:
    static Error fail(std::string message) { return Error{Errc::InvalidArgument, std::move(message)}; }

    void skip_space() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    }
    bool take(char c) {
        skip_space();
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view name() {
        std::size_t length = 0;
        while (length < rest_.size() && is_name(rest_[length])) ++length;
        const std::string_view word = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return word;
    }
    bool at_end_of_command() {
        skip_space();
        return rest_.empty() || rest_.front() == '|';
    }

    // `piped` becomes a function's last argument.
    Result<TemplateValue> command(const TemplateValue* piped) {
        if (at_end_of_command()) return fail("missing value for command");
        if (std::isalpha(static_cast<unsigned char>(rest_.front())) == 0) {
            TRY(TemplateValue value, operand());
            if (piped != nullptr || !at_end_of_command()) return fail("can't give argument to non-function");
            return value;
        }
        const std::string_view function = name();
        if (function == "index") return index_labels();
        if (function == "if" || function == "with" || function == "range" || function == "end" ||
            function == "define") {
            return fail("{{ " + std::string(function) + " }} is not supported");
        }
        std::vector<TemplateValue> args;
        while (!at_end_of_command()) {
            TRY(TemplateValue arg, operand());
            args.push_back(std::move(arg));
        }
        if (piped != nullptr) args.push_back(*piped);
        return internal::call_function(function, args);
    }

    TemplateValue label(std::string_view name_of_it) const {
        return labels_ == nullptr ? "0" : std::string(labels_->get(name_of_it));
    }

    // index $labels "name", for names that can't follow a dot.
    Result<TemplateValue> index_labels() {
        skip_space();
        const bool variable = take('$') || take('.');
        const std::string_view map = name();
        if (!variable || (map != "labels" && map != "Labels")) return fail("index works on $labels only");
        TRY(const TemplateValue key, operand());
        return label(internal::to_text(key));
    }

    Result<TemplateValue> operand() {
        skip_space();
        if (rest_.empty()) return fail("missing value");
        const char first = rest_.front();
        if (first == '$' || first == '.') return variable();
        if (first == '"' || first == '`') return text(first);
        return number();
    }

    // $labels.name, $value, .Labels.name, .Value
    Result<TemplateValue> variable() {
        const char sigil = rest_.front();
        rest_.remove_prefix(1);
        const std::string_view word = name();
        if (word == (sigil == '$' ? "value" : "Value")) return TemplateValue(value_);
        if (word != (sigil == '$' ? "labels" : "Labels")) {
            return fail(std::string("undefined variable \"") + sigil + std::string(word) + "\"");
        }
        if (!rest_.starts_with('.')) return TemplateValue(labels_ == nullptr ? "{}" : labels_->text());
        rest_.remove_prefix(1);
        return label(name());
    }

    Result<TemplateValue> text(char delimiter) {
        rest_.remove_prefix(1);
        std::string out;
        while (!rest_.empty() && rest_.front() != delimiter) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '\\' && delimiter == '"' && !rest_.empty()) {
                c = rest_.front();
                rest_.remove_prefix(1);
                if (c == 'n') c = '\n';
                if (c == 't') c = '\t';
            }
            out += c;
        }
        if (rest_.empty()) return fail("unterminated quoted string");
        rest_.remove_prefix(1);
        return TemplateValue(std::move(out));
    }

    Result<TemplateValue> number() {
        double value = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc()) return fail("unexpected \"" + std::string(rest_) + "\"");
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return TemplateValue(value);
    }

    std::string_view rest_;
    const tsdb::Labels* labels_;
    double value_;
};

// Where the action that starts at 0 ends: the }} outside of quotes.
std::size_t end_of_action(std::string_view text) {
    char quote = '\0';
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        const char c = text[i];
        if (quote != '\0') {
            if (c == '\\' && quote == '"') {
                ++i;
            } else if (c == quote) {
                quote = '\0';
            }
        } else if (c == '"' || c == '`') {
            quote = c;
        } else if (c == '}' && text[i + 1] == '}') {
            return i;
        }
    }
    return std::string_view::npos;
}

Result<std::string> expand_with(std::string_view text, const tsdb::Labels* labels, double value) {
    std::string out;
    const std::string whole(text);
    while (!text.empty()) {
        const std::size_t open = std::min(text.find("{{"), text.size());
        out += text.substr(0, open);
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t place = whole.size() - text.size();
        text.remove_prefix(2);
        if (text.size() > 1 && text[0] == '-' && is_space(text[1])) {
            while (!out.empty() && is_space(out.back())) out.pop_back();
            text.remove_prefix(1);
        }
        const std::size_t close = end_of_action(text);
        if (close == std::string_view::npos) {
            return Error{Errc::InvalidArgument, "template: unclosed action at offset " + std::to_string(place)};
        }
        std::string_view action = text.substr(0, close);
        text.remove_prefix(close + 2);
        if (action.size() > 1 && action.back() == '-' && is_space(action[action.size() - 2])) {
            action.remove_suffix(1);
            while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
        }
        if (action.starts_with("/*") && action.ends_with("*/")) continue;
        auto result = Action(action, labels, value).run();
        if (!result) {
            return std::move(result).error().context("template: at offset " + std::to_string(place));
        }
        out += *result;
    }
    return out;
}

}  // namespace

Result<std::string> expand(std::string_view text, const tsdb::Labels& labels, double value) {
    return expand_with(text, &labels, value);
}

Result<Unit> check_template(std::string_view text) {
    if (auto result = expand_with(text, nullptr, 0); !result) return std::move(result).error();
    return Unit{};
}

}  // namespace stoker::alert
