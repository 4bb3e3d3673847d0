package io.github.rarspark.common.memory;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.Conditioning;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.ModelSettings;
import io.github.rarspark.conf.Precision;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizerSettings;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.util.Collections;
import java.util.LinkedHashMap;
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

    /** Code and metadata of a JVM with Spark and libtorch, its threads, buffers of the network. */
    private static final long PROCESS = 500 * MEBIBYTE;

    /** The same with CUDA, of which a process maps and fills much more: an estimate. */
    private static final long GPU_PROCESS = 4096 * MEBIBYTE;

    private static final int FLOAT = 4;

    /** Plan, heartbeats and result are small, but a block each. */
    private static final long LEAST_OUTPUT = MEBIBYTE;

    /** The conditions and positions whose modulations sampling computes at a time. */
    private static final int MODULATION_ROWS = 256;

    /** The maps of the tokenizer's first level that are there at the same time, while an image is encoded or decoded. */
    private static final double ENCODED_MAPS = 6;

    private static final double DECODED_MAPS = 6;

    /** What a pixel takes in a classifier: a few maps of 32 channels. */
    private static final long CLASSIFIER_PIXEL = 4 * 32 * FLOAT;

    /** What an image takes in Inception. */
    private static final long INCEPTION_IMAGE = 38 * MEBIBYTE;

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
            long images = samples(recipe);
            long width = InceptionV3.FEATURES;
            parts.put("features of samples and reference", 2 * images * width * FLOAT);
            parts.put("covariances and distances", 12 * width * width * Double.BYTES + 3 * 256 * images * FLOAT);
        }
        parts.put("JVM and libtorch", PROCESS);
        return new MemoryNeeds(parts);
    }

    /** The bytes of the largest file that a process of the job reads whole, which is weights. */
    public static long largestFile(Recipe recipe, Workload workload) {
        return switch (workload) {
            case TOKENIZE -> FLOAT * tokenizer(recipe.tokenizer()).table().elements();
            case TRAIN -> 2 * FLOAT * parameters(recipe.model()); // both moments
            case GENERATE -> FLOAT * parameters(recipe.model());
            case FID -> FLOAT * InceptionV3.table().elements();
        };
    }

    /**
     * The bytes that the output takes at least: of a training, the first checkpoint and the weights at the end; of a
     * generation, the archive of its samples.
     */
    public static long outputBytes(Recipe recipe, Workload workload) {
        return switch (workload) {
            case TRAIN -> {
                boolean averages = recipe.train().emaDecay() > 0;
                yield (averages ? 6 : 4) * FLOAT * parameters(recipe.model());
            }
            case GENERATE -> archiveBytes(samples(recipe), recipe.image().size());
            case TOKENIZE, FID -> LEAST_OUTPUT;
        };
    }

    /** The bytes of an archive of square images, but for its headers: they are not compressed. */
    public static long archiveBytes(long images, int size) {
        return images * size * size * RgbImage.CHANNELS;
    }

    private static long samples(Recipe recipe) {
        return recipe.generate().counts(recipe.model().classes()).stream()
                .mapToLong(Integer::longValue)
                .sum();
    }

    /** These needs and those of something else in the same process. */
    public MemoryNeeds and(MemoryNeeds other) {
        Map<String, Long> all = new LinkedHashMap<>(parts);
        other.parts.forEach((use, bytes) -> all.merge(use, bytes, Math::max));
        return new MemoryNeeds(all);
    }

    private static Map<String, Long> train(Recipe recipe, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>();
        ModelSettings model = recipe.model();
        TrainSettings train = recipe.train();
        long parameters = parameters(model);
        long averages = train.emaDecay() > 0 ? FLOAT * parameters : 0;
        if (!load.isGpu()) {
            long casts = train.precision() == Precision.BF16 ? 2 * parameters : 0;
            int rows = train.samplesPerPass();
            // Before the first pass the reducer has the gradients twice.
            long pass = Math.max(casts + rows * activations(model, train, rows), FLOAT * parameters);
            parts.put("weights, gradients and moments", load.tasks() * (4 * FLOAT * parameters + averages));
            parts.put("activations of " + rows + " samples", load.tasks() * pass);
        }
        parts.put("copy for a checkpoint", 3 * FLOAT * parameters + averages);
        return parts;
    }

    /**
     * The bytes of a sample's tensors between its forward and its backward pass: what each block keeps, its modulations
     * for a class that no other sample has, and, once, the matrices of attention in a block's backward pass and the logits.
     */
    private static long activations(ModelSettings model, TrainSettings train, int rows) {
        double positions = model.tokens() + 1;
        double width = model.hidden();
        boolean isHalf = train.precision() == Precision.BF16;
        double block = isHalf ? 13 * width + 2.25 * model.mlp() : 29 * width + 3 * model.mlp();
        if (model.conditioning() == Conditioning.ADALN && model.classes() >= rows) {
            block += (isHalf ? 3 : 6) * width;
        }
        double blocks = train.activationCheckpointing() ? 2 * model.layers() * width + block : model.layers() * block;
        double once = 6 * model.heads() * positions + 6 * width + 4 * model.codes();
        return (long) (FLOAT * positions * (blocks + once));
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
        long weights = element * parameters + positions * modulation;
        long keysAndValues = 2 * element * model.layers() * rows * positions * model.hidden();
        long decoders = Math.max(generate.threads(), load.coresPerTask() - generate.threads());
        long sampling = load.tasks() * (keysAndValues + MODULATION_ROWS * modulation);
        parts.put("weights", weights);
        // What is free again after the weights are loaded serves for the rest.
        parts.put("keys and values of " + load.tasks() + " tasks", Math.max(FLOAT * parameters, sampling));
        parts.put("tokenizer", loaded(tokenizer(recipe.tokenizer()).table()));
        parts.put("images being decoded", load.tasks() * decoders * pixels(recipe, DECODED_MAPS));
        return parts;
    }

    private static Map<String, Long> tokenize(Recipe recipe, Load load) {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.put("tokenizer", loaded(tokenizer(recipe.tokenizer()).table()));
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
            parts.put("Inception", loaded(InceptionV3.table()));
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

    /** Weights as they are in the file, and as a task wants them: both while they are loaded. */
    private static long loaded(ParameterTable table) {
        return 2 * FLOAT * table.elements();
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

    /** The total and its parts. */
    public String text() {
        return Sizes.text(bytes()) + " ("
                + parts.entrySet().stream()
                        .map(part -> part.getKey() + " " + Sizes.text(part.getValue()))
                        .collect(Collectors.joining(", "))
                + ")";
    }
}
