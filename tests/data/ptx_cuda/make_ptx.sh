#!/bin/sh
# Compiles the .cu files of this folder to the .ptx beside them. Paths are cut to names, so that the result is the same
# wherever it is made. Usage: make_ptx.sh [NVCC]
set -eu
cd "$(dirname "$0")"
nvcc=${1:-nvcc}
for source in *.cu; do
  arch=$(sed -n 's/^\/\/ arch: *//p' "$source")
  "$nvcc" -ptx -lineinfo -std=c++17 -O3 -arch="${arch:-sm_90a}" -o "${source%.cu}.ptx" "$source"
  sed -i -E 's#^([[:space:]]*\.file[[:space:]]+[0-9]+ ").*/#\1#' "${source%.cu}.ptx"
done
