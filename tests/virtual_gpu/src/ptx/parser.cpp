#include "ptx/parser.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <optional>
#include <utility>

#include "ptx/lexer.h"

namespace vgpu::ptx {
namespace {

using Kind = Token::Kind;

std::optional<Space> space_from(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Space>, 5> kSpaces{{{"global", Space::global},
                                                                       {"shared", Space::shared},
                                                                       {"local", Space::local},
                                                                       {"const", Space::constant},
                                                                       {"param", Space::param}}};
  for (const auto& [text, space] : kSpaces) {
    if (text == name) return space;
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(tokenize(text)) {
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      module_.lines.emplace_back(text.substr(at, end - at));
      at = end + 1;
    }
  }

  Module run() {
    while (peek().kind != Kind::end) top_level();
    return std::move(module_);
  }

 private:
  // Tokens.
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() {
    const Token& token = peek();
    if (at_ < tokens_.size() - 1) ++at_;
    return token;
  }
  bool is(char symbol) const { return peek().kind == Kind::symbol && peek().text[0] == symbol; }
  bool accept(char symbol) {
    if (!is(symbol)) return false;
    take();
    return true;
  }
  void expect(char symbol) {
    if (!accept(symbol)) fail(std::string("'") + symbol + "'");
  }
  bool is_directive(std::string_view name) const { return peek().kind == Kind::directive && peek().text == name; }
  bool accept_directive(std::string_view name) {
    if (!is_directive(name)) return false;
    take();
    return true;
  }
  std::string word() {
    if (peek().kind != Kind::word) fail("a name");
    return std::string(take().text);
  }
  void skip_line() {
    for (const std::uint32_t line = peek().line; peek().kind != Kind::end && peek().line == line;) take();
  }
  void skip_braces() {
    expect('{');
    for (int depth = 1; depth > 0;) {
      if (peek().kind == Kind::end) fail("'}'");
      depth += is('{') ? 1 : is('}') ? -1 : 0;
      take();
    }
  }

  [[noreturn]] void fail(const std::string& expected) const {
    const Token& token = peek();
    const std::string found = token.kind == Kind::end ? "the end of the file" : "'" + std::string(token.text) + "'";
    fail_at(token.line, "expected " + expected + ", found " + found);
  }
  [[noreturn]] void fail_at(std::uint32_t line, const std::string& what) const {
    std::string text = line - 1 < module_.lines.size() ? module_.lines[line - 1] : std::string();
    text.erase(0, text.find_first_not_of(" \t"));
    throw Error("PTX line " + std::to_string(line) + ": " + what + ": " + text);
  }

  // PTX ISA, 4.5 "Constants".
  Operand number(bool minus) {
    const std::string text(take().text);
    Operand operand;
    if (text.size() > 1 && text[0] == '0' && (text[1] == 'f' || text[1] == 'F')) {
      operand.kind = Operand::Kind::real;
      operand.real = std::bit_cast<float>(static_cast<std::uint32_t>(std::strtoul(text.c_str() + 2, nullptr, 16)));
    } else if (text.size() > 1 && text[0] == '0' && (text[1] == 'd' || text[1] == 'D')) {
      operand.kind = Operand::Kind::real;
      operand.real = std::bit_cast<double>(static_cast<std::uint64_t>(std::strtoull(text.c_str() + 2, nullptr, 16)));
    } else if (text.find('.') != std::string::npos) {
      operand.kind = Operand::Kind::real;
      operand.real = std::strtod(text.c_str(), nullptr);
    } else {
      operand.kind = Operand::Kind::integer;
      const bool binary = text.size() > 1 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B');
      operand.integer =
          static_cast<std::int64_t>(std::strtoull(text.c_str() + (binary ? 2 : 0), nullptr, binary ? 2 : 0));
    }
    if (minus) {
      operand.real = -operand.real;
      operand.integer = static_cast<std::int64_t>(-static_cast<std::uint64_t>(operand.integer));
    }
    return operand;
  }

  std::int64_t integer() {
    const bool minus = accept('-');
    if (peek().kind != Kind::number) fail("an integer");
    const Operand operand = number(minus);
    if (operand.kind != Operand::Kind::integer) fail("an integer");
    return operand.integer;
  }

  // Module level. PTX ISA, 11 "Directives".
  void top_level() {
    if (accept(';')) return;
    if (peek().kind != Kind::directive) fail("a directive");
    const std::string name(peek().text);
    if (name == "version") {
      take();
      const std::string text(take().text);
      module_.version_major = std::atoi(text.c_str());
      module_.version_minor = std::atoi(text.c_str() + std::min(text.find('.') + 1, text.size()));
    } else if (name == "target") {
      take();
      module_.target = word();
      while (accept(',')) word();
    } else if (name == "address_size") {
      take();
      if (integer() != 64) fail_at(peek().line, "expected .address_size 64");
    } else if (name == "file") {
      take();
      const auto index = static_cast<std::uint32_t>(integer());
      if (peek().kind != Kind::string) fail("a file name");
      module_.files[index] = std::string(peek().text);
      skip_line();
    } else if (name == "section") {
      while (!is('{') && peek().kind != Kind::end) take();
      skip_braces();
    } else if (name == "loc" || name == "pragma" || name == "alias") {
      if (name == "alias") fail("a module without .alias");
      skip_line();
    } else {
      declaration();
    }
  }

  void declaration() {
    bool is_extern = false;
    while (is_directive("visible") || is_directive("extern") || is_directive("weak") || is_directive("common")) {
      is_extern |= take().text == "extern";
    }
    if (is_directive("entry") || is_directive("func")) {
      function();
      return;
    }
    module_.variables.push_back(variable(is_extern));
    expect(';');
  }

  // PTX ISA, 5.4 "Variables"; also a kernel's or function's formal parameter.
  Variable variable(bool is_extern) {
    Variable v;
    v.is_extern = is_extern;
    if (peek().kind != Kind::directive) fail("a state space");
    const auto space = space_from(peek().text);
    if (!space) fail("a directive or a state space that this parser knows");
    take();
    v.space = *space;
    std::uint64_t vector = 1;
    bool have_type = false;
    while (peek().kind == Kind::directive) {
      const std::string name(take().text);
      if (name == "align") {
        v.alignment = static_cast<std::uint64_t>(integer());
      } else if (name == "ptr") {
        // `.ptr .space .align n` tells what a pointer parameter points at; only the pointer itself matters here.
        while (peek().kind == Kind::directive) {
          if (take().text == "align") integer();
        }
      } else if (name == "v2" || name == "v4") {
        vector = name == "v2" ? 2 : 4;
      } else if (name == "attribute") {
        expect('(');
        while (!accept(')')) take();
      } else if (const Type type = type_from(name); type != Type::none) {
        v.type = type;
        have_type = true;
      } else {
        --at_;
        fail("a type or an attribute of a variable");
      }
    }
    if (!have_type) fail("a type");
    v.name = word();
    v.elements = vector;
    if (vector > 1 && v.alignment == 0) v.alignment = vector * size_of(v.type);
    while (accept('[')) {
      v.is_array = true;
      v.elements *= is(']') ? 0 : static_cast<std::uint64_t>(integer());
      expect(']');
    }
    if (accept('=')) {
      initialiser(v);
      if (v.is_array && v.elements == 0) v.elements = v.initial.size();
    }
    return v;
  }

  // PTX ISA, 5.4.4 "Initializers".
  void initialiser(Variable& v) {
    if (accept('{')) {
      do {
        if (is('}')) break;
        initialiser(v);
      } while (accept(','));
      expect('}');
      return;
    }
    Initialiser element;
    if (peek().kind == Kind::number || is('-')) {
      const bool minus = accept('-');
      const Operand literal = number(minus);
      if (is('(')) fail("an initialiser without a byte mask");
      element.integer = literal.integer;
      element.real = literal.real;
      element.is_real = literal.kind == Operand::Kind::real;
    } else {
      element.symbol = word();
      if (element.symbol == "generic" && accept('(')) {
        element.symbol = word();
        offset(element.integer);
        expect(')');
      }
      offset(element.integer);
    }
    v.initial.push_back(element);
  }

  void offset(std::int64_t& value) {
    if (accept('+')) {
      value += integer();
    } else if (is('-')) {
      value += integer();
    }
  }

  // PTX ISA, 5.3.2 and 11.1: kernel and function directives.
  void function() {
    Function f;
    f.line = peek().line;
    f.is_entry = take().text == "entry";
    if (is('(')) f.results = parameters();
    f.name = word();
    if (is('(')) f.parameters = parameters();
    while (peek().kind == Kind::directive) {
      const std::string name(take().text);
      auto& values = f.directives[name];
      if (name == "pragma") {
        while (!accept(';')) take();
        continue;
      }
      while (peek().kind == Kind::number) {
        values.push_back(static_cast<std::uint32_t>(integer()));
        if (!accept(',')) break;
      }
    }
    if (!accept(';')) {
      f.has_body = true;
      body(f);
    }
    module_.functions.push_back(std::move(f));
  }

  std::vector<Variable> parameters() {
    std::vector<Variable> list;
    expect('(');
    while (!accept(')')) {
      if (is_directive("reg")) fail("parameters in the .param space");
      list.push_back(variable(false));
      if (!is(')')) expect(',');
    }
    return list;
  }

  void body(Function& f) {
    expect('{');
    source_ = {};
    for (int depth = 1; depth > 0;) {
      if (peek().kind == Kind::end) fail("'}'");
      Statement s;
      s.line = peek().line;
      s.source = source_;
      if (accept('{')) {
        ++depth;
        s.kind = Statement::Kind::open_scope;
        f.body.push_back(std::move(s));
      } else if (accept('}')) {
        --depth;
        s.kind = Statement::Kind::close_scope;
        if (depth > 0) f.body.push_back(std::move(s));
      } else if (accept(';')) {
        continue;
      } else if (peek().kind == Kind::directive) {
        body_directive(f, std::move(s));
      } else if (peek().kind == Kind::word && peek(1).kind == Kind::symbol && peek(1).text == ":") {
        label(f, std::move(s));
      } else {
        s.instruction = instruction();
        f.body.push_back(std::move(s));
      }
    }
  }

  void label(Function& f, Statement s) {
    s.label = word();
    expect(':');
    if (accept_directive("branchtargets")) {
      s.kind = Statement::Kind::branch_targets;
      do {
        s.targets.push_back(word());
      } while (accept(','));
      expect(';');
    } else if (is_directive("callprototype") || is_directive("calltargets")) {
      // What an indirect call may reach is known when it is made; its arguments tell their sizes themselves.
      s.kind = Statement::Kind::call_prototype;
      while (!accept(';')) {
        if (peek().kind == Kind::end) fail("';'");
        take();
      }
    } else {
      s.kind = Statement::Kind::label;
    }
    f.body.push_back(std::move(s));
  }

  void body_directive(Function& f, Statement s) {
    const std::string name(peek().text);
    if (name == "loc") {
      take();
      source_.file = static_cast<std::uint32_t>(integer());
      source_.line = static_cast<std::uint32_t>(integer());
      source_.caller_line = 0;
      for (const std::uint32_t line = peek().line; peek().kind != Kind::end && peek().line == line;) {
        if (take().text != "inlined_at") continue;
        source_.caller_file = static_cast<std::uint32_t>(integer());
        source_.caller_line = static_cast<std::uint32_t>(integer());
      }
    } else if (name == "reg") {
      take();
      if (peek().kind != Kind::directive) fail("a type");
      s.kind = Statement::Kind::registers;
      s.registers.type = type_from(peek().text);
      if (s.registers.type == Type::none) fail("a register type");
      take();
      do {
        s.registers.name = word();
        s.registers.count = 0;
        if (accept('<')) {
          s.registers.count = static_cast<std::uint32_t>(integer());
          expect('>');
        }
        f.body.push_back(s);
      } while (accept(','));
      expect(';');
    } else if (name == "pragma") {
      while (!accept(';')) take();
    } else {
      s.kind = Statement::Kind::variable;
      s.variable = variable(false);
      expect(';');
      f.body.push_back(std::move(s));
    }
  }

  Instruction instruction() {
    Instruction in;
    if (accept('@')) {
      in.guard_negated = accept('!');
      in.guard = word();
    }
    in.opcode.push_back(word());
    while (peek().kind == Kind::directive) in.opcode.emplace_back(take().text);
    while (!accept(';')) {
      in.operands.push_back(operand());
      if (!is(';')) expect(',');
    }
    return in;
  }

  Operand operand() {
    Operand result = simple_operand();
    if (accept('|')) {
      Operand pair;
      pair.kind = Operand::Kind::pair;
      pair.items = {std::move(result), simple_operand()};
      return pair;
    }
    return result;
  }

  Operand simple_operand() {
    Operand result;
    if (accept('!')) {
      result = simple_operand();
      result.negated = true;
    } else if (is('{') || is('(')) {
      const char close = take().text[0] == '{' ? '}' : ')';
      result.kind = Operand::Kind::vector;
      while (!accept(close)) {
        result.items.push_back(simple_operand());
        if (!is(close)) expect(',');
      }
    } else if (accept('[')) {
      result = address();
    } else if (peek().kind == Kind::number || is('-') || is('+')) {
      const bool minus = accept('-');
      accept('+');
      if (peek().kind != Kind::number) fail("a number");
      result = number(minus);
    } else {
      result.name = word();
      // A component of a special register (%tid.x) or a symbol with an offset (mov's variable + 8).
      while (peek().kind == Kind::directive && peek().glued) result.name += "." + std::string(take().text);
      offset(result.integer);
    }
    return result;
  }

  // PTX ISA, 6.4.1 "Using Addresses, Arrays, and Vectors".
  Operand address() {
    Operand result;
    result.kind = Operand::Kind::address;
    if (peek().kind == Kind::number) {
      result.integer = integer();
    } else {
      result.name = word();
      offset(result.integer);
    }
    while (accept(',')) result.items.push_back(simple_operand());
    expect(']');
    return result;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  SourceLocation source_;
  Module module_;
};

}  // namespace

Module parse(std::string_view text) { return Parser(text).run(); }

}  // namespace vgpu::ptx
