#!/usr/bin/env bash
# Builds the library with NCCL's process group: build.sh OUTPUT_LIBRARY
#
# Needs g++ 11 or later, but no GPU and no CUDA toolkit: headers and libraries are those of a folder that
# deploy/gpu/install-libtorch --headers makes. It is ${RAR_SPARK_LIBTORCH}, or made (3 GB from the package registry, 5 GB
# unpacked) in ${RAR_NATIVE_CACHE:-target/native-headers}.
set -euo pipefail

output=$(realpath -m "$1")
sources=$(cd "$(dirname "$0")" && pwd)
libtorch=${RAR_SPARK_LIBTORCH:-}
if [ -z "$libtorch" ]; then
  libtorch=$(realpath -m "${RAR_NATIVE_CACHE:-target/native-headers}")/libtorch-cuda
  "$sources/../../../../deploy/gpu/install-libtorch" --headers "$libtorch"
fi
mkdir -p "$(dirname "$output")"

# The hash that NativeLibraryTest computes: of every source file's name and content, in the order of the names.
hash=$(cd "$sources" && for file in build.sh nccl_backend.cc ../native/nccl_backend.h; do
  printf '%s\n' "${file##*/}"
  cat "$file"
done | sha256sum | cut -c1-64)

# NCCL's headers have to be of the version that libtorch was built with: classes of libtorch contain its structures.
includes=()
for folder in "$libtorch"/nvidia/*/include; do
  includes+=(-isystem "$folder")
done
g++ -shared "$sources"/nccl_backend.cc -o "$output" -std=c++17 -O2 -fPIC -fvisibility=hidden -Wall \
  "-ffile-prefix-map=$sources/=" "-ffile-prefix-map=$(realpath "$libtorch")/=" -D_GLIBCXX_USE_CXX11_ABI=1 -DUSE_C10D_NCCL "-DRAR_SOURCE_HASH=\"$hash\"" -isystem "$libtorch/torch/include" \
  -isystem "$libtorch/torch/include/torch/csrc/api/include" "${includes[@]}" -L"$libtorch/torch/lib" \
  -Wl,--no-as-needed -ltorch_cuda -ltorch_cpu -lc10_cuda -lc10 -Wl,--as-needed -Wl,--no-undefined \
  -Wl,--allow-shlib-undefined -Wl,-s

newest() { objdump -T "$output" | grep -o "$1_[0-9.]*" | sort -uV | tail -1; }
for floor in GLIBC_2.31 GLIBCXX_3.4.28; do
  needed=$(newest "${floor%_*}")
  if [ "$(printf '%s\n%s\n' "$needed" "$floor" | sort -V | tail -1)" != "$floor" ]; then
    echo "The library needs $needed: it has to load with $floor" >&2
    exit 1
  fi
done
echo "built $output ($(stat -c %s "$output") bytes, needs $(newest GLIBC) and $(newest GLIBCXX), sources $hash)"
