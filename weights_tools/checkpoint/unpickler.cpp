#include "unpickler.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string>

#include "pickle_opcodes.h"
#include "pickle_reader.h"
#include "pickle_stack.h"
#include "pickle_text.h"

namespace maskrt::weights::pickle {
namespace {

constexpr std::uint8_t kMaxProtocol = 5;

// The number on a line; empty where its type is too small for it.
template <typename Number>
std::optional<Number> parse(std::string_view line, std::string_view what) {
  Number number{};
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (end != line.data() + line.size() || error == std::errc::invalid_argument) {
    throw Error("expected " + std::string(what) + ", found \"" + std::string(line.substr(0, 32)) + "\"");
  }
  if (error == std::errc::result_out_of_range) return std::nullopt;
  return number;
}

Value integer_from_line(std::string_view line) {
  if (line == "00") return false;  // how protocols 0 and 1 write booleans
  if (line == "01") return true;
  if (line.ends_with('L')) line.remove_suffix(1);
  const auto number = parse<std::int64_t>(line, "a decimal integer");
  return number ? Value(*number) : Value(Opaque{"int"});
}

Value float_from_line(std::string_view line) {
  const auto number = parse<double>(line, "a decimal number");
  return number ? Value(*number) : Value(Opaque{"float"});
}

Value integer_from_bytes(std::span<const std::byte> little_endian) {
  if (little_endian.size() > sizeof(std::int64_t)) return BigInteger{little_endian};
  std::uint64_t bits = 0;
  for (std::size_t i = little_endian.size(); i-- > 0;) {
    bits = bits << 8 | std::to_integer<std::uint64_t>(little_endian[i]);
  }
  const bool negative = !little_endian.empty() && (little_endian.back() & std::byte{0x80}) != std::byte{0};
  if (negative && little_endian.size() < sizeof bits) bits |= ~std::uint64_t{0} << (8 * little_endian.size());
  return static_cast<std::int64_t>(bits);
}

// The only big-endian number of the format.
double float_from_bytes(std::span<const std::byte> big_endian) {
  std::uint64_t bits = 0;
  for (const auto byte : big_endian) bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
  return std::bit_cast<double>(bits);
}

// One interpreter step is one opcode. The opcodes are told apart by family; each family's function says whether the
// opcode was one of its own.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, Heap& heap, const PersistentLoad& persistent_load, LoadStorage load_storage)
      : reader_(bytes), heap_(heap), stack_(heap), persistent_load_(persistent_load), load_storage_(load_storage) {}

  Unpickled run() {
    for (;;) {
      const std::size_t start = reader_.position();
      try {
        const auto opcode = reader_.number<std::uint8_t>();
        if (opcode == STOP) return {stack_.pop(), reader_.position()};
        if (!stream_or_number(opcode) && !text_or_bytes(opcode) && !container(opcode) && !stack_or_memo(opcode) &&
            !object(opcode)) {
          throw Error("expected an opcode of pickle protocols 0 to 5, found byte " + std::to_string(opcode));
        }
      } catch (const Error& error) {
        throw Error("byte " + std::to_string(start) + " of the pickle: " + error.what());
      }
    }
  }

 private:
  bool stream_or_number(std::uint8_t opcode) {
    switch (opcode) {
      case PROTO:
        check_protocol(reader_.number<std::uint8_t>());
        break;
      case FRAME:
        check_frame(reader_.number<std::uint64_t>());
        break;
      case NONE:
        stack_.push(None{});
        break;
      case NEWTRUE:
        stack_.push(true);
        break;
      case NEWFALSE:
        stack_.push(false);
        break;
      case INT:
      case LONG:
        stack_.push(integer_from_line(reader_.line()));
        break;
      case BININT:
        stack_.push(std::int64_t{reader_.number<std::int32_t>()});
        break;
      case BININT1:
        stack_.push(std::int64_t{reader_.number<std::uint8_t>()});
        break;
      case BININT2:
        stack_.push(std::int64_t{reader_.number<std::uint16_t>()});
        break;
      case LONG1:
        stack_.push(integer_from_bytes(reader_.take(reader_.number<std::uint8_t>())));
        break;
      case LONG4: {
        const auto size = reader_.number<std::int32_t>();
        if (size < 0) throw Error("expected an integer of at least 0 bytes, found " + std::to_string(size));
        stack_.push(integer_from_bytes(reader_.take(static_cast<std::uint64_t>(size))));
        break;
      }
      case FLOAT:
        stack_.push(float_from_line(reader_.line()));
        break;
      case BINFLOAT:
        stack_.push(float_from_bytes(reader_.take(sizeof(double))));
        break;
      default:
        return false;
    }
    return true;
  }

