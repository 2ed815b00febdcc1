#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "alert/template_functions.h"
#include "alert/template_lexer.h"
#include "alert/template_tree.h"
#include "promql/string_literal.h"

namespace stoker::alert::internal {
namespace {

using Kind = Token::Kind;

bool is_keyword(std::string_view name) {
    constexpr std::string_view kKeywords[] = {"if",     "else",     "end",   "range", "with",
                                              "define", "template", "block", "break", "continue"};
    return std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords);
}

// 1, -2, 0x1f, 1_000 as integers; 1.5, 1e3 as floats; as Go tells constants apart.
std::optional<TemplateValue> number_value(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.empty()) return std::nullopt;
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
        const char mark = static_cast<char>(digits[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : 10;
        if (base != 10) digits.remove_prefix(2);
    }
    std::uint64_t whole = 0;
    const char* last = digits.data() + digits.size();
    if (const auto [end, error] = std::from_chars(digits.data(), last, whole, base);
        error == std::errc() && end == last) {
        const std::uint64_t most = std::uint64_t{1} << 63;
        if (whole < most) return negative ? -static_cast<std::int64_t>(whole) : static_cast<std::int64_t>(whole);
        if (negative && whole == most) return std::numeric_limits<std::int64_t>::min();
        return std::nullopt;
    }
    double value = 0;
    const auto style = base == 16 ? std::chars_format::hex : std::chars_format::general;
    if (digits.find_first_of("nN") != std::string_view::npos) return std::nullopt;  // No "inf" or "nan".
    if (const auto [end, error] = std::from_chars(digits.data(), last, value, style);
        error == std::errc() && end == last) {
        return negative ? -value : value;
    }
    return std::nullopt;
}

std::string quoted(const std::string& text) {
    return "\"" + text + "\"";
}

class TemplateParser {
public:
    explicit TemplateParser(TemplateTree& tree) : tree_(tree), lexer_(tree.source) { advance(); }

    Result<Unit> run() {
        TRY(const Ending ending, nodes(tree_.root, 0));
        if (ending != Ending::Source)
            return fail("unexpected {{" + std::string(ending == Ending::End ? "end" : "else") + "}}");
        return Unit{};
    }

private:
    enum class Ending : std::uint8_t { Source, End, Else };
    // What a nested list of nodes may see: variables declared so far are dropped where it ends.
    struct Scope {
        explicit Scope(TemplateParser& of) : parser(of), size(of.variables_.size()) {}
        ~Scope() { parser.variables_.resize(size); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        TemplateParser& parser;
        std::size_t size;
    };

    void advance() { token_ = lexer_.next(); }
    void skip_space() {
        while (token_.kind == Kind::Space) advance();
    }

    Error fail(const std::string& what) const {
        const auto line =
            1 + std::count(tree_.source.begin(), tree_.source.begin() + static_cast<std::ptrdiff_t>(token_.at), '\n');
        Error error{Errc::InvalidArgument, "template: " + tree_.name + ":" + std::to_string(line) + ": " + what};
        if (token_.at < std::numeric_limits<std::uint16_t>::max())
            error.detail = static_cast<std::uint16_t>(token_.at + 1);
        return error;
    }
    Error unexpected(const std::string& where) const {
        if (token_.kind == Kind::Problem) return fail(token_.text);
        if (token_.kind == Kind::End) return fail("unexpected EOF");
        if (token_.kind == Kind::Close) return fail("unexpected \"}}\" in " + where);
        return fail("unexpected <" + token_.text + "> in " + where);
    }

