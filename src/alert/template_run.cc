#include "alert/template_run.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace stoker::alert::internal {
namespace {

// How a list of nodes was left.
enum class Flow : std::uint8_t { On, Break, Continue };

class Walk {
public:
    Walk(const TemplateTree& tree, const TemplateValue& data, FunctionContext context)
        : tree_(tree), context_(std::move(context)), executing_(tree.name) {
        variables_.emplace_back("$", data);
    }

    Result<std::string> run() {
        const TemplateValue data = variables_[0].second;  // variables_ moves as it grows.
        TRY(const Flow flow, nodes(tree_.root, data));
        static_cast<void>(flow);
        return std::move(out_);
    }

private:
    struct Scope {
        explicit Scope(Walk& of) : walk(of), size(of.variables_.size()) {}
        ~Scope() { walk.variables_.resize(size); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        Walk& walk;
        std::size_t size;
    };

    Error fail(std::size_t at, std::size_t end, const std::string& what, Errc code = Errc::InvalidArgument) const {
        std::string shown = tree_.source.substr(at, end - at);
        if (shown.size() > 20) shown = shown.substr(0, 20) + "...";
        return Error{code, tree_.place(at) + ": executing \"" + executing_ + "\" at <" + shown + ">: " + what};
    }
    Error fail(const Operand& at, const std::string& what) const { return fail(at.at, at.end, what); }

    Result<Unit> step(std::size_t at) {
        if (++steps_ > context_.limits.steps) {
            return fail(at, at, "more than " + std::to_string(context_.limits.steps) + " steps",
                        Errc::ResourceExhausted);
        }
        if (steps_ % 256 == 0 && std::chrono::steady_clock::now() > context_.deadline) {
            return fail(at, at, "the template takes too long", Errc::DeadlineExceeded);
        }
        return Unit{};
    }

    Result<Unit> write(std::string_view text, std::size_t at) {
        if (out_.size() + text.size() > context_.limits.output) {
            return fail(at, at, "the text is longer than " + std::to_string(context_.limits.output) + " bytes",
                        Errc::ResourceExhausted);
        }
        out_ += text;
        return Unit{};
    }

    Result<Flow> nodes(const std::vector<Node>& list, const TemplateValue& dot) {
        for (const Node& node : list) {
            TRY_UNIT(step(node.at));
            TRY(const Flow flow, this->node(node, dot));
            if (flow != Flow::On) return flow;
        }
        return Flow::On;
    }

    Result<Flow> node(const Node& node, const TemplateValue& dot) {
        switch (node.kind) {
            case Node::Kind::Text:
                TRY_UNIT(write(node.text, node.at));
                return Flow::On;
            case Node::Kind::Action: {
                TRY(const TemplateValue value, pipeline(node.pipeline, dot));
                if (!node.pipeline.variables.empty()) return Flow::On;
                TRY_UNIT(write(std::holds_alternative<Nothing>(value) ? "<no value>" : to_text(value), node.at));
                return Flow::On;
            }
            case Node::Kind::If:
            case Node::Kind::With: {
                const Scope scope(*this);
                TRY(const TemplateValue value, pipeline(node.pipeline, dot));
                if (!is_true(value)) return nodes(node.otherwise, dot);
                return nodes(node.body, node.kind == Node::Kind::With ? value : dot);
            }
            case Node::Kind::Range:
                return range(node, dot);
            case Node::Kind::Template: {
                TemplateValue given = Nothing{};
                if (!node.pipeline.commands.empty()) {
                    TRY(given, pipeline(node.pipeline, dot));
                }
                TRY_UNIT(call_template(node.text, given, node.at));
                return Flow::On;
            }
            case Node::Kind::Break:
                return Flow::Break;
            case Node::Kind::Continue:
                return Flow::Continue;
        }
        return Flow::On;
    }

    Result<Flow> range(const Node& node, const TemplateValue& dot) {
        const Scope scope(*this);
        TRY(const TemplateValue over, pipeline(node.pipeline, dot));
        bool any = false;
        bool done = false;
        const auto once = [&](const TemplateValue& key, const TemplateValue& element) -> Result<Unit> {
            TRY_UNIT(step(node.at));
            any = true;
            const Scope inner(*this);
            const std::vector<std::string>& names = node.pipeline.variables;
            if (names.size() == 2) set(names[0], key, node.pipeline.declares);
            if (!names.empty()) set(names.back(), element, node.pipeline.declares);
            TRY(const Flow flow, nodes(node.body, element));
            done = flow == Flow::Break;
            return Unit{};
        };
        if (const auto* list = std::get_if<ListPtr>(&over)) {
            for (std::size_t i = 0; i < (*list)->elements.size() && !done; ++i) {
                TRY_UNIT(once(static_cast<std::int64_t>(i), (*list)->elements[i]));
            }
        } else if (const auto* map = std::get_if<MapPtr>(&over);
                   map != nullptr && (*map)->kind != MapValue::Kind::Struct) {
            for (auto it = (*map)->entries.begin(); it != (*map)->entries.end() && !done; ++it) {
                TRY_UNIT(once(it->first, it->second));
            }
        } else if (const auto* count = std::get_if<std::int64_t>(&over)) {
            for (std::int64_t i = 0; i < *count && !done; ++i) TRY_UNIT(once(i, i));
        } else if (!std::holds_alternative<Nothing>(over)) {
            return fail(node.pipeline.at, node.pipeline.commands.back().end,
                        "range can't iterate over " + to_text(over));
        }
        if (!any) return nodes(node.otherwise, dot);
        return Flow::On;
    }