  bool text_or_bytes(std::uint8_t opcode) {
    switch (opcode) {
      case STRING:
        stack_.push(ByteText{heap_.keep(unquote(reader_.line()))});
        break;
      case BINSTRING:
        stack_.push(ByteText{take_text<std::uint32_t>()});
        break;
      case SHORT_BINSTRING:
        stack_.push(ByteText{take_text<std::uint8_t>()});
        break;
      case UNICODE:
        stack_.push(Text{heap_.keep(utf8_from_raw_unicode_escape(reader_.line()))});
        break;
      case SHORT_BINUNICODE:
        stack_.push(Text{take_text<std::uint8_t>()});
        break;
      case BINUNICODE:
        stack_.push(Text{take_text<std::uint32_t>()});
        break;
      case BINUNICODE8:
        stack_.push(Text{take_text<std::uint64_t>()});
        break;
      case SHORT_BINBYTES:
        push_blob(reader_.number<std::uint8_t>());
        break;
      case BINBYTES:
        push_blob(reader_.number<std::uint32_t>());
        break;
      case BINBYTES8:
      case BYTEARRAY8:
        push_blob(reader_.number<std::uint64_t>());
        break;
      case NEXT_BUFFER:
      case READONLY_BUFFER:
        throw Error("refused an out-of-band buffer: expected all data inside the pickle");
      default:
        return false;
    }
    return true;
  }

  bool container(std::uint8_t opcode) {
    switch (opcode) {
      case EMPTY_LIST:
        stack_.push(heap_.make(List{}));
        break;
      case LIST:
        stack_.push(heap_.make(List{stack_.pop_mark()}));
        break;
      case APPEND:
        append(stack_.pop_many(1));
        break;
      case APPENDS:
        append(stack_.pop_mark());
        break;
      case EMPTY_TUPLE:
        stack_.push(heap_.make(Tuple{}));
        break;
      case TUPLE:
        stack_.push(heap_.make(Tuple{stack_.pop_mark()}));
        break;
      case TUPLE1:
        stack_.push(heap_.make(Tuple{stack_.pop_many(1)}));
        break;
      case TUPLE2:
        stack_.push(heap_.make(Tuple{stack_.pop_many(2)}));
        break;
      case TUPLE3:
        stack_.push(heap_.make(Tuple{stack_.pop_many(3)}));
        break;
      case EMPTY_DICT:
        stack_.push(heap_.make(Dict{}));
        break;
      case DICT: {
        const auto items = stack_.pop_mark();
        stack_.push(heap_.make(Dict{}));
        set_items(items);
        break;
      }
      case SETITEM:
        set_items(stack_.pop_many(2));
        break;
      case SETITEMS:
        set_items(stack_.pop_mark());
        break;
      case EMPTY_SET:
        stack_.push(heap_.make(Set{}));
        break;
      case ADDITEMS:
        add_items(stack_.pop_mark());
        break;
      case FROZENSET:
        stack_.push(heap_.make(Set{stack_.pop_mark()}));
        break;
      default:
        return false;
    }
    return true;
  }

