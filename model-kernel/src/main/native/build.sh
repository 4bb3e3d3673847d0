#!/usr/bin/env bash
# Builds the bridge: build.sh DIRECTORY_OF_LIBTORCH OUTPUT_LIBRARY
#
# Needs g++ 11 or later, a JDK, python3 with pip, and apt-get download (for the Gloo headers) or libgloo-dev installed.
# Headers come from the package registries by package name and are kept in ${RAR_NATIVE_CACHE:-target/native-headers}.
# The macOS wheel of torch is taken for its headers because it is the smallest with the same torch/include.
set -euo pipefail

libtorch=$(realpath "$1")
output=$(realpath -m "$2")
sources=$(cd "$(dirname "$0")" && pwd)
cache=$(realpath -m "${RAR_NATIVE_CACHE:-target/native-headers}")
torch_version=2.7.1
mkdir -p "$cache" "$(dirname "$output")"

if [ ! -d "$cache/torch/include" ]; then
  python3 -m pip download --quiet --no-deps --platform macosx_11_0_arm64 --python-version 3.11 \
    --only-binary=:all: --dest "$cache/wheel" "torch==$torch_version"
  python3 -m zipfile -e "$cache"/wheel/torch-*.whl "$cache/unpacked"
  mv "$cache/unpacked/torch" "$cache/torch"
  rm -rf "$cache/unpacked" "$cache/wheel"
fi
gloo=/usr/include
if [ ! -d "$gloo/gloo" ]; then
  gloo=$cache/gloo-dev/usr/include
  if [ ! -d "$gloo" ]; then
    (cd "$cache" && apt-get download libgloo-dev && dpkg-deb -x libgloo-dev_*.deb gloo-dev)
  fi
fi
java_home=${JAVA_HOME:-$(dirname "$(dirname "$(realpath "$(command -v javac)")")")}

# The hash that SourceHash computes: of every source file's name and content, in the order of the names.
hash=$(cd "$sources" && LC_ALL=C && for file in *.cc *.h build.sh; do printf '%s\n' "$file"; done | sort |
  while read -r file; do printf '%s\n' "$file"; cat "$file"; done | sha256sum | cut -c1-64)

# The sources are compiled side by side. OpenMP regions run on the copy of libgomp that libtorch brings along.
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
gomp=$(basename "$libtorch"/libgomp*.so*)
printf '%s\n' "$sources"/*.cc | xargs -P "$(nproc)" -I{} sh -c 'exec g++ "$@" -c "$0" -o "'"$objects"'/$(basename "$0").o"' {} \
  -std=c++17 -O2 -fPIC -fopenmp -fvisibility=hidden -Wall -Wno-unknown-pragmas -D_GLIBCXX_USE_CXX11_ABI=1 \
  "-ffile-prefix-map=$sources/=" "-ffile-prefix-map=$cache/=" -DUSE_C10D_GLOO "-DRAR_SOURCE_HASH=\"$hash\"" \
  -I"$java_home/include" -I"$java_home/include/linux" -isystem "$cache/torch/include" -isystem "$cache/torch/include/torch/csrc/api/include" -idirafter "$gloo"
g++ -shared "$objects"/*.o -o "$output" -L"$libtorch" \
  -Wl,--no-as-needed -ltorch_cpu -lc10 "-l:$gomp" -Wl,--as-needed -Wl,-s

newest() { objdump -T "$output" | grep -o "$1_[0-9.]*" | sort -uV | tail -1; }
for floor in GLIBC_2.31 GLIBCXX_3.4.28; do
  needed=$(newest "${floor%_*}")
  if [ "$(printf '%s\n%s\n' "$needed" "$floor" | sort -V | tail -1)" != "$floor" ]; then
    echo "The bridge needs $needed: it has to load with $floor" >&2
    exit 1
  fi
done
echo "built $output ($(stat -c %s "$output") bytes, needs $(newest GLIBC) and $(newest GLIBCXX), sources $hash)"
