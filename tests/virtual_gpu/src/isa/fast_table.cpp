// The families that gain from AVX2, over the table of handlers for any processor.
#include "isa/families.h"

namespace vgpu::VGPU_LEVEL {

void improve_table(OpTable& table) {
  add_integer(table);
  add_bits(table);
  add_logic(table);
  add_floating(table);
  add_half(table);
  add_convert(table);
  add_compare(table);
  add_move(table);
  add_mma(table);
  add_wgmma(table);
}

}  // namespace vgpu::VGPU_LEVEL
