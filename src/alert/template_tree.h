// The syntax tree of a template, and its parser: the whole of Go's text/template language.
//
//   {{ pipeline }}  {{ $x := pipeline }}  {{ $x = pipeline }}
//   {{ if p }} {{ else if p }} {{ else }} {{ end }}      likewise with, range (with break and continue)
//   {{ define "name" }} {{ end }}  {{ template "name" p }}  {{ block "name" p }} {{ end }}
//
// Parsing is pure and bounded by the text's length and kMostDepth. Trees are immutable: thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alert/template_value.h"
#include "base/result.h"

namespace stoker::alert::internal {

// Of nested blocks and parentheses.
inline constexpr int kMostDepth = 100;

struct Pipeline;

// One argument, or what stands in a function's place.
struct Operand {
    enum class Kind : std::uint8_t { Dot, Nil, Constant, Variable, Function, Group };
    Kind kind = Kind::Dot;
    std::string name;                       // Of the variable ("$x") or the function.
    TemplateValue constant;                 // Bool, number or text.
    std::shared_ptr<const Pipeline> group;  // In parentheses.
    std::vector<std::string> fields;        // .a.b after it.
    std::size_t at = 0;
    std::size_t end = 0;
};

struct Command {
    std::vector<Operand> operands;  // At least one.
    std::size_t at = 0;
    std::size_t end = 0;
};

struct Pipeline {
    std::vector<std::string> variables;  // Set to the result; for `range` one or two.
    bool declares = false;               // := rather than =
    std::vector<Command> commands;       // At least one.
    std::size_t at = 0;
};

struct Node {
    enum class Kind : std::uint8_t { Text, Action, If, With, Range, Template, Break, Continue };
    Kind kind = Kind::Text;
    std::string text;   // The text, or the template's name.
    Pipeline pipeline;  // Empty for text, break, continue, and a template that is given nothing.
    std::vector<Node> body;
    std::vector<Node> otherwise;
    std::size_t at = 0;
};

struct TemplateTree {
    std::string name;  // For messages.
    std::string source;
    std::vector<Node> root;
    std::map<std::string, std::vector<Node>> defined;

    // "template: NAME:LINE:COLUMN" of an offset, the column from 0 in bytes, as Go has it.
    std::string place(std::size_t at) const;
};

// Errors: InvalidArgument, "template: NAME:LINE: what is wrong", Error::detail then being the offset from 1 (0: too
// large).
Result<TemplateTree> parse_template(std::string_view source, std::string name);

}  // namespace stoker::alert::internal
