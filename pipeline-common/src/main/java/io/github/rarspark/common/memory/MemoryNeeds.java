package io.github.rarspark.common.memory;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.ModelSettings;
import io.github.rarspark.conf.Precision;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizerSettings;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a process needs outside of its Java heap, by what for: tensors, and what a JVM with libtorch takes itself. The
 * formulas count what is there at the same moment; their constants are measured (docs/operations.md, Memory). They are
 * for computing on CPUs. Where tasks compute on GPUs, the host's memory is estimated, and the GPU's own is not covered.
 *
 * @param parts bytes of each use, in the order in which they matter to a reader
 */
public record MemoryNeeds(Map<String, Long> parts) {
    private static final long MEBIBYTE = 1 << 20;
    private static final double GIBIBYTE = 1 << 30;

    /** Code and metadata of a JVM with Spark and libtorch, its threads, buffers of the network. */
    private static final long PROCESS = 500 * MEBIBYTE;

    /** The same with CUDA, of which a process maps and fills much more: an estimate. */
    private static final long GPU_PROCESS = 4096 * MEBIBYTE;

    private static final int FLOAT = 4;

    /** The conditions and positions whose modulations sampling computes at a time. */
    private static final int MODULATION_ROWS = 256;

    /** The maps of the tokenizer's first level that are there at the same time, while an image is encoded or decoded. */
    private static final double ENCODED_MAPS = 3.5;

    private static final double DECODED_MAPS = 4.5;

    /** What a pixel takes in a classifier: a few maps of 32 channels. */
    private static final long CLASSIFIER_PIXEL = 4 * 32 * FLOAT;

    /** What an image takes in Inception. */
    private static final long INCEPTION_IMAGE = 24 * MEBIBYTE;

    /** Copies the parts. */
    public MemoryNeeds {
        parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
    }

    /**
     * What runs in an executor.
     *
     * @param isGpu whether tasks compute on GPUs
     * @param tasks how many at the same time
     * @param coresPerTask that Spark counts for a task
     */
    public record Load(boolean isGpu, int tasks, int coresPerTask) {}

    /** The needs of an executor. */
    public static MemoryNeeds ofExecutor(Recipe recipe, Workload workload, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>(
                switch (workload) {
                    case TOKENIZE -> tokenize(recipe, load);
                    case TRAIN -> train(recipe, load);
                    case GENERATE -> generate(recipe, load);
                    case FID -> features(recipe, load);
                });
        parts.put("JVM and libtorch", load.isGpu() ? GPU_PROCESS : PROCESS);
        return new MemoryNeeds(parts);
    }

    /** The needs of a driver. */
    public static MemoryNeeds ofDriver(Recipe recipe, Workload workload) {
        Map<String, Long> parts = new LinkedHashMap<>();
        if (workload == Workload.FID) {
            long images = recipe.generate().counts(recipe.model().classes()).stream()
                    .mapToLong(Integer::longValue)
                    .sum();
            long width = InceptionV3.FEATURES;
            parts.put("features of samples and reference", 2 * images * width * FLOAT);
            parts.put("covariances and distances", 12 * width * width * Double.BYTES + 3 * 256 * images * FLOAT);
        }
        parts.put("JVM and libtorch", PROCESS);
        return new MemoryNeeds(parts);
    }

    private static Map<String, Long> train(Recipe recipe, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>();
        ModelSettings model = recipe.model();
        TrainSettings train = recipe.train();
        long parameters = parameters(model);
        long averages = train.emaDecay() > 0 ? FLOAT * parameters : 0;
        if (!load.isGpu()) {
            long casts = train.precision() == Precision.BF16 ? 2 * parameters : 0;
            int share = Math.max(1, train.batch() / train.ranks());
            int rows = train.microBatch() == 0 ? share : Math.min(share, train.microBatch());
            parts.put("weights, gradients and moments", load.tasks() * (4 * FLOAT * parameters + averages + casts));
            parts.put("activations of " + rows + " samples", load.tasks() * rows * activations(model, train));
        }
        parts.put("copy for a checkpoint", 3 * FLOAT * parameters + averages);
        return parts;
    }