  bool stack_or_memo(std::uint8_t opcode) {
    switch (opcode) {
      case MARK:
        stack_.push_mark();
        break;
      case POP:
        stack_.pop_value_or_mark();
        break;
      case POP_MARK:
        stack_.pop_mark();
        break;
      case DUP:
        stack_.push(stack_.top());
        break;
      case GET:
        stack_.push(stack_.recall(index_from_line()));
        break;
      case BINGET:
        stack_.push(stack_.recall(reader_.number<std::uint8_t>()));
        break;
      case LONG_BINGET:
        stack_.push(stack_.recall(reader_.number<std::uint32_t>()));
        break;
      case PUT:
        memoize(index_from_line());
        break;
      case BINPUT:
        memoize(reader_.number<std::uint8_t>());
        break;
      case LONG_BINPUT:
        memoize(reader_.number<std::uint32_t>());
        break;
      case MEMOIZE:
        memoize(stack_.memo_size());
        break;
      default:
        return false;
    }
    return true;
  }

  // Everything that could run code in Python.
  bool object(std::uint8_t opcode) {
    switch (opcode) {
      case GLOBAL: {
        const auto module = reader_.line();
        stack_.push(named(module, reader_.line()));
        break;
      }
      case STACK_GLOBAL: {
        const auto names = stack_.pop_many(2);
        const auto module = text(names[0], "a module's name");
        stack_.push(named(module, text(names[1], "a name in a module")));
        break;
      }
      case REDUCE:
      case NEWOBJ: {
        const auto operands = stack_.pop_many(2);
        stack_.push(construct(operands[0], operands[1]));
        break;
      }
      case NEWOBJ_EX: {
        const auto operands = stack_.pop_many(3);
        stack_.push(opaque_like(operands[0]));  // keyword arguments are no plain data's
        break;
      }
      case BUILD: {
        const Value state = stack_.pop();
        set_state(stack_.top(), state);
        break;
      }
      case BINPERSID:
        stack_.push(persistent_load_(heap_, stack_.pop()));
        break;
      case PERSID:
        stack_.push(persistent_load_(heap_, Text{reader_.line()}));
        break;
      case INST: {  // an instance of a Python 2 class, as OBJ is
        const auto module = reader_.line();
        const Value callee = named(module, reader_.line());
        stack_.pop_mark();
        stack_.push(opaque_like(callee));
        break;
      }
      case OBJ: {
        const auto operands = stack_.pop_mark();
        if (operands.empty()) throw Error("expected a class for OBJ, found none");
        stack_.push(opaque_like(operands[0]));
        break;
      }
      case EXT1:
        push_extension<std::uint8_t>();
        break;
      case EXT2:
        push_extension<std::uint16_t>();
        break;
      case EXT4:
        push_extension<std::uint32_t>();
        break;
      default:
        return false;
    }
    return true;
  }

  void check_protocol(std::uint8_t protocol) {
    if (protocol > kMaxProtocol) {
      throw Error("expected a pickle protocol of at most 5, found " + std::to_string(protocol));
    }
  }

  // Frames only tell a reader how much to fetch at once.
  void check_frame(std::uint64_t size) {
    if (size > reader_.left()) {
      throw Error("expected a frame of " + std::to_string(size) + " bytes, found " + std::to_string(reader_.left()));
    }
  }

  template <typename Length>
  std::string_view take_text() {
    return reader_.take_text(reader_.number<Length>());
  }

  void push_blob(std::uint64_t size) { stack_.push(heap_.make(Blob{reader_.take(size), {}})); }

  // The container on top of the stack that an opcode adds to.
  template <typename Node>
  Node& target(std::string_view what) {
    if (auto* node = as<Node>(stack_.top())) return *node;
    throw Error("expected " + std::string(what) + ", found a value of type " + std::string(type_name(stack_.top())));
  }

  void grow(std::vector<Value>& items, const std::vector<Value>& more) {
    heap_.charge(2 * more.size() * sizeof(Value));  // twice: vectors grow in steps
    items.insert(items.end(), more.begin(), more.end());
  }

  // Containers of classes that are no plain data: what they hold is dropped.
  bool on_opaque() { return std::holds_alternative<Opaque>(stack_.top()); }

  void append(const std::vector<Value>& more) {
    if (!on_opaque()) grow(target<List>("a list for APPEND or APPENDS").items, more);
  }

