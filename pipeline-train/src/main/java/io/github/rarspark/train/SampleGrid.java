package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.dist.ProcessGroup;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The picture of a model in training: {@code samples/step-000000100.png}, a row for each of the first classes. It is
 * drawn with the recipe's sampling settings and the same random numbers at every step. Each rank draws a share of the
 * tokens; rank 0 decodes them.
 */
final class SampleGrid {
    static final String FOLDER = "samples";
    private static final int MAX_ROWS = 10;
    private static final int COLUMNS = 8;
    private static final int PADDING = 2;

    private final Recipe recipe;
    private final Storage storage;
    private final String output;
    private final boolean wanted;
    private final ProcessGroup group;
    private final Vqgan tokenizer;
    private final NDManager manager;

    /** @param tokenizer decodes the samples; null in other ranks than 0, and if no picture is wanted */
    SampleGrid(RankAssignment assignment, ProcessGroup group, Vqgan tokenizer, NDManager manager) {
        this.recipe = assignment.recipe();
        this.storage = assignment.storage();
        this.output = assignment.output();
        this.wanted = assignment.tokenizer() != null;
        this.group = group;
        this.tokenizer = tokenizer;
        this.manager = manager;
    }

    /** Draws the picture after {@code step} updates; all ranks take part, and rank 0 writes it. */
    void write(RarModel model, long step) throws IOException {
        if (!wanted) {
            return;
        }
        int rows = Math.min(MAX_ROWS, model.config().classes());
        Request[] requests = IntStream.range(0, rows * COLUMNS)
                .mapToObj(i -> new Request(i / COLUMNS, i % COLUMNS))
                .toArray(Request[]::new);
        int batch = recipe.generate().batch();
        long[][] tokens = new long[requests.length][model.config().tokens()];
        for (int chunk = group.rank(); chunk * batch < requests.length; chunk += group.worldSize()) {
            Request[] some =
                    Arrays.copyOfRange(requests, chunk * batch, Math.min(requests.length, (chunk + 1) * batch));
            System.arraycopy(draw(model, some), 0, tokens, chunk * batch, some.length);
        }
        long[] all = sumOverRanks(tokens);
        if (group.rank() == 0) {
            List<RgbImage> images = new ArrayList<>();
            for (int first = 0; first < requests.length; first += batch) {
                images.addAll(decode(all, first, Math.min(batch, requests.length - first)));
            }
            String name = String.format(Locale.ROOT, "step-%09d.png", step);
            storage.putBytes(
                    Storage.child(Storage.child(output, FOLDER), name),
                    PngEncoder.encode(ImageGrid.of(images, COLUMNS, PADDING)));
        }
    }

    private long[][] draw(RarModel model, Request[] requests) {
        RarSampler sampler = new RarSampler(
                model,
                KernelSettings.guidance(recipe.generate()),
                recipe.generate().temperature());
        long seed = recipe.generate().seed();
        long[][] orders = RarSampler.orders(
                seed,
                requests,
                model.config(),
                KernelSettings.scanOrder(recipe.generate().order()));
        return sampler.sample(manager, seed, requests, orders);
    }

    /** Each rank has zeros where another one drew. */
    private long[] sumOverRanks(long[][] tokens) {
        try (TensorScope s = TensorScope.inference(manager)) {
            long[] flat = Arrays.stream(tokens).flatMapToLong(Arrays::stream).toArray();
            NDArray sum = s.longs(flat, flat.length);
            group.allReduceSum(sum);
            return sum.toLongArray();
        }
    }

    private List<RgbImage> decode(long[] tokens, int first, int count) {
        int perImage = recipe.model().tokens();
        try (TensorScope s = TensorScope.inference(manager)) {
            long[] some = Arrays.copyOfRange(tokens, first * perImage, (first + count) * perImage);
            NDArray pixels_BCHW = tokenizer.decode(s, s.longs(some, count, perImage));
            int side = recipe.image().size();
            return Pixels.toImages(pixels_BCHW.toFloatArray(), side, side);
        }
    }
}
