// The opcodes of pickle protocols 0 to 5, by the names that Python's pickletools gives them.
#pragma once

#include <cstdint>

namespace maskrt::weights::pickle {

// clang-format off
enum Opcode : std::uint8_t {
  // the stream
  PROTO = 0x80, FRAME = 0x95, STOP = '.',
  // numbers
  NONE = 'N', NEWTRUE = 0x88, NEWFALSE = 0x89, INT = 'I', LONG = 'L', BININT = 'J', BININT1 = 'K', BININT2 = 'M',
  LONG1 = 0x8a, LONG4 = 0x8b, FLOAT = 'F', BINFLOAT = 'G',
  // text and bytes
  STRING = 'S', BINSTRING = 'T', SHORT_BINSTRING = 'U', UNICODE = 'V', SHORT_BINUNICODE = 0x8c, BINUNICODE = 'X',
  BINUNICODE8 = 0x8d, SHORT_BINBYTES = 'C', BINBYTES = 'B', BINBYTES8 = 0x8e, BYTEARRAY8 = 0x96, NEXT_BUFFER = 0x97,
  READONLY_BUFFER = 0x98,
  // containers
  EMPTY_LIST = ']', LIST = 'l', APPEND = 'a', APPENDS = 'e', EMPTY_TUPLE = ')', TUPLE = 't', TUPLE1 = 0x85,
  TUPLE2 = 0x86, TUPLE3 = 0x87, EMPTY_DICT = '}', DICT = 'd', SETITEM = 's', SETITEMS = 'u', EMPTY_SET = 0x8f,
  ADDITEMS = 0x90, FROZENSET = 0x91,
  // the stack and the memo
  MARK = '(', POP = '0', POP_MARK = '1', DUP = '2', GET = 'g', BINGET = 'h', LONG_BINGET = 'j', PUT = 'p',
  BINPUT = 'q', LONG_BINPUT = 'r', MEMOIZE = 0x94,
  // Python's names, calls and objects
  GLOBAL = 'c', STACK_GLOBAL = 0x93, REDUCE = 'R', NEWOBJ = 0x81, NEWOBJ_EX = 0x92, BUILD = 'b', INST = 'i',
  OBJ = 'o', PERSID = 'P', BINPERSID = 'Q', EXT1 = 0x82, EXT2 = 0x83, EXT4 = 0x84,
};
// clang-format on

}  // namespace maskrt::weights::pickle
