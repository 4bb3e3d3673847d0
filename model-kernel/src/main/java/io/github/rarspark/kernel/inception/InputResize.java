package io.github.rarspark.kernel.inception;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * The input resize of the 2015-12-05 graph: TensorFlow 1's bilinear resize (corners not aligned, no half-pixel centers,
 * no antialiasing), then (x - 128) / 128.
 */
final class InputResize {
    /** Side of the network's input in pixels. */
    static final int SIDE = 299;

    private static final int HEIGHT_AXIS = 1;
    private static final int WIDTH_AXIS = 2;

    private InputResize() {}

    /** From uint8 [B, H, W, C] to float32 [B, C, 299, 299], channels innermost in memory. */
    static NDArray resize(TensorScope outer, NDArray images_BHWC) {
        try (TensorScope s = outer.open()) {
            NDArray x = interpolate(s, interpolate(s, s.to(images_BHWC, DataType.FLOAT32), WIDTH_AXIS), HEIGHT_AXIS);
            return s.keep(s.permute(s.affine(x, 1 / 128.0, -1), 0, 3, 1, 2));
        }
    }

    private static NDArray interpolate(TensorScope s, NDArray x_BHWC, int axis) {
        int in = Math.toIntExact(x_BHWC.getShape().get(axis));
        if (in == SIDE) {
            return x_BHWC;
        }
        float scale = (float) in / SIDE;
        long[] low = new long[SIDE];
        long[] high = new long[SIDE];
        float[] weight = new float[SIDE];
        for (int i = 0; i < SIDE; i++) {
            float source = i * scale;
            low[i] = (long) source;
            high[i] = Math.min(low[i] + 1, in - 1);
            weight[i] = source - low[i];
        }
        NDArray low_BHWC = s.indexSelect(x_BHWC, axis, s.longs(low, SIDE));
        NDArray high_BHWC = s.indexSelect(x_BHWC, axis, s.longs(high, SIDE));
        NDArray weight_along = axis == WIDTH_AXIS ? s.floats(weight, SIDE, 1) : s.floats(weight, SIDE, 1, 1);
        return s.addGated(low_BHWC, weight_along, s.subtract(high_BHWC, low_BHWC));
    }
}
