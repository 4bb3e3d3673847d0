"""Reads event files as TensorBoard does: those of the first folder, then those of the second in their place.

Prints what is left in the end as one line of JSON.
"""
import json
import os
import shutil
import sys
import tempfile

from tensorboard.backend.event_processing import event_accumulator

before, after = sys.argv[1:]
with tempfile.TemporaryDirectory() as run:
    accumulator = event_accumulator.EventAccumulator(
        run, size_guidance={event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0, event_accumulator.TENSORS: 0}
    )
    for source in (before, after):
        for name in os.listdir(run):
            os.remove(os.path.join(run, name))
        for name in os.listdir(source):
            if "tfevents" in name and not name.endswith(".crc"):
                shutil.copy(os.path.join(source, name), run)
        accumulator.Reload()
    tags = accumulator.Tags()
    print(json.dumps({
        "scalars": {t: [[e.step, e.value] for e in accumulator.Scalars(t)] for t in tags["scalars"]},
        "images": {t: [[e.step, e.width, e.height] for e in accumulator.Images(t)] for t in tags["images"]},
        "texts": {
            t: [[e.step, e.tensor_proto.string_val[0].decode()] for e in accumulator.Tensors(t)]
            for t in tags["tensors"]
        },
    }))
