package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values of the positions read so far, for every layer. Allocated once, in the type that attention
 * computes in; new positions are written in place.
 *
 * <p>Shapes: R rows, N heads, L capacity in positions, P positions of the prefix, H head width.
 */
final class KeyValueCache {
    private final List<NDArray> keys_RNLH;
    private final List<NDArray> values_RNLH;
    private int length;

    KeyValueCache(NDManager manager, RarConfig config, int rows, int capacity, Precision precision) {
        Shape shape = new Shape(rows, config.heads(), capacity, config.headWidth());
        this.keys_RNLH = zeros(manager, config.layers(), shape, precision);
        this.values_RNLH = zeros(manager, config.layers(), shape, precision);
    }

    private static List<NDArray> zeros(NDManager manager, int layers, Shape shape, Precision precision) {
        DataType type = precision == Precision.BF16 ? DataType.BFLOAT16 : DataType.FLOAT32;
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

    /** Counts {@code positions} more as read, once all layers have written theirs. */
    void advance(int positions) {
        length += positions;
    }

    /** Causal attention among the first P positions. */
    NDArray prefill(TensorScope s, int layer, NDArray q_RNPH, NDArray k_RNPH, NDArray v_RNPH) {
        int prefix = (int) q_RNPH.getShape().get(2);
        NDArray keys_RNPH = write(s, keys_RNLH.get(layer), k_RNPH, prefix);
        NDArray values_RNPH = write(s, values_RNLH.get(layer), v_RNPH, prefix);
        return s.attention(q_RNPH, keys_RNPH, values_RNPH, true);
    }

    /** Attention of one more position to itself and all earlier ones. */
    NDArray decode(TensorScope s, int layer, NDArray q_RN1H, NDArray k_RN1H, NDArray v_RN1H) {
        NDArray keys_RNSH = write(s, keys_RNLH.get(layer), k_RN1H, 1);
        NDArray values_RNSH = write(s, values_RNLH.get(layer), v_RN1H, 1);
        return s.attention(q_RN1H, keys_RNSH, values_RNSH, false);
    }

    /** Writes the next positions; returns a view of all positions so far. */
    private NDArray write(TensorScope s, NDArray cache_RNLH, NDArray next, int count) {
        s.copy(s.narrow(cache_RNLH, 2, length, count), next);
        return s.narrow(cache_RNLH, 2, 0, length + count);
    }
}
