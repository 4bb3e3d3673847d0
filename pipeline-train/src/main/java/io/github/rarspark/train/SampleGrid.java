package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.common.samples.ImageSampler;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.image.ImageGrid;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The picture of a model in training: {@code samples/step-000000100.png}, a row for each of the first classes. It is
 * sampled with the recipe's settings and the same random numbers at every step. Each rank samples a share of the
 * images; rank 0 decodes them.
 */
final class SampleGrid implements AutoCloseable {
    static final String FOLDER = "samples";
    private static final int MAX_ROWS = 10;
    private static final int COLUMNS = 8;
    private static final int PADDING = 2;

    private final RankContext context;
    private final Optional<Vqgan> tokenizer;
    private final ImageSampler sampler;

    private SampleGrid(RankContext context, Optional<Vqgan> tokenizer) {
        this.context = context;
        this.tokenizer = tokenizer;
        this.sampler = new ImageSampler(context.recipe().generate(), context.manager());
    }

    /** Loads the tokenizer on rank 0, if grids are written. */
    static SampleGrid open(RankContext context) throws IOException {
        WeightFile tokenizer = context.assignment().tokenizer();
        return new SampleGrid(
                context,
                tokenizer == null || !context.isFirst()
                        ? Optional.empty()
                        : Optional.of(Vqgan.load(tokenizer.read(context.storage()), context.manager())));
    }

    /** Draws the picture after {@code step} updates; all ranks take part, and rank 0 writes it. */
    void write(RarModel model, long step) throws IOException {
        if (context.assignment().tokenizer() == null) {
            return;
        }
        int rows = Math.min(MAX_ROWS, model.config().classes());
        Request[] requests = IntStream.range(0, rows * COLUMNS)
                .mapToObj(i -> new Request(i / COLUMNS, i % COLUMNS))
                .toArray(Request[]::new);
        int batch = context.recipe().generate().batch();
        ProcessGroup group = context.group();
        long[][] tokens = new long[requests.length][model.config().tokens()];
        for (int chunk = group.rank(); chunk * batch < requests.length; chunk += group.worldSize()) {
            int end = Math.min(requests.length, (chunk + 1) * batch);
            long[][] drawn = sampler.draw(model, Arrays.copyOfRange(requests, chunk * batch, end));
            System.arraycopy(drawn, 0, tokens, chunk * batch, drawn.length);
        }
        sumOverRanks(tokens);
        if (tokenizer.isPresent()) {
            List<RgbImage> images = new ArrayList<>();
            for (int first = 0; first < tokens.length; first += batch) {
                long[][] some = Arrays.copyOfRange(tokens, first, Math.min(tokens.length, first + batch));
                images.addAll(sampler.decode(tokenizer.get(), some));
            }
            String name = String.format(Locale.ROOT, "step-%09d.png", step);
            context.storage()
                    .putBytes(
                            Storage.child(Storage.child(context.assignment().output(), FOLDER), name),
                            PngEncoder.encode(ImageGrid.of(images, COLUMNS, PADDING)));
        }
    }

    /** Gathers the rows of all ranks on each; a rank has zeros in the rows of others. */
    private void sumOverRanks(long[][] tokens) {
        try (TensorScope s = TensorScope.inference(context.manager())) {
            long[] flat = Arrays.stream(tokens).flatMapToLong(Arrays::stream).toArray();
            NDArray sum = s.longs(flat, flat.length);
            context.group().allReduceSum(sum);
            long[] all = sum.toLongArray();
            for (int row = 0; row < tokens.length; row++) {
                System.arraycopy(all, row * tokens[row].length, tokens[row], 0, tokens[row].length);
            }
        }
    }

    @Override
    public void close() {
        tokenizer.ifPresent(Vqgan::close);
    }
}
