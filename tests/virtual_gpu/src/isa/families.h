// The instruction families. Each file of this folder holds one, semantics and decoding together, and is compiled once
// per processor level into a namespace of its own.
#pragma once

#include "machine/decoder.h"

#ifndef VGPU_ISA
#error "VGPU_ISA: 1 for any x86-64 (or another processor), 3 for x86-64-v3 (AVX2), 4 for x86-64-v4 (AVX-512)"
#endif

#if VGPU_ISA == 4
#define VGPU_LEVEL level4
#elif VGPU_ISA == 3
#define VGPU_LEVEL level3
#else
#define VGPU_LEVEL level1
#endif

namespace vgpu::VGPU_LEVEL {

void add_integer(OpTable& table);
void add_bits(OpTable& table);
void add_logic(OpTable& table);
void add_packed(OpTable& table);
void add_floating(OpTable& table);
void add_transcendental(OpTable& table);
void add_half(OpTable& table);
void add_convert(OpTable& table);
void add_compare(OpTable& table);
void add_move(OpTable& table);
void add_memory(OpTable& table);
void add_atomics(OpTable& table);
void add_control(OpTable& table);
void add_barriers(OpTable& table);
void add_warp_wide(OpTable& table);
void add_matrix_memory(OpTable& table);
void add_mma(OpTable& table);
void add_wmma(OpTable& table);
void add_tensormap(OpTable& table);
void add_wgmma(OpTable& table);
void add_copy_async(OpTable& table);
void add_mbarrier(OpTable& table);
/// cp.async.bulk and what follows it; cp.reduce.async.bulk.
void decode_bulk(Decoder& decoder, Instr& instr, bool reduce);
/// st.async and red.async: decodes what follows .async.
void decode_store_async(Decoder& decoder, Instr& instr);
void decode_reduce_async(Decoder& decoder, Instr& instr);
/// add, min and max of .u16x2 and .s16x2.
void decode_pair(Decoder& decoder, Instr& instr, Type type, bool relu);
/// mma.m8n8k4 of f16: decodes what follows the shape.
void decode_mma_quads(Decoder& decoder, Instr& instr);

}  // namespace vgpu::VGPU_LEVEL
