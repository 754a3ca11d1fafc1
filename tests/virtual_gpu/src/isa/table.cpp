// All families of one processor level in one table.
#include "isa/families.h"

namespace vgpu::VGPU_LEVEL {

OpTable make_table() {
  OpTable table;
  add_integer(table);
  add_bits(table);
  add_logic(table);
  add_packed(table);
  add_floating(table);
  add_transcendental(table);
  add_half(table);
  add_convert(table);
  add_compare(table);
  add_move(table);
  add_memory(table);
  add_atomics(table);
  add_control(table);
  add_barriers(table);
  add_warp_wide(table);
  add_matrix_memory(table);
  add_mma(table);
  add_wmma(table);
  add_tensormap(table);
  add_wgmma(table);
  add_copy_async(table);
  add_mbarrier(table);
  return table;
}

}  // namespace vgpu::VGPU_LEVEL
