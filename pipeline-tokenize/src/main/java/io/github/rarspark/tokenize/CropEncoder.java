package io.github.rarspark.tokenize;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Collects the crops of consecutive images into batches of one size and writes a row of tokens for each crop. Only the
 * last batch is smaller.
 *
 * <p>B batch, C channels, H height, W width, T tokens.
 */
final class CropEncoder {
    private final Vqgan vqgan;
    private final int batch;
    private final RowCodec.Sink<TokenRow> sink;
    private final List<Crop> waiting = new ArrayList<>();

    private record Crop(String sampleId, int classId, int number, RgbImage image) {}

    CropEncoder(Vqgan vqgan, int batch, RowCodec.Sink<TokenRow> sink) {
        this.vqgan = vqgan;
        this.batch = batch;
        this.sink = sink;
    }

    /** Adds the crops of an image. */
    void add(String sampleId, int classId, List<RgbImage> crops) throws IOException {
        for (int number = 0; number < crops.size(); number++) {
            waiting.add(new Crop(sampleId, classId, number, crops.get(number)));
            if (waiting.size() == batch) {
                flush();
            }
        }
    }

    /** Encodes and writes the remaining crops. */
    void flush() throws IOException {
        if (waiting.isEmpty()) {
            return;
        }
        UnitTasks.endIfKilled();
        long[] tokens = encode(waiting.stream().map(Crop::image).toList());
        int perCrop = tokens.length / waiting.size();
        for (int i = 0; i < waiting.size(); i++) {
            Crop crop = waiting.get(i);
            long[] own = Arrays.copyOfRange(tokens, i * perCrop, (i + 1) * perCrop);
            sink.accept(new TokenRow(crop.sampleId(), crop.classId(), crop.number(), own));
        }
        waiting.clear();
    }

    private long[] encode(List<RgbImage> crops) {
        int side = crops.get(0).width();
        try (TensorScope scope = TensorScope.inference(vqgan.weights().manager())) {
            NDArray x_BCHW = scope.floats(Pixels.toFloats(crops), crops.size(), RgbImage.CHANNELS, side, side);
            return vqgan.encode(scope, x_BCHW).toLongArray();
        }
    }
}