    // Up to {{end}} or {{else...}}, whose name is then the current token's predecessor.
    Result<Ending> nodes(std::vector<Node>& into, int depth) {
        if (depth > kMostDepth) return fail("blocks nested too deep");
        while (true) {
            if (token_.kind == Kind::End) return Ending::Source;
            if (token_.kind == Kind::Problem) return fail(token_.text);
            if (token_.kind == Kind::Text) {
                Node node;
                node.at = token_.at;
                node.text = std::move(token_.text);
                into.push_back(std::move(node));
                advance();
                continue;
            }
            advance();  // The {{
            skip_space();
            if (token_.kind == Kind::Name && is_keyword(token_.text)) {
                const std::string keyword = token_.text;
                if (keyword == "end" || keyword == "else") {
                    advance();
                    if (keyword == "end") {
                        TRY_UNIT(close("end"));
                        return Ending::End;
                    }
                    return Ending::Else;
                }
                TRY_UNIT(statement(keyword, into, depth));
                continue;
            }
            Node node;
            node.kind = Node::Kind::Action;
            node.at = token_.at;
            TRY(node.pipeline, pipeline("command", Kind::Close, depth));
            into.push_back(std::move(node));
        }
    }

    Result<Unit> close(const std::string& where) {
        skip_space();
        if (token_.kind != Kind::Close) return unexpected(where);
        advance();
        return Unit{};
    }

    Result<Unit> statement(const std::string& keyword, std::vector<Node>& into, int depth) {
        Node node;
        node.at = token_.at;
        advance();
        if (keyword == "define") return define(into.size(), depth);
        if (keyword == "template" || keyword == "block") {
            TRY_UNIT(call_template(keyword, node, depth));
        } else if (keyword == "break" || keyword == "continue") {
            if (loops_ == 0) return fail("{{" + keyword + "}} outside {{range}}");
            node.kind = keyword == "break" ? Node::Kind::Break : Node::Kind::Continue;
            TRY_UNIT(close("{{" + keyword + "}}"));
        } else {
            TRY_UNIT(branch(keyword, node, depth));
        }
        into.push_back(std::move(node));
        return Unit{};
    }

    Result<Unit> branch(const std::string& keyword, Node& node, int depth) {
        if (depth > kMostDepth) return fail("blocks nested too deep");
        const Scope scope(*this);
        node.kind = keyword == "if" ? Node::Kind::If : keyword == "with" ? Node::Kind::With : Node::Kind::Range;
        TRY(node.pipeline, pipeline(keyword, Kind::Close, depth));
        const bool loop = keyword == "range";
        loops_ += loop ? 1 : 0;
        TRY(Ending ending, scoped_nodes(node.body, depth));
        loops_ -= loop ? 1 : 0;
        if (ending == Ending::Else) {
            skip_space();
            // {{else if}} and {{else with}} are a block of their own that shares our {{end}}.
            if (token_.kind == Kind::Name && token_.text == keyword && !loop) {
                Node inner;
                inner.at = token_.at;
                advance();
                TRY_UNIT(branch(keyword, inner, depth + 1));
                node.otherwise.push_back(std::move(inner));
                return Unit{};
            }
            TRY_UNIT(close("else"));
            TRY(ending, scoped_nodes(node.otherwise, depth));
            if (ending == Ending::Else) return fail("expected end; found {{else}}");
        }
        if (ending == Ending::Source) return fail("unexpected EOF");
        return Unit{};
    }

    Result<Ending> scoped_nodes(std::vector<Node>& into, int depth) {
        const Scope scope(*this);
        return nodes(into, depth + 1);
    }

    Result<std::string> template_name(const std::string& where) {
        skip_space();
        if (token_.kind != Kind::String && token_.kind != Kind::RawString) return unexpected(where);
        auto literal = promql::read_string(token_.text);
        if (!literal.problem.empty()) return fail("invalid syntax");
        advance();
        return std::move(literal.text);
    }

    // Blocks of their own: they see $ and nothing else.
    Result<Unit> define_as(const std::string& name, int depth) {
        auto outer = std::exchange(variables_, {"$"});
        const int loops = std::exchange(loops_, 0);
        std::vector<Node> body;
        TRY(const Ending ending, nodes(body, depth + 1));
        if (ending != Ending::End)
            return fail("unexpected " + std::string(ending == Ending::Else ? "{{else}}" : "EOF") + " in define clause");
        variables_ = std::move(outer);
        loops_ = loops;
        tree_.defined[name] = std::move(body);
        return Unit{};
    }