  void add_items(const std::vector<Value>& more) {
    if (!on_opaque()) grow(target<Set>("a set for ADDITEMS").items, more);
  }

  void set_items(const std::vector<Value>& items) {
    if (on_opaque()) return;
    auto& dict = target<Dict>("a dict for SETITEM or SETITEMS");
    if (items.size() % 2 != 0) throw Error("expected a value for every key of a dict, found a key without one");
    heap_.charge(2 * items.size() * sizeof(Value));
    for (std::size_t i = 0; i < items.size(); i += 2) dict.items.emplace_back(items[i], items[i + 1]);
  }

  std::size_t index_from_line() {
    const auto index = parse<std::size_t>(reader_.line(), "an index of the memo");
    if (!index) throw Error("expected an index of the memo within 64 bits, found more");
    return *index;
  }

  // Writers number their memo from 0 upwards and take a byte for each entry at least: an index beyond the bytes read so
  // far is no writer's, and the memo can be a plain vector.
  void memoize(std::size_t index) { stack_.memoize(index, reader_.position()); }

  // Names are bounded, for a short opcode may name a long one again and again.
  Value named(std::string_view module, std::string_view name) {
    if (const auto* global = find_global(module, name)) return global;
    constexpr std::size_t kLongest = 200;
    return Opaque{heap_.keep(std::string(module.substr(0, kLongest)) + "." + std::string(name.substr(0, kLongest)))};
  }

  // What a class would make, where it is not made.
  static Value opaque_like(const Value& callee) {
    if (const auto* global = std::get_if<const Global*>(&callee)) return Opaque{(*global)->name};
    if (const auto* opaque = std::get_if<Opaque>(&callee)) return *opaque;
    throw Error("expected a function or class to call, found a value of type " + std::string(type_name(callee)));
  }

  template <typename Code>
  void push_extension() {
    reader_.number<Code>();
    stack_.push(Opaque{"a name of Python's extension registry"});
  }

  // Data made with something that is not built is not built either. Gives whether it was.
  template <typename Build>
  static bool built(std::span<const Value> operands, const Build& build) {
    constexpr std::size_t kMostOperands = 16;  // a bound, for a long list may be an operand again and again
    operands = operands.first(std::min(operands.size(), kMostOperands));
    try {
      build();
      return true;
    } catch (const BudgetError&) {
      throw;
    } catch (const Error&) {
      const auto is_opaque = [](const Value& value) { return std::holds_alternative<Opaque>(value); };
      if (std::none_of(operands.begin(), operands.end(), is_opaque)) throw;
      return false;
    }
  }

  Value construct(const Value& callee, const Value& arguments) {
    const auto* global = std::get_if<const Global*>(&callee);
    if (global == nullptr || (*global)->construct == nullptr) return opaque_like(callee);
    const auto* tuple = as<Tuple>(arguments);
    if (tuple == nullptr) {
      if (std::holds_alternative<Opaque>(arguments)) return opaque_like(callee);
      throw Error("expected a tuple of arguments for \"" + std::string((*global)->name) + "\", found a value of type " +
                  std::string(type_name(arguments)));
    }
    Value made = opaque_like(callee);
    built(tuple->items, [&] { made = (*global)->construct({heap_, load_storage_, **global, tuple->items}); });
    return made;
  }

  void set_state(Value& target, const Value& state) {
    const auto* parts = sequence(state);
    const bool whole = built(parts != nullptr ? std::span<const Value>(*parts) : std::span(&state, 1),
                             [&] { pickle::set_state(heap_, target, state); });
    if (!whole) target = Opaque{type_name(target)};
  }

  Reader reader_;
  Heap& heap_;
  Stack stack_;
  const PersistentLoad& persistent_load_;
  LoadStorage load_storage_;
};

}  // namespace

Unpickled unpickle(std::span<const std::byte> bytes, Heap& heap, const PersistentLoad& persistent_load,
                   LoadStorage load_storage) {
  return Machine(bytes, heap, persistent_load, load_storage).run();
}

}  // namespace maskrt::weights::pickle
