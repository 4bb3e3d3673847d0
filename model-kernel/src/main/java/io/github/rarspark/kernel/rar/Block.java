package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.rar.KeyedDropout.Site;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.List;

/**
 * A residual block: attention, then an MLP, each preceded by a layer normalization and its modulation.
 *
 * <p>Shapes: B rows, S positions, D width, N heads, H head width.
 *
 * @param layer its index
 * @param heads N
 */
record Block(
        int layer,
        int heads,
        LayerNorm norm1,
        Linear qkv,
        LayerNorm qNorm,
        LayerNorm kNorm,
        Linear projection,
        LayerNorm norm2,
        Linear fc1,
        Linear fc2) {

    static Block of(RarConfig config, NamedTensors tensors, int layer) {
        String prefix = "blocks." + layer + ".";
        return new Block(
                layer,
                config.heads(),
                LayerNorm.of(tensors, prefix + "norm1"),
                Linear.of(tensors, prefix + "attn.qkv"),
                LayerNorm.of(tensors, prefix + "attn.q_norm"),
                LayerNorm.of(tensors, prefix + "attn.k_norm"),
                Linear.of(tensors, prefix + "attn.proj"),
                LayerNorm.of(tensors, prefix + "norm2"),
                Linear.of(tensors, prefix + "mlp.fc1"),
                Linear.of(tensors, prefix + "mlp.fc2"));
    }

    NDArray forward(
            TensorScope s, NDArray x_BSD, Modulation.OfBlock modulation, Attention attention, KeyedDropout dropout) {
        Modulation m = modulation.attention();
        NDArray attended_BSD = attend(s, m.input(s, norm1.forward(s, x_BSD)), attention, dropout);
        NDArray y_BSD = m.residual(s, x_BSD, attended_BSD);
        m = modulation.mlp();
        NDArray expanded_BSD = mlp(s, m.input(s, norm2.forward(s, y_BSD)), dropout);
        return m.residual(s, y_BSD, expanded_BSD);
    }

    private NDArray attend(TensorScope s, NDArray x_BSD, Attention attention, KeyedDropout dropout) {
        long rows = x_BSD.getShape().get(0);
        long positions = x_BSD.getShape().get(1);
        long width = x_BSD.getShape().get(2);
        // Queries, keys and values of all heads are concatenated: 3N heads of width H.
        NDArray heads_BSMH = s.reshape(qkv.forward(s, x_BSD), rows, positions, 3L * heads, width / heads);
        List<NDArray> qkv_BNSH = s.split(s.permute(heads_BSMH, 0, 2, 1, 3), 1, 3);
        NDArray q_BNSH = qNorm.forward(s, qkv_BNSH.get(0));
        NDArray k_BNSH = kNorm.forward(s, qkv_BNSH.get(1));
        NDArray attended_BNSH = attention.attend(s, layer, q_BNSH, k_BNSH, qkv_BNSH.get(2));
        NDArray attended_BSD = s.reshape(s.permute(attended_BNSH, 0, 2, 1, 3), rows, positions, width);
        return dropout.apply(s, projection.forward(s, attended_BSD), layer, Site.PROJECTION);
    }

    private NDArray mlp(TensorScope s, NDArray x_BSD, KeyedDropout dropout) {
        NDArray inner = dropout.apply(s, s.gelu(fc1.forward(s, x_BSD)), layer, Site.MLP_INNER);
        return dropout.apply(s, fc2.forward(s, inner), layer, Site.MLP_OUTER);
    }
}