    Result<Unit> define(std::size_t, int depth) {
        if (depth > 0) return fail("unexpected {{define}}");
        TRY(const std::string name, template_name("define clause"));
        TRY_UNIT(close("define clause"));
        return define_as(name, depth);
    }

    Result<Unit> call_template(const std::string& keyword, Node& node, int depth) {
        node.kind = Node::Kind::Template;
        TRY(node.text, template_name(keyword + " clause"));
        skip_space();
        if (token_.kind == Kind::Close) {
            if (keyword == "block") return unexpected("block clause");
            advance();
        } else {
            TRY(node.pipeline, pipeline(keyword + " clause", Kind::Close, depth));
        }
        if (keyword == "block") return define_as(node.text, depth);
        return Unit{};
    }

    // Up to and with `end`, which is a Close or a CloseParen.
    Result<Pipeline> pipeline(const std::string& where, Kind end, int depth) {
        if (depth > kMostDepth) return fail("nested too deep");
        Pipeline made;
        skip_space();
        made.at = token_.at;
        std::optional<Operand> first;
        if (token_.kind == Kind::Variable) {
            TRY_UNIT(declaration(made, first, where == "range"));
        }
        while (true) {
            skip_space();
            if (token_.kind == end && !first) return fail("missing value for " + where);
            TRY(Command one, command(std::exchange(first, std::nullopt), depth));
            if (!made.commands.empty() && one.operands[0].kind != Operand::Kind::Function &&
                one.operands[0].fields.empty() && one.operands[0].kind != Operand::Kind::Variable &&
                one.operands[0].kind != Operand::Kind::Group) {
                return fail("non executable command in pipeline stage " + std::to_string(made.commands.size() + 1));
            }
            made.commands.push_back(std::move(one));
            skip_space();
            if (token_.kind == end) break;
            if (token_.kind != Kind::Pipe) return unexpected(where);
            advance();
            skip_space();
            if (token_.kind == end) return fail("missing value for " + where);
        }
        advance();
        if (made.declares) variables_.insert(variables_.end(), made.variables.begin(), made.variables.end());
        return made;
    }

    // `$x :=`, `$x =`, `$i, $x :=`; a variable that is none of these is left in `first`.
    Result<Unit> declaration(Pipeline& made, std::optional<Operand>& first, bool loop) {
        Operand variable;
        variable.kind = Operand::Kind::Variable;
        variable.at = token_.at;
        variable.name = token_.text;
        variable.end = token_.at + token_.text.size();
        advance();
        if (token_.kind == Kind::Space) {
            skip_space();
            if (token_.kind != Kind::Assign && token_.kind != Kind::Declare && token_.kind != Kind::Comma) {
                TRY_UNIT(known(variable.name));
                pending_space_ = true;
                first = std::move(variable);
                return Unit{};
            }
        }
        if (token_.kind == Kind::Comma && loop) {
            advance();
            skip_space();
            if (token_.kind != Kind::Variable) return unexpected("range");
            made.variables.push_back(variable.name);
            variable.name = token_.text;
            advance();
            skip_space();
        } else if (token_.kind == Kind::Comma) {
            return fail("too many declarations in command");
        }
        if (token_.kind != Kind::Assign && token_.kind != Kind::Declare) {
            if (!made.variables.empty()) return unexpected("range");
            TRY_UNIT(known(variable.name));
            first = std::move(variable);
            return Unit{};
        }
        made.declares = token_.kind == Kind::Declare;
        made.variables.push_back(variable.name);
        if (!made.declares) {
            for (const std::string& name : made.variables) TRY_UNIT(known(name));
        }
        advance();
        return Unit{};
    }

    Result<Unit> known(const std::string& variable) const {
        if (std::find(variables_.begin(), variables_.end(), variable) != variables_.end()) return Unit{};
        return fail("undefined variable " + quoted(variable));
    }

