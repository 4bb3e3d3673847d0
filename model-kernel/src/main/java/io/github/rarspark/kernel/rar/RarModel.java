package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.Legend;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The RAR transformer over whole sequences: training and scoring (Section 3 of the paper). For sampling, see {@link
 * RarDecoder}.
 *
 * <p>Shapes: B rows, R of them, U distinct conditions, T image tokens, S positions (cls, class, tokens), D width, V codes, L
 * predictions.
 */
public final class RarModel implements AutoCloseable {
    private final RarConfig config;
    private final Precision precision;
    private final DataType type;
    private final Embedding embedding;
    private final List<Block> blocks;
    private final AdaLn adaLn; // null in a plain model
    private final Head head;
    private final NamedTensors converted; // null unless the model made copies of the tensors
    private final AdaLn.Products unconditional; // null unless the model was made to sample from

    /** Creates a float32 model over tensors that the caller owns. */
    public RarModel(RarConfig config, NamedTensors tensors) {
        this(config, tensors, Precision.FP32);
    }

    /**
     * Creates a model over tensors that the caller owns.
     *
     * @param precision the precision of matrix products; the tensors keep their type
     * @throws IllegalArgumentException if the tensors do not match {@link RarConfig#parameters}
     */
    public RarModel(RarConfig config, NamedTensors tensors, Precision precision) {
        this(config, tensors, precision, DataType.FLOAT32, null);
    }

    private RarModel(
            RarConfig config, NamedTensors tensors, Precision precision, DataType type, NamedTensors converted) {
        config.parameters().specs().forEach(spec -> {
            if (!tensors.get(spec.name()).getShape().equals(spec.shape())) {
                throw new IllegalArgumentException("Cannot build a RAR model: " + spec.name() + " has the shape "
                        + tensors.get(spec.name()).getShape() + " instead of " + spec.shape());
            }
        });
        this.config = config;
        this.precision = precision;
        this.type = type;
        this.converted = converted;
        this.embedding = Embedding.of(config, tensors);
        this.blocks = IntStream.range(0, config.layers())
                .mapToObj(layer -> Block.of(config, tensors, layer))
                .toList();
        this.adaLn = config.conditioning() == Conditioning.ADALN ? AdaLn.of(config, tensors) : null;
        this.head = Head.of(config, tensors);
        this.unconditional = converted == null || adaLn == null ? null : unconditional(converted.manager());
    }

    /** The modulations of no class, which every guided batch reads, at all positions. */
    private AdaLn.Products unconditional(NDManager owner) {
        try (TensorScope s = TensorScope.inference(owner)) {
            NDArray noClass_11 = s.longs(new long[] {config.space().noClass()}, 1, 1);
            return adaLn.products(owner, type, noClass_11, 0, config.positions() - 1);
        }
    }

    /**
     * Creates a model to sample from, with its linear layers in the type of the precision and, on a CPU, in the layout of
     * oneDNN. Such a model owns copies of its tensors; the given ones may be closed.
     */
    public static RarModel forSampling(RarConfig config, NamedTensors tensors, Precision precision) {
        boolean pack = !tensors.manager().getDevice().isGpu();
        NamedTensors converted = tensors.map((s, name, tensor) -> {
            if (!isLinear(name)) {
                return s.copyOf(tensor);
            }
            NDArray typed = s.to(tensor, precision.type());
            return pack && name.endsWith(".weight") ? s.packLinear(typed) : s.copyOf(typed);
        });
        return new RarModel(config, converted, precision, precision.type(), converted);
    }

    /** Whether a name of the state dict is a linear layer's. */
    private static boolean isLinear(String name) {
        return name.matches(".*(qkv|proj|fc1|fc2|adaLN_modulation\\.1|lm_head)\\.(weight|bias)");
    }

    /** Frees the tensors that the model itself created, not those it was given. */
    @Override
    public void close() {
        if (converted != null) {
            converted.close();
        }
    }

    /** The architecture of the model. */
    public RarConfig config() {
        return config;
    }

    /**
     * The mean cross-entropy of the T predictions, a scalar. The last token is only a target, so the input sequence
     * ends before it.
     */
    public NDArray loss(TensorScope s, RarBatch batch, KeyedDropout dropout) {
        return score(s, batch, dropout).loss();
    }

    /**
     * What the model makes of a batch.
     *
     * @param loss the mean cross-entropy of all predictions, a scalar
     * @param logits_BTV the predictions
     */
    public record Scored(NDArray loss, NDArray logits_BTV) {
        /**
         * The mean cross-entropy of some rows' predictions; nothing is recorded for a backward pass.
         *
         * @param batch what was scored
         * @param rows at least one
         */
        public double lossOf(TensorScope s, RarBatch batch, int[] rows) {
            NDArray rows_R = s.longs(Arrays.stream(rows).asLongStream().toArray(), rows.length);
            NDArray logits_RTV = s.indexSelect(s.detach(logits_BTV), 0, rows_R);
            NDArray logits_LV = s.reshape(logits_RTV, -1, logits_BTV.getShape().get(2));
            return s.crossEntropy(logits_LV, batch.select(rows).targets(s)).getFloat();
        }
    }

