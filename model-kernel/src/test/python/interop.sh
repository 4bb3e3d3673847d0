#!/usr/bin/env bash
# Converts weight files with rar-spark and has PyTorch and safetensors read the results; see docs/formats.md.
#
#   model-kernel/src/test/python/interop.sh PYTHON [FILE...]
#
# PYTHON is an interpreter with torch, numpy and safetensors; without FILEs, the files of the tests are used.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../../.." && pwd)
python=$1
shift
resources=$root/model-kernel/src/test/resources
if [ $# -eq 0 ]; then
    set -- "$resources"/weights/{zip,legacy,no-crc,module}.pth "$resources"/golden/{rar-small/rar,vqgan-small/vqgan}.bin \
        "$root"/demo/{tokenizer,classifier}.safetensors
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$@"; do
    name=$(basename "$file")
    "$root/bin/rar-spark" weights convert "$file" "$work/$name.safetensors" --quiet
    "$root/bin/rar-spark" weights convert "$file" "$work/$name.bin" --quiet
    "$root/bin/rar-spark" weights convert "$work/$name.bin" "$work/$name.again.safetensors" --quiet
    (cd "$work" && "$python" "$root/model-kernel/src/test/python/check_exports.py" "$file" "$name".*)
done
