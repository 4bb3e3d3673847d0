package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.common.samples.DecodingPool;
import io.github.rarspark.common.samples.ImageSampler;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.image.ImageGrid;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
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
    /** White pixels around each image. */
    static final int PADDING = 2;

    private static final String CAPTIONS = "classes.txt";
    private static final int MAX_ROWS = 10;
    private static final int COLUMNS = 8;

    private final RankContext context;
    private final Optional<Vqgan> tokenizer;
    private final ImageSampler sampler;

    private SampleGrid(RankContext context, Optional<Vqgan> tokenizer) {
        this.context = context;
        this.tokenizer = tokenizer;
        this.sampler = new ImageSampler(context.recipe().generate(), context.manager());
    }

    /** The classes of the rows, in their order: {@code 3 Dress}, or {@code class 3} where names are not known. */
    static List<String> captions(Recipe recipe, TokenSource tokens) {
        List<String> names = tokens.classNames();
        return IntStream.range(0, rows(recipe))
                .mapToObj(row -> row < names.size() ? row + " " + names.get(row) : "class " + row)
                .toList();
    }

    private static int rows(Recipe recipe) {
        return Math.min(MAX_ROWS, recipe.model().classes());
    }

    /** Writes the captions of the rows beside the pictures, one line each. Driver only. */
    static void describe(Storage storage, String output, Recipe recipe, TokenSource tokens) throws IOException {
        storage.putString(
                Storage.child(Storage.child(output, FOLDER), CAPTIONS),
                String.join("\n", captions(recipe, tokens)) + "\n");
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
        int rows = rows(context.recipe());
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
            List<RgbImage> images;
            try (DecodingPool pool =
                    new DecodingPool(tokenizer.get(), context.recipe().train().threads())) {
                images = pool.decode(tokens);
            }
            String name = String.format(Locale.ROOT, "step-%09d.png", step);
            String path = Storage.child(Storage.child(context.assignment().output(), FOLDER), name);
            context.storage().putBytes(path, PngEncoder.encode(ImageGrid.of(images, COLUMNS, PADDING)));
            context.report(new Report.Grid(step, path));
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