    Result<Unit> call_template(const std::string& name, const TemplateValue& data, std::size_t at) {
        const auto found = tree_.defined.find(name);
        if (found == tree_.defined.end()) return fail(at, at, "template \"" + name + "\" not defined");
        if (depth_ >= context_.limits.depth)
            return fail(at, at, "exceeded maximum template depth", Errc::ResourceExhausted);
        ++depth_;
        auto outer = std::exchange(variables_, {{"$", data}});
        const std::string caller = std::exchange(executing_, name);
        const auto done = nodes(found->second, data);
        executing_ = caller;
        variables_ = std::move(outer);
        --depth_;
        if (!done) return done.error();
        return Unit{};
    }

    void set(const std::string& name, const TemplateValue& value, bool declare) {
        if (!declare) {
            const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                            [&](const auto& variable) { return variable.first == name; });
            if (found != variables_.rend()) {
                found->second = value;
                return;
            }
        }
        variables_.emplace_back(name, value);
    }

    // Sets its variables too, but those of `range`, which sets them for each element.
    Result<TemplateValue> pipeline(const Pipeline& made, const TemplateValue& dot) {
        std::optional<TemplateValue> value;
        for (const Command& one : made.commands) {
            TRY_UNIT(step(one.at));
            TRY(value, command(one, dot, value ? &*value : nullptr));
        }
        TemplateValue result = value ? *std::move(value) : TemplateValue(Nothing{});
        if (made.variables.size() == 1) set(made.variables[0], result, made.declares);
        if (made.variables.size() == 2 && made.declares) {
            for (const std::string& name : made.variables) set(name, result, true);
        }
        return result;
    }

    // `piped` becomes the last argument.
    Result<TemplateValue> command(const Command& made, const TemplateValue& dot, const TemplateValue* piped) {
        const Operand& first = made.operands[0];
        if (first.kind == Operand::Kind::Function) return call(made, dot, piped);
        if (first.kind == Operand::Kind::Nil) return fail(first, "nil is not a command");
        const bool given = made.operands.size() > 1 || piped != nullptr;
        if (!given) return operand(first, dot, nullptr);
        if (first.fields.empty()) {
            return fail(first,
                        "can't give argument to non-function " + tree_.source.substr(first.at, first.end - first.at));
        }
        Arguments args;
        for (std::size_t i = 1; i < made.operands.size(); ++i) {
            TRY(TemplateValue arg, operand(made.operands[i], dot, nullptr));
            args.push_back(std::move(arg));
        }
        if (piped != nullptr) args.push_back(*piped);
        return operand(first, dot, &args);
    }

    // `args` (may be null) go to the method that the operand's last field must then be.
    Result<TemplateValue> operand(const Operand& made, const TemplateValue& dot, const Arguments* args) {
        TemplateValue value;
        switch (made.kind) {
            case Operand::Kind::Dot:
                value = dot;
                break;
            case Operand::Kind::Nil:
                return TemplateValue(Nothing{});
            case Operand::Kind::Constant:
                return made.constant;
            case Operand::Kind::Variable: {
                const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                                [&](const auto& variable) { return variable.first == made.name; });
                if (found == variables_.rend()) return fail(made, "undefined variable: " + made.name);
                value = found->second;
                break;
            }
            case Operand::Kind::Function: {
                Command alone;
                alone.operands.push_back(made);
                alone.operands[0].fields.clear();
                alone.at = made.at;
                alone.end = made.end;
                TRY(value, call(alone, dot, nullptr));
                break;
            }
            case Operand::Kind::Group:
                TRY(value, pipeline(*made.group, dot));
                break;
        }
        for (std::size_t i = 0; i < made.fields.size(); ++i) {
            const bool last = i + 1 == made.fields.size();
            TRY(value, field(value, made.fields[i], made, last ? args : nullptr));
        }
        return value;
    }

