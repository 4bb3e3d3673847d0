package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/**
 * A loss with activation checkpointing (Chen et al. 2016, arXiv 1604.06174): the blocks are computed without recording,
 * and once more, recorded, in the backward pass. Only their inputs are kept in between.
 *
 * <p>The graph is cut into segments: embedding, each block, head. A segment reads leaves with the values of what the
 * segment before it computed, and the gradient of a leaf is the one that the backward pass of that segment starts from.
 * Each weight belongs to one segment, so it receives its gradient once, as in a whole graph and as {@link
 * io.github.rarspark.kernel.dist.GradientReducer} requires. The operations and the order of sums are those of a whole
 * graph, and so are the bits of the gradients.
 */
final class CheckpointedLoss implements TrainingLoss {
    private final TensorScope scope;
    private final RarModel model;
    private final KeyedDropout dropout;
    private final Embedded embedded;
    private final Embedded leaves;
    private final Modulations modulations;
    private final List<NDArray> inputs_BSD = new ArrayList<>(); // of each block, at last of the head
    private final RarModel.Scored scored;

    /** The forward pass. */
    CheckpointedLoss(TensorScope scope, RarModel model, RarBatch batch, KeyedDropout dropout) {
        this.scope = scope;
        this.model = model;
        this.dropout = dropout;
        this.embedded = model.embed(scope, batch, model.config().tokens() - 1);
        this.leaves = embedded.leaves(scope);
        this.modulations = model.modulations(leaves);
        inputs_BSD.add(leaves.x_BSD());
        for (Block block : model.blocks()) {
            try (TensorScope unrecorded = TensorScope.inference(scope.manager())) {
                inputs_BSD.add(unrecorded.keep(unrecorded.leaf(transform(unrecorded, block))));
            }
        }
        try (Autocast autocast = model.autocast(scope)) {
            this.scored = model.score(scope, batch, inputs_BSD.get(inputs_BSD.size() - 1), modulations);
        }
    }

    @Override
    public RarModel.Scored scored() {
        return scored;
    }

    @Override
    public void backward(NDArray scalar) {
        scope.backward(scalar);
        List<Block> blocks = model.blocks();
        for (int layer = blocks.size() - 1; layer >= 0; layer--) {
            try (TensorScope s = scope.open();
                    NDArray output_BSD = inputs_BSD.remove(layer + 1)) {
                NDArray recomputed_BSD = transform(s, blocks.get(layer));
                s.backward(List.of(recomputed_BSD), List.of(s.gradient(output_BSD)));
            }
        }
        // In one pass, because the embedding of ids is a part of both.
        scope.backward(
                embedded.tensors(),
                leaves.tensors().stream().map(scope::gradient).toList());
    }

    /**
     * Passes the input of a block through it. In an autocast region of its own: within one, weights that were converted
     * while nothing was recorded would be used again, detached, when something is.
     */
    private NDArray transform(TensorScope s, Block block) {
        try (Autocast autocast = model.autocast(s)) {
            NDArray x_BSD = inputs_BSD.get(block.layer());
            return model.transform(s, block, x_BSD, modulations, dropout::causalAttention, dropout);
        }
    }
}