    /** The bytes that a sample's tensors take between its forward and its backward pass. */
    private static long activations(ModelSettings model, TrainSettings train) {
        double positions = model.tokens() + 1;
        double width = model.hidden();
        double block = train.precision() == Precision.BF16
                ? 17 * width + 2.4 * model.mlp()
                : 31 * width + 3 * model.mlp() + 0.5 * model.heads() * positions;
        double ends = 6 * width + 4.0 * model.codes();
        double blocks =
                train.activationCheckpointing() ? 2 * model.layers() * width + 2.5 * block : model.layers() * block;
        return (long) (FLOAT * positions * (blocks + ends));
    }

    private static Map<String, Long> generate(Recipe recipe, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>();
        ModelSettings model = recipe.model();
        GenerateSettings generate = recipe.generate();
        long parameters = parameters(model);
        if (load.isGpu()) {
            return Map.of("weights while they are loaded", FLOAT * parameters);
        }
        int element = generate.precision() == Precision.BF16 ? 2 : FLOAT;
        long rows = generate.guidanceScale() > 0 ? 2L * generate.batch() : generate.batch();
        long positions = model.tokens() + 1L;
        long modulation = (6L * model.layers() + 2) * model.hidden() * element;
        parts.put("weights while they are loaded", (FLOAT + element) * parameters + positions * modulation);
        parts.put(
                "keys and values of " + load.tasks() + " tasks",
                2 * element * model.layers() * rows * positions * model.hidden() * load.tasks());
        parts.put("modulations", load.tasks() * MODULATION_ROWS * modulation);
        int decoders = Math.max(generate.threads(), load.coresPerTask() - generate.threads());
        parts.put("tokenizer", FLOAT * tokenizer(recipe.tokenizer()).table().elements());
        parts.put("images being decoded", load.tasks() * decoders * pixels(recipe, DECODED_MAPS));
        return parts;
    }

    private static Map<String, Long> tokenize(Recipe recipe, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.put("tokenizer", FLOAT * tokenizer(recipe.tokenizer()).table().elements());
        if (!load.isGpu()) {
            int batch = recipe.tokenize().batch();
            parts.put("batches of " + batch + " crops", load.tasks() * batch * pixels(recipe, ENCODED_MAPS));
        }
        return parts;
    }

    private static Map<String, Long> features(Recipe recipe, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>();
        boolean isClassifier = recipe.fid().features().startsWith("classifier:");
        int batch = recipe.fid().batch();
        if (!isClassifier) {
            parts.put("Inception", FLOAT * InceptionV3.table().elements());
        }
        if (!load.isGpu()) {
            long image = isClassifier
                    ? CLASSIFIER_PIXEL * recipe.image().size() * recipe.image().size()
                    : INCEPTION_IMAGE;
            parts.put("batches of " + batch + " images", load.tasks() * batch * image);
        }
        return parts;
    }

    /** The bytes of some maps of an image in the tokenizer's first level, which is its largest. */
    private static long pixels(Recipe recipe, double maps) {
        double side = recipe.image().size();
        return (long) (maps * FLOAT * recipe.tokenizer().hiddenChannels() * side * side);
    }

    private static long parameters(ModelSettings model) {
        return KernelSettings.rar(model).parameters().elements();
    }

    private static VqganConfig tokenizer(TokenizerSettings settings) {
        return new VqganConfig(
                settings.hiddenChannels(),
                settings.channelMult(),
                settings.resBlocks(),
                settings.zChannels(),
                settings.codes());
    }

    /** All bytes. */
    public long bytes() {
        return parts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** A sentence with the total and its parts, in GiB. */
    public String text() {
        return gibibytes(bytes()) + " ("
                + parts.entrySet().stream()
                        .map(part -> part.getKey() + " " + gibibytes(part.getValue()))
                        .collect(Collectors.joining(", "))
                + ")";
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / GIBIBYTE);
    }
}
