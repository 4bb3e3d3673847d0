#!/usr/bin/env bash
# Builds the CUDA device of tests: build.sh DIRECTORY_OF_LIBTORCH OUTPUT_DIRECTORY
#
# Needs g++ 11 or later, and the headers that src/main/native/build.sh keeps in ${RAR_NATIVE_CACHE:-target/native-headers}.
set -euo pipefail

libtorch=$(realpath "$1")
output=$(realpath -m "$2")
sources=$(cd "$(dirname "$0")" && pwd)
cache=$(realpath -m "${RAR_NATIVE_CACHE:-target/native-headers}")
mkdir -p "$output"

# The hash of every source file's name and content, in the order of the names, as of the bridge.
hash=$(cd "$sources" && LC_ALL=C && for file in *.cc *.h build.sh; do printf '%s\n' "$file"; done | sort |
  while read -r file; do printf '%s\n' "$file"; cat "$file"; done | sha256sum | cut -c1-64)

g++ -std=c++17 -O1 -fPIC -shared -Wall -D_GLIBCXX_USE_CXX11_ABI=1 "-DFAKE_CUDA_SOURCE_HASH=\"$hash\"" \
  "-ffile-prefix-map=$sources/=" "-ffile-prefix-map=$cache/=" \
  -isystem "$cache/torch/include" -isystem "$cache/torch/include/torch/csrc/api/include" \
  "$sources"/fake_*.cc -o "$output/libfakecuda.so" -L"$libtorch" -Wl,--no-as-needed -ltorch_cpu -lc10 -Wl,-s
g++ -std=c++17 -O1 -fPIC -shared -Wall "$sources/cudart.cc" -o "$output/libcudart.so" -Wl,-s
g++ -std=c++17 -O1 -fPIC -shared -Wall "$sources/cuda_driver.cc" -o "$output/libcuda.so.1" -Wl,-s