    /** Scores a batch as {@link #loss} does. */
    public Scored score(TensorScope s, RarBatch batch, KeyedDropout dropout) {
        try (Autocast autocast = autocast(s)) {
            Embedded embedded = embed(s, batch, config.tokens() - 1);
            Modulations modulations = modulations(embedded);
            NDArray y_BSD = transform(s, embedded.x_BSD(), modulations, dropout::causalAttention, dropout);
            return score(s, batch, y_BSD, modulations);
        }
    }

    /**
     * The loss with its backward pass, for a scope that records.
     *
     * @param checkpointing whether to keep only the blocks' inputs for the backward pass and to compute the blocks anew
     *     there (activation checkpointing): the same gradients, with less memory and a third more operations
     */
    public TrainingLoss trainingLoss(TensorScope s, RarBatch batch, KeyedDropout dropout, boolean checkpointing) {
        return checkpointing
                ? new CheckpointedLoss(s, this, batch, dropout)
                : new RecordedLoss(s, score(s, batch, dropout));
    }

    /** Scores a batch, given the output of the last block. */
    Scored score(TensorScope s, RarBatch batch, NDArray y_BSD, Modulations modulations) {
        NDArray logits_BTV = head.forward(s, y_BSD, modulations, 1);
        NDArray logits_LV = s.reshape(logits_BTV, -1, config.codes());
        return new Scored(s.crossEntropy(logits_LV, batch.targets(s)), logits_BTV);
    }

    /** Logits [B, T+1, V] of every position from the class on: the k-th row predicts the k-th token. */
    public NDArray logits(TensorScope s, RarBatch batch) {
        try (Autocast autocast = autocast(s)) {
            Embedded embedded = embed(s, batch, config.tokens());
            Modulations modulations = modulations(embedded);
            KeyedDropout dropout = KeyedDropout.NONE;
            NDArray y_BSD = transform(s, embedded.x_BSD(), modulations, dropout::causalAttention, dropout);
            return head.forward(s, y_BSD, modulations, 1);
        }
    }

    /** Cls, class and the first {@code known} tokens of each row. */
    Embedded embed(TensorScope s, RarBatch batch, int known) {
        Legend.of('B', batch.rows()).and('T', config.tokens()).check("tokens_BT", batch.tokens());
        NDArray x_BSD = embedding.sequences(s, batch.ids(s, known), batch.orders());
        if (adaLn == null) {
            return new Embedded(x_BSD, null, null);
        }
        AdaLn.Conditions conditions = AdaLn.Conditions.of(s.manager(), batch.conditions());
        return new Embedded(x_BSD, conditions, adaLn.input(s, conditions, known + 2));
    }

    Modulations modulations(Embedded embedded) {
        return adaLn == null
                ? SequenceModulations.NONE
                : new SequenceModulations(adaLn, embedded.conditions(), embedded.modulationInput_USD());
    }

    /** Passes x [B, S, D] through all blocks. */
    NDArray transform(
            TensorScope s, NDArray x_BSD, Modulations modulations, Attention attention, KeyedDropout dropout) {
        for (Block block : blocks) {
            x_BSD = transform(s, block, x_BSD, modulations, attention, dropout);
        }
        return x_BSD;
    }

    /** Passes x [B, S, D] through one block. Its intermediate results are freed, except those that a backward pass needs. */
    NDArray transform(
            TensorScope s,
            Block block,
            NDArray x_BSD,
            Modulations modulations,
            Attention attention,
            KeyedDropout dropout) {
        try (TensorScope inner = s.open()) {
            Modulation.OfBlock modulation = modulations.ofBlock(inner, block.layer());
            return inner.keep(block.forward(inner, x_BSD, modulation, attention, dropout));
        }
    }

    /** The precision of matrix products on the calling thread while open. */
    Autocast autocast(TensorScope s) {
        return precision.autocast(s.device());
    }

    List<Block> blocks() {
        return blocks;
    }

    /** What linear layers read and write while decoding. */
    DataType type() {
        return type;
    }

    Embedding embedding() {
        return embedding;
    }

    /** Null in a plain model. */
    AdaLn adaLn() {
        return adaLn;
    }

    /** The modulations of no class at all positions; null unless the model was made to sample from. */
    AdaLn.Products unconditional() {
        return unconditional;
    }

    Head head() {
        return head;
    }
}
