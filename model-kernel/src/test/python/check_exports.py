"""Compares weight files bit by bit, as PyTorch and the safetensors library read them.

    python check_exports.py ORIGINAL EXPORT...

Needs torch, numpy and safetensors from PyPI. Pickles are read with weights_only=True. Exits with 1 if a tensor differs.
"""

import sys

import torch
from safetensors.torch import load_file


def load(path):
    if path.endswith(".safetensors"):
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def bits(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def differences(original, export):
    yield from (f"{name} is missing" for name in original.keys() - export.keys())
    yield from (f"{name} is new" for name in export.keys() - original.keys())
    for name in original.keys() & export.keys():
        a, b = original[name], export[name]
        if a.dtype != b.dtype or a.shape != b.shape:
            yield f"{name} is {b.dtype}{tuple(b.shape)} instead of {a.dtype}{tuple(a.shape)}"
        elif not torch.equal(bits(a), bits(b)):
            yield f"{name} has other bits"


def main(original, exports):
    expected = load(original)
    failed = False
    for path in exports:
        found = list(differences(expected, load(path)))
        failed |= bool(found)
        print(f"{path}: {len(expected)} tensors, {found[0] if found else 'bit-equal'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