    Result<Command> command(std::optional<Operand> first, int depth) {
        Command made;
        made.at = first ? first->at : token_.at;
        while (true) {
            if (first) {
                if (!std::exchange(pending_space_, false)) fields(*first);
                made.operands.push_back(*std::exchange(first, std::nullopt));
            } else {
                TRY(Operand one, operand(depth));
                made.operands.push_back(std::move(one));
            }
            made.end = made.operands.back().end;
            const bool space = token_.kind == Kind::Space || made.end < token_.at;
            skip_space();
            if (token_.kind == Kind::Pipe || token_.kind == Kind::Close || token_.kind == Kind::CloseParen) return made;
            if (!space || token_.kind == Kind::Problem || token_.kind == Kind::End) return unexpected("operand");
        }
    }

    void fields(Operand& of) {
        while (token_.kind == Kind::Field) {
            of.fields.push_back(token_.text.substr(1));
            of.end = token_.at + token_.text.size();
            advance();
        }
    }

    Result<Operand> operand(int depth) {
        Operand made;
        made.at = token_.at;
        made.end = token_.at + token_.text.size();
        switch (token_.kind) {
            case Kind::Name:
                TRY_UNIT(name(made));
                break;
            case Kind::Dot:
                break;
            case Kind::Field:
                made.fields.push_back(token_.text.substr(1));
                break;
            case Kind::Variable:
                TRY_UNIT(known(token_.text));
                made.kind = Operand::Kind::Variable;
                made.name = token_.text;
                break;
            case Kind::OpenParen: {
                advance();
                TRY(Pipeline inner, pipeline("parenthesized pipeline", Kind::CloseParen, depth + 1));
                made.kind = Operand::Kind::Group;
                made.group = std::make_shared<const Pipeline>(std::move(inner));
                made.end = token_.at;
                fields(made);
                return made;
            }
            default:
                TRY_UNIT(constant(made));
                break;
        }
        advance();
        fields(made);
        if (!made.fields.empty() && (made.kind == Operand::Kind::Constant || made.kind == Operand::Kind::Nil)) {
            return fail("unexpected . after term");
        }
        return made;
    }

    Result<Unit> name(Operand& made) const {
        const std::string& text = token_.text;
        if (text == "true" || text == "false") {
            made.kind = Operand::Kind::Constant;
            made.constant = text == "true";
        } else if (text == "nil") {
            made.kind = Operand::Kind::Nil;
        } else if (is_keyword(text)) {
            return unexpected("operand");
        } else if (!is_function(text)) {
            return fail("function " + quoted(text) + " not defined");
        } else {
            made.kind = Operand::Kind::Function;
            made.name = text;
        }
        return Unit{};
    }

    Result<Unit> constant(Operand& made) const {
        made.kind = Operand::Kind::Constant;
        if (token_.kind == Kind::Number) {
            const auto value = number_value(token_.text);
            if (!value) return fail("bad number syntax: " + quoted(token_.text));
            made.constant = *value;
            return Unit{};
        }
        if (token_.kind != Kind::String && token_.kind != Kind::RawString && token_.kind != Kind::Char) {
            return unexpected("operand");
        }
        const auto literal = promql::read_string(token_.text);
        if (!literal.problem.empty()) return fail("invalid syntax");
        if (token_.kind != Kind::Char) {
            made.constant = literal.text;
            return Unit{};
        }
        if (literal.text.size() != 1) return fail("malformed character constant: " + token_.text);
        made.constant = static_cast<std::int64_t>(static_cast<unsigned char>(literal.text[0]));
        return Unit{};
    }

    TemplateTree& tree_;
    TemplateLexer lexer_;
    Token token_;
    std::vector<std::string> variables_{"$"};
    int loops_ = 0;
    bool pending_space_ = false;  // A space came after the variable that `declaration` left over.
};

}  // namespace

std::string TemplateTree::place(std::size_t at) const {
    const std::string_view before = std::string_view(source).substr(0, at);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
    return "template: " + name + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Result<TemplateTree> parse_template(std::string_view source, std::string name) {
    TemplateTree tree;
    tree.name = std::move(name);
    tree.source = std::string(source);
    TRY_UNIT(TemplateParser(tree).run());
    return tree;
}

}  // namespace stoker::alert::internal
