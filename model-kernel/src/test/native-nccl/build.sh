#!/usr/bin/env bash
# Builds src/main/native-cuda over the double of NCCL's process group: build.sh DIRECTORY_OF_LIBTORCH OUTPUT_LIBRARY
#
# Needs g++ 11 or later, and the headers that src/main/native/build.sh keeps in ${RAR_NATIVE_CACHE:-target/native-headers}.
set -euo pipefail

libtorch=$(realpath "$1")
output=$(realpath -m "$2")
sources=$(cd "$(dirname "$0")" && pwd)
main=$(cd "$sources/../../main" && pwd)
cache=$(realpath -m "${RAR_NATIVE_CACHE:-target/native-headers}")
gloo=/usr/include
[ -d "$gloo/gloo" ] || gloo=$cache/gloo-dev/usr/include
mkdir -p "$(dirname "$output")"

# The hash of every source file's name and content, in the order of the names, as of the bridge.
hash=$(for file in "$sources/torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp" "$main/native/abortable_gloo.h" \
  "$sources/build.sh" "$main/native-cuda/nccl_backend.cc" "$main/native/nccl_backend.h"; do
  printf '%s\n' "${file##*/}"
  cat "$file"
done | sha256sum | cut -c1-64)

# The folder of the double comes first.
g++ -shared "$main/native-cuda/nccl_backend.cc" -o "$output" -std=c++17 -O1 -fPIC -fvisibility=hidden -Wall \
  "-ffile-prefix-map=$main/=" "-ffile-prefix-map=$sources/=" "-ffile-prefix-map=$cache/=" \
  -D_GLIBCXX_USE_CXX11_ABI=1 -DUSE_C10D_GLOO "-DRAR_SOURCE_HASH=\"$hash\"" -I"$sources" -I"$main/native" \
  -isystem "$cache/torch/include" -isystem "$cache/torch/include/torch/csrc/api/include" -idirafter "$gloo" \
  -L"$libtorch" -Wl,--no-as-needed -ltorch_cpu -lc10 -Wl,--as-needed -Wl,-s