    Result<TemplateValue> field(const TemplateValue& of, const std::string& name, const Operand& at,
                                const Arguments* args) {
        if (std::holds_alternative<TimeValue>(of) || std::holds_alternative<SpanValue>(of)) {
            auto result = call_method(of, name, args != nullptr ? *args : Arguments{});
            if (!result) return fail(at, result.error().message);
            return result;
        }
        if (args != nullptr) return fail(at, name + " is not a method but has arguments");
        if (const auto* map = std::get_if<MapPtr>(&of)) {
            const auto found = (*map)->entries.find(name);
            if (found != (*map)->entries.end()) return found->second;
            if ((*map)->kind == MapValue::Kind::Texts) return TemplateValue(std::string());
            if ((*map)->kind == MapValue::Kind::Anything) return TemplateValue(Nothing{});
        }
        if (std::holds_alternative<Nothing>(of)) {
            return fail(at, "nil data; no entry for key \"" + name + "\"");
        }
        return fail(at, "can't evaluate field " + name + " in type " + std::string(type_name(of)));
    }

    Result<TemplateValue> call(const Command& made, const TemplateValue& dot, const TemplateValue* piped) {
        const Operand& first = made.operands[0];
        const TemplateFunction* function = find_function(first.name);
        if (function == nullptr) return fail(first, "\"" + first.name + "\" is not a defined function");
        const std::size_t count = made.operands.size() - 1 + (piped != nullptr ? 1 : 0);
        if (count < function->least || count > function->most) {
            const std::string at_least = function->most == kAnyNumber ? "at least " : "";
            return fail(first, "wrong number of args for " + first.name + ": want " + at_least +
                                   std::to_string(function->least) + " got " + std::to_string(count));
        }
        if (first.name == "and" || first.name == "or") return and_or(made, dot, piped, first.name == "or");
        Arguments args;
        for (std::size_t i = 1; i < made.operands.size(); ++i) {
            TRY(TemplateValue arg, operand(made.operands[i], dot, nullptr));
            args.push_back(std::move(arg));
        }
        if (piped != nullptr) args.push_back(*piped);
        for (std::size_t i = 0; i < std::min<std::size_t>(args.size(), 3); ++i) {
            const Operand& place = i + 1 < made.operands.size() ? made.operands[i + 1] : first;
            TRY_UNIT(fits(function->takes[i], args[i], place));
        }
        if (first.name == "tmpl") return expand_inner(args, first);
        auto result = function->call(args, context_);
        if (result) {
            const auto* text = std::get_if<std::string>(&*result);
            if (text == nullptr || text->size() <= context_.limits.output) return result;
            return fail(first.at, first.end, "the text is too long", Errc::ResourceExhausted);
        }
        return fail(made.at, made.end, "error calling " + first.name + ": " + result.error().message,
                    result.error().code);
    }

    Result<Unit> fits(Takes takes, const TemplateValue& value, const Operand& at) const {
        const auto wrong = [&](std::string_view expected) {
            if (at.kind == Operand::Kind::Constant) {
                return fail(
                    at, "expected " + std::string(expected) + "; found " + tree_.source.substr(at.at, at.end - at.at));
            }
            return fail(at, "wrong type for value; expected " + std::string(expected) + "; got " +
                                std::string(type_name(value)));
        };
        if (takes == Takes::Text && !std::holds_alternative<std::string>(value)) return wrong("string");
        if (takes == Takes::Integer && !std::holds_alternative<std::int64_t>(value)) return wrong("int");
        if (takes == Takes::Samples && !std::holds_alternative<ListPtr>(value)) return wrong("template.queryResult");
        if (takes == Takes::Sample) {
            const auto* map = std::get_if<MapPtr>(&value);
            if (map == nullptr || !(*map)->entries.contains("Value") || !(*map)->entries.contains("Labels")) {
                return wrong("*template.sample");
            }
        }
        return Unit{};
    }

    // The first argument that decides, those after it not evaluated.
    Result<TemplateValue> and_or(const Command& made, const TemplateValue& dot, const TemplateValue* piped, bool any) {
        TemplateValue value;
        for (std::size_t i = 1; i < made.operands.size(); ++i) {
            TRY(value, operand(made.operands[i], dot, nullptr));
            if (is_true(value) == any) return value;
        }
        return piped != nullptr ? *piped : value;
    }

    // {{ tmpl "name" data }}: like {{ template }}, but yields a value and takes any text for a name.
    Result<TemplateValue> expand_inner(const Arguments& args, const Operand& at) {
        std::string before = std::exchange(out_, {});
        const auto done = call_template(std::get<std::string>(args[0]), args.size() > 1 ? args[1] : Nothing{}, at.at);
        std::string made = std::exchange(out_, std::move(before));
        if (!done) return done.error();
        return TemplateValue(std::move(made));
    }

    const TemplateTree& tree_;
    FunctionContext context_;
    std::string executing_;
    std::vector<std::pair<std::string, TemplateValue>> variables_;
    std::string out_;
    std::uint64_t steps_ = 0;
    int depth_ = 0;
};

}  // namespace

Result<std::string> run_template(const TemplateTree& tree, const TemplateValue& data, FunctionContext context) {
    return Walk(tree, data, std::move(context)).run();
}

}  // namespace stoker::alert::internal
