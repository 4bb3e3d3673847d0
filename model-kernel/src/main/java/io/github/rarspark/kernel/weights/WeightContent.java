package io.github.rarspark.kernel.weights;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What the tensors of a file seem to be: read off their names and shapes, so that a file that is used as something else
 * can be called by its name.
 *
 * @param kind the kind of model
 * @param description what it is and of which size, with an article
 */
public record WeightContent(Kind kind, String description) {
    private static final String NOTHING = "nothing that rar-spark knows";
    private static final String PARALLEL_PREFIX = "module.";
    /** Rows of the position table beyond a RAR model's tokens. */
    private static final int SPARE_POSITIONS = 1024;
    /** Rows of the embeddings beyond codes and classes: mask token and no class. */
    private static final int SPARE_EMBEDDINGS = 2;

    /** The kinds of content. */
    public enum Kind {
        /** A RAR generator. */
        RAR("--weights of generate, --init of train"),
        /** A MaskGIT-VQGAN tokenizer. */
        VQGAN("--tokenizer of tokenize, train and generate"),
        /** A classifier of {@code train-classifier}. */
        CLASSIFIER("--features classifier:FILE of fid"),
        /** The Inception network of published metrics. */
        INCEPTION("--features inception:FILE of fid"),
        /** A part of a training checkpoint that is no weights. */
        TRAINING_STATE("nothing but its training's checkpoint"),
        /** Nothing that rar-spark knows. */
        UNKNOWN("nothing here");

        private final String use;

        Kind(String use) {
            this.use = use;
        }

        /** What such a file would be used as. */
        public String use() {
            return use;
        }
    }

    /** Whether there is more to say than that the tensors are not known. */
    boolean isRecognized() {
        return !description.equals(NOTHING);
    }

    /** Recognizes a file's tensors. */
    public static WeightContent of(Map<String, TensorInfo> tensors) {
        Reader file = new Reader(tensors);
        if (!tensors.isEmpty() && tensors.keySet().stream().allMatch(name -> name.startsWith(PARALLEL_PREFIX))) {
            WeightContent inner = of(withoutPrefix(tensors));
            return new WeightContent(
                    Kind.UNKNOWN,
                    inner.description() + " with '" + PARALLEL_PREFIX + "' in front of every name, as parallel"
                            + " training saves it");
        } else if (file.has("cls_token") && file.has("blocks.0.attn.qkv.weight")) {
            return new WeightContent(Kind.RAR, rar(file));
        } else if (file.has("encoder.conv_in.weight") && file.has("quantize.embedding.weight")) {
            return vqgan(file);
        } else if (file.has("Mixed_7c.branch1x1.conv.weight")) {
            return inception(file);
        } else if (file.has("stage.0.conv.weight") && file.has("head.weight")) {
            return new WeightContent(
                    Kind.CLASSIFIER,
                    "a classifier of train-classifier (" + file.size("hidden.weight", 0) + " features, "
                            + file.size("head.weight", 0) + " classes)");
        } else if (tensors.keySet().stream().anyMatch(name -> name.startsWith("first_moment/"))) {
            return new WeightContent(Kind.TRAINING_STATE, "the optimizer's state of a training");
        }
        return new WeightContent(Kind.UNKNOWN, NOTHING);
    }

    private static Map<String, TensorInfo> withoutPrefix(Map<String, TensorInfo> tensors) {
        return tensors.entrySet().stream()
                .collect(Collectors.toMap(
                        entry -> entry.getKey().substring(PARALLEL_PREFIX.length()), Map.Entry::getValue));
    }

    private static String rar(Reader file) {
        long hidden = file.size("cls_token", 2);
        long layers = file.count(i -> "blocks." + i + ".attn.qkv.weight");
        long mlp = file.size("blocks.0.mlp.fc1.weight", 0);
        long codes = file.size("lm_head.weight", 0);
        boolean adaln = file.has("timesteps_embeddings");
        return "a RAR generator" + released(hidden, layers, mlp)
                + " (width " + hidden
                + ", " + layers + " layers"
                + ", " + hidden / Math.max(1, file.size("blocks.0.attn.q_norm.weight", 0)) + " heads"
                + ", MLP " + mlp
                + ", " + (file.size("pos_embed", 1) - SPARE_POSITIONS) + " tokens"
                + ", " + codes + " codes"
                + ", " + (file.size("embeddings.weight", 0) - codes - SPARE_EMBEDDINGS) + " classes"
                + (adaln ? "" : ", plain conditioning")
                + (file.has("target_aware_pos_embed") ? "" : ", not target-aware") + ")";
    }

    /** The name of a published size. */
    private static String released(long hidden, long layers, long mlp) {
        return switch (hidden + "x" + layers + "x" + mlp) {
            case "768x12x3072" -> " of the size RAR-S";
            case "768x24x3072" -> " of the size RAR-B";
            case "1024x24x4096" -> " of the size RAR-L";
            case "1280x32x5120" -> " of the size RAR-XL";
            case "1408x40x6144" -> " of the size RAR-XXL";
            default -> "";
        };
    }

    private static WeightContent vqgan(Reader file) {
        String codes = file.size("quantize.embedding.weight", 0) + " codes of "
                + file.size("quantize.embedding.weight", 1) + " values";
        return file.has("quant_conv.weight")
                ? new WeightContent(Kind.UNKNOWN, "a VQGAN of the taming-transformers family (" + codes + ")")
                : new WeightContent(Kind.VQGAN, "a MaskGIT-VQGAN tokenizer (" + codes + ")");
    }

    private static WeightContent inception(Reader file) {
        long classes = file.size("fc.weight", 0);
        return classes == 1008
                ? new WeightContent(Kind.INCEPTION, "the Inception v3 of 2015-12-05 (1008 classes)")
                : new WeightContent(
                        Kind.UNKNOWN,
                        "an Inception v3 with " + classes + " classes, not the one of published metrics, which has"
                                + " 1008");
    }

    /** Shapes by name; what is not there counts as 0. */
    private record Reader(Map<String, TensorInfo> tensors) {
        boolean has(String name) {
            return tensors.containsKey(name);
        }

        long size(String name, int axis) {
            TensorInfo info = tensors.get(name);
            return info == null || info.shape().dimension() <= axis
                    ? 0
                    : info.shape().get(axis);
        }

        long count(Function<Long, String> name) {
            long count = 0;
            while (has(name.apply(count))) {
                count++;
            }
            return count;
        }
    }
}
