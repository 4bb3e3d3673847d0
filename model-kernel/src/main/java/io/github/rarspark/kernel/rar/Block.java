package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.rar.KeyedDropout.Site;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * A residual block: attention, then an MLP, each preceded by a layer normalization and its modulation.
 *
 * <p>Shapes: B rows, S positions, D width, M = 3 D.
 *
 * @param layer its index
 */
record Block(
        int layer,
        LayerNorm norm1,
        Linear qkv,
        Heads heads,
        Linear projection,
        LayerNorm norm2,
        Linear fc1,
        Linear fc2) {

    static Block of(RarConfig config, NamedTensors tensors, int layer) {
        String prefix = "blocks." + layer + ".";
        return new Block(
                layer,
                LayerNorm.of(tensors, prefix + "norm1"),
                Linear.of(tensors, prefix + "attn.qkv"),
                new Heads(
                        config.heads(),
                        LayerNorm.of(tensors, prefix + "attn.q_norm"),
                        LayerNorm.of(tensors, prefix + "attn.k_norm")),
                Linear.of(tensors, prefix + "attn.proj"),
                LayerNorm.of(tensors, prefix + "norm2"),
                Linear.of(tensors, prefix + "mlp.fc1"),
                Linear.of(tensors, prefix + "mlp.fc2"));
    }

    NDArray forward(
            TensorScope s, NDArray x_BSD, Modulation.OfBlock modulation, Attention attention, KeyedDropout dropout) {
        NDArray attended_BSD = attend(s, modulation.attention().input(s, norm1, x_BSD), attention, dropout);
        NDArray y_BSD = modulation.attention().residual(s, x_BSD, attended_BSD);
        NDArray expanded_BSD = mlp(s, modulation.mlp().input(s, norm2, y_BSD), dropout);
        return modulation.mlp().residual(s, y_BSD, expanded_BSD);
    }

    private NDArray attend(TensorScope s, NDArray x_BSD, Attention attention, KeyedDropout dropout) {
        NDArray attended_BSD = attention.attend(s, layer, heads, qkv.forward(s, x_BSD));
        return dropout.apply(s, projection.forward(s, attended_BSD), layer, Site.PROJECTION);
    }

    private NDArray mlp(TensorScope s, NDArray x_BSD, KeyedDropout dropout) {
        NDArray inner = dropout.apply(s, fc1.gelu(s, x_BSD), layer, Site.MLP_INNER);
        return dropout.apply(s, fc2.forward(s, inner), layer, Site.MLP_OUTER);
    }
}
