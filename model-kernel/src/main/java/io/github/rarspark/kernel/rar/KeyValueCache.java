package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values of the positions read so far, for every layer. Allocated once, in the type that attention
 * computes in; new positions are written in place.
 *
 * <p>Shapes: R rows, N heads, L capacity in positions, H head width, D = N H, M = 3 D.
 */
final class KeyValueCache {
    private final List<NDArray> keys_RNLH;
    private final List<NDArray> values_RNLH;
    private int length;

    KeyValueCache(NDManager manager, RarConfig config, int rows, int capacity, DataType type) {
        Shape shape = new Shape(rows, config.heads(), capacity, config.headWidth());
        this.keys_RNLH = zeros(manager, config.layers(), shape, type);
        this.values_RNLH = zeros(manager, config.layers(), shape, type);
    }

    private static List<NDArray> zeros(NDManager manager, int layers, Shape shape, DataType type) {
        List<NDArray> all = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            try (TensorScope s = TensorScope.inference(manager)) {
                all.add(s.keep(s.to(s.zeros(shape.getShape()), type)));
            }
        }
        return all;
    }

    /** The number of positions read. */
    int length() {
        return length;
    }

    /** Counts another position as read, once all layers have written theirs. */
    void advance() {
        length++;
    }

    /** {@link Attention} of one more position to itself and all earlier ones, [R, 1, D]. */
    NDArray attend(TensorScope s, int layer, Heads heads, NDArray qkv_R1M) {
        return s.attendCached(
                qkv_R1M,
                heads.qNorm().norm(),
                heads.kNorm().norm(),
                keys_RNLH.get(layer),
                values_RNLH.get(layer),
                length);
    }
}
