"""Writes the small weight files of src/test/resources/weights, as PyTorch and safetensors do.

    python make_weight_fixtures.py src/test/resources/weights

Made with torch 2.7.1 and safetensors 0.8.0. expected.safetensors holds the tensors that each of the others has.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file


def tensors():
    shared = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    parameter = torch.nn.Parameter(torch.tensor([0.1, -0.2]))
    with_state = torch.nn.Parameter(torch.tensor([3.5]), requires_grad=False)
    with_state.note = "an attribute"
    return OrderedDict(
        double=torch.linspace(-1, 1, 5, dtype=torch.float64),
        float=torch.tensor([[0.0, -0.0, float("inf")], [float("nan"), 1e-45, 3.4e38]]),
        half=torch.linspace(-2, 2, 9).half().reshape(3, 3),
        bfloat=torch.linspace(-2, 2, 7).bfloat16(),
        long=torch.tensor([-(2**63), 2**63 - 1]),
        int=torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        short=torch.tensor([-32768, 32767], dtype=torch.int16),
        char=torch.tensor([-128, 127], dtype=torch.int8),
        byte=torch.tensor([0, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        shared=shared,
        transposed=shared.t(),
        rows=shared[1:3],
        column=shared[:, 4],
        every_other=shared[::2, 1::2],
        permuted=torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
        parameter=parameter,
        parameter_with_state=with_state,
    )


def main(folder):
    all_tensors = tensors()
    legacy = {"_use_new_zipfile_serialization": False}
    torch.save(all_tensors, folder / "zip.pth")
    torch.save(all_tensors, folder / "legacy.pth", **legacy)
    torch.save(dict(all_tensors), folder / "protocol-4.pth", pickle_protocol=4)
    checkpoint = {"epoch": 7, "loss": 0.25, "state_dict": all_tensors, "optimizer": {"state": {}, "lr": [0.1]}}
    torch.save(checkpoint, folder / "nested.pth")
    both = {"ema": {"w": torch.ones(1)}, "model": all_tensors}
    torch.save(both, folder / "two-dictionaries.pth", **legacy)
    torch.serialization.set_crc32_options(False)
    torch.save(all_tensors, folder / "no-crc.pth")
    torch.serialization.set_crc32_options(True)
    plain = {name: tensor.detach().clone().contiguous() for name, tensor in all_tensors.items()}
    save_file(plain, folder / "expected.safetensors")

    bits = torch.cat([torch.arange(0, 2**31, 1_234_567), torch.arange(0x33000000, 0x33000000 + 2**25, 24_571)])
    floats = bits.int().view(torch.float32)
    floats = torch.cat([floats, -floats, torch.tensor([65519.0, 65520.0, 65505.0, 2049.0, 2051.0, 3e-8, 2.98e-8])])
    rounded = {"float": floats, "half": floats.half(), "bfloat": floats.bfloat16()}
    save_file({name: tensor[~floats.isnan()] for name, tensor in rounded.items()}, folder / "rounded.safetensors")

    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    state = model.state_dict()  # has the attribute _metadata
    torch.save(state, folder / "module.pth")
    torch.save(state, folder / "module-legacy.pth", **legacy)
    save_file(dict(state), folder / "module.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
