package io.github.rarspark.tokenize;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.image.CropSet;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.tokenize.CropEncoder.Crop;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Cuts crops on the device that encodes them, to which only their sources are copied, as bytes.
 *
 * <p>K sources of side S, B crops of height H and width W, C channels.
 *
 * @param set which crops
 * @param size their side
 */
record CropPixels(CropSet set, int size) {
    /**
     * The pixels of crops, those of an image one after the other.
     *
     * @return float32 [B, 3, H, W] in [0, 1], the values of {@link Pixels#toFloats}
     */
    NDArray of(TensorScope outer, List<Crop> crops) {
        List<CropSet.Window> windows = set.windows(size);
        int side = set.sourceSide(size);
        try (TensorScope s = outer.open()) {
            List<RgbImage> sources = new ArrayList<>();
            int[] places = new int[crops.size()];
            for (int i = 0; i < places.length; i++) {
                RgbImage source = crops.get(i).source();
                if (sources.isEmpty() || sources.get(sources.size() - 1) != source) {
                    sources.add(source);
                }
                places[i] = sources.size() - 1;
            }
            NDArray plain_KSSC = s.bytes(Pixels.toBytes(sources), sources.size(), side, side, RgbImage.CHANNELS);
            NDArray columns =
                    s.longs(LongStream.range(0, side).map(x -> side - 1 - x).toArray(), side);
            NDArray mirrored_KSSC = s.indexSelect(plain_KSSC, 2, columns);
            NDArray[] cuts = new NDArray[places.length];
            for (int i = 0; i < cuts.length; i++) {
                CropSet.Window at = windows.get(crops.get(i).number());
                NDArray from_KSSC = at.mirrored() ? mirrored_KSSC : plain_KSSC;
                NDArray rows = s.narrow(s.narrow(from_KSSC, 0, places[i], 1), 1, at.top(), size);
                cuts[i] = s.narrow(rows, 2, at.left(), size);
            }
            NDArray bytes_BCHW = s.permute(s.concatenate(0, cuts), 0, 3, 1, 2);
            // A reshaping that copies, since the encoder's kernels are chosen for channels that are planes.
            NDArray planes_BCHW = s.reshape(s.reshape(bytes_BCHW, -1), cuts.length, RgbImage.CHANNELS, size, size);
            // In float64 the product with 1/255 rounds to the float32 that the quotient rounds to, on any device.
            NDArray doubles_BCHW = s.affine(s.to(planes_BCHW, DataType.FLOAT64), 1 / 255.0, 0);
            return s.keep(s.to(doubles_BCHW, DataType.FLOAT32));
        }
    }
}
