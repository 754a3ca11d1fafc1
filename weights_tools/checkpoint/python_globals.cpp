// What of Python's own library a checkpoint may mention: containers, and bytes in their older spellings.
#include <string>

#include "globals.h"
#include "pickle_text.h"

namespace maskrt::weights::pickle {
namespace {

std::vector<Value> copied(const Call& call, const std::vector<Value>& items) {
  call.heap.charge(items.size() * sizeof(Value));
  return items;
}

// OrderedDict(), OrderedDict([[key, value], ...]) as Python 2 wrote it, OrderedDict({...}).
Value ordered_dict(const Call& call) {
  call.expect_arguments(0, 1);
  Dict dict{{}, true};
  if (call.arguments.size() == 1) {
    if (const auto* source = as<Dict>(call.arguments[0])) {
      call.heap.charge(2 * source->items.size() * sizeof(Value));
      dict.items = source->items;
    } else if (const auto* pairs = sequence(call.arguments[0])) {
      call.heap.charge(2 * pairs->size() * sizeof(Value));
      for (const auto& pair : *pairs) {
        const auto* item = sequence(pair);
        if (item == nullptr || item->size() != 2) {
          call.fail("pairs of key and value", pair);
        }
        dict.items.emplace_back((*item)[0], (*item)[1]);
      }
    } else {
      call.fail("pairs of key and value", call.arguments[0]);
    }
  }
  return call.heap.make(std::move(dict));
}

// defaultdict(factory): the factory is a name of this list, and is never called.
Value default_dict(const Call& call) {
  call.expect_arguments(0, 1);
  return call.heap.make(Dict{{}, true});
}

Value make_set(const Call& call) {
  call.expect_arguments(0, 1);
  if (call.arguments.empty()) return call.heap.make(Set{});
  if (const auto* items = sequence(call.arguments[0])) return call.heap.make(Set{copied(call, *items)});
  call.fail("a list", call.arguments[0]);
}

Blob* blob_of(const Call& call, std::vector<std::byte> bytes) {
  call.heap.charge(bytes.size());
  auto owned = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return call.heap.make(Blob{*owned, owned});
}

// _codecs.encode(text, "latin1"): how protocols up to 2 write bytes.
Value encode(const Call& call) {
  call.expect_arguments(2, 2);
  const auto codec = text(call.arguments[1], "the name of an encoding");
  if (codec != "latin1" && codec != "latin-1") {
    throw Error("expected bytes written in latin1, found encoding \"" + std::string(codec.substr(0, 32)) + "\"");
  }
  if (const auto* bytes = std::get_if<ByteText>(&call.arguments[0])) {
    return call.heap.make(Blob{std::as_bytes(std::span(bytes->characters)), {}});
  }
  const auto utf8 = text(call.arguments[0], "text to encode");
  return blob_of(call, latin1_from_utf8(utf8));
}

// bytes(), bytearray(), bytearray(bytes), bytearray(text, "latin-1").
Value bytes(const Call& call) {
  call.expect_arguments(0, 2);
  if (call.arguments.empty()) return call.heap.make(Blob{});
  if (call.arguments.size() == 2) return encode(call);
  if (auto* blob = as<Blob>(call.arguments[0])) return blob;
  call.fail("bytes", call.arguments[0]);
}

Value complex_number(const Call& call) {
  call.expect_arguments(2, 2);
  return Opaque{"complex"};
}

constexpr Global kGlobals[] = {
    {"collections.OrderedDict", ordered_dict},
    {"collections.Counter", ordered_dict},
    {"collections.defaultdict", default_dict},
    {"builtins.set", make_set},
    {"__builtin__.set", make_set},
    {"builtins.frozenset", make_set},
    {"__builtin__.frozenset", make_set},
    {"builtins.bytes", bytes},
    {"__builtin__.bytes", bytes},
    {"builtins.bytearray", bytes},
    {"__builtin__.bytearray", bytes},
    {"builtins.complex", complex_number},
    {"__builtin__.complex", complex_number},
    {"_codecs.encode", encode},
    // Factories of a defaultdict.
    {"builtins.dict"},
    {"__builtin__.dict"},
    {"builtins.list"},
    {"__builtin__.list"},
    {"builtins.int"},
    {"__builtin__.int"},
    {"builtins.float"},
    {"__builtin__.float"},
};

}  // namespace

std::span<const Global> python_globals() { return kGlobals; }

}  // namespace maskrt::weights::pickle
