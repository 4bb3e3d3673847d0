package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * How the product of a block's attention is divided into heads.
 *
 * <p>Shapes: B rows, S positions, N heads, H head width, D = N H.
 *
 * @param count N
 * @param qNorm normalizes the queries of a head
 * @param kNorm normalizes its keys
 */
record Heads(int count, LayerNorm qNorm, LayerNorm kNorm) {
    /** Queries and keys, normalized, and values, [B, N, S, H] each. */
    record Split(NDArray q_BNSH, NDArray k_BNSH, NDArray v_BNSH) {}

    /** Divides a product of queries, keys and values of all heads, one after the other. */
    Split split(TensorScope s, NDArray qkv_BSM) {
        long rows = qkv_BSM.getShape().get(0);
        long positions = qkv_BSM.getShape().get(1);
        NDArray heads_BSMH = s.reshape(qkv_BSM, rows, positions, 3L * count, -1);
        List<NDArray> qkv_BNSH = s.split(s.permute(heads_BSMH, 0, 2, 1, 3), 1, 3);
        return new Split(qNorm.forward(s, qkv_BNSH.get(0)), kNorm.forward(s, qkv_BNSH.get(1)), qkv_BNSH.get(2));
    }

    /** The heads' results side by side, [B, S, D]. */
    NDArray merge(TensorScope s, NDArray x_BNSH) {
        NDArray x_BSNH = s.permute(x_BNSH, 0, 2, 1, 3);
        return s.reshape(x_BSNH, x_BSNH.getShape().get(0), x_BSNH.getShape().get(1), -1);
    }
}
