package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.image.ImageGrid;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The picture of a model in training: {@code samples/step-000000100.png}, a row for each of the first classes. It is
 * drawn with the recipe's sampling settings and the same random numbers at every step.
 */
final class SampleGrid {
    static final String FOLDER = "samples";
    private static final int MAX_ROWS = 10;
    private static final int COLUMNS = 8;
    private static final int PADDING = 2;

    private final Recipe recipe;
    private final Storage storage;
    private final String output;
    private final Vqgan tokenizer;
    private final NDManager manager;

    /** @param tokenizer decodes the samples; null for no picture */
    SampleGrid(RankAssignment assignment, Vqgan tokenizer, NDManager manager) {
        this.recipe = assignment.recipe();
        this.storage = assignment.storage();
        this.output = assignment.output();
        this.tokenizer = tokenizer;
        this.manager = manager;
    }

    /** Draws and writes the picture after {@code step} updates. */
    void write(RarModel model, long step) throws IOException {
        if (tokenizer == null) {
            return;
        }
        int rows = Math.min(MAX_ROWS, model.config().classes());
        Request[] requests = IntStream.range(0, rows * COLUMNS)
                .mapToObj(i -> new Request(i / COLUMNS, i % COLUMNS))
                .toArray(Request[]::new);
        RarSampler sampler = new RarSampler(
                model,
                KernelSettings.guidance(recipe.generate()),
                recipe.generate().temperature());
        long seed = recipe.generate().seed();
        long[][] tokens = sampler.sample(
                manager,
                seed,
                requests,
                RarSampler.orders(
                        seed,
                        requests,
                        model.config(),
                        KernelSettings.scanOrder(recipe.generate().order())));
        RgbImage picture = ImageGrid.of(decode(tokens), COLUMNS, PADDING);
        String name = String.format(Locale.ROOT, "step-%09d.png", step);
        storage.putBytes(Storage.child(Storage.child(output, FOLDER), name), PngEncoder.encode(picture));
    }

    private List<RgbImage> decode(long[][] tokens) {
        try (TensorScope s = TensorScope.inference(manager)) {
            long[] flat = Arrays.stream(tokens).flatMapToLong(Arrays::stream).toArray();
            NDArray pixels_BCHW = tokenizer.decode(s, s.longs(flat, tokens.length, tokens[0].length));
            int side = recipe.image().size();
            return Pixels.toImages(pixels_BCHW.toFloatArray(), side, side);
        }
    }
}
