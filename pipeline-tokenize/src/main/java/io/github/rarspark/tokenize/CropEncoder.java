package io.github.rarspark.tokenize;

import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Collects the crops of consecutive images into batches of one size and writes a row of tokens for each crop. Only the
 * last batch is smaller.
 */
final class CropEncoder {
    private final Encoder encoder;
    private final int cropsPerImage;
    private final int batch;
    private final RowCodec.Sink<TokenRow> sink;
    private final List<Crop> waiting = new ArrayList<>();
    private long encodingNanos;

    /**
     * A crop to encode.
     *
     * @param sampleId the image
     * @param classId its class
     * @param number of the crop, from 0
     * @param source what it is cut from
     */
    record Crop(String sampleId, int classId, int number, RgbImage source) {}

    /** Computes the tokens of a batch, row after row. */
    @FunctionalInterface
    interface Encoder {
        /** The same number of tokens for each crop. */
        long[] encode(List<Crop> crops);
    }

    CropEncoder(Encoder encoder, int cropsPerImage, int batch, RowCodec.Sink<TokenRow> sink) {
        this.encoder = encoder;
        this.cropsPerImage = cropsPerImage;
        this.batch = batch;
        this.sink = sink;
    }

    /** Adds the crops of an image, which are cut from {@code source}. */
    void add(String sampleId, int classId, RgbImage source) throws IOException {
        for (int number = 0; number < cropsPerImage; number++) {
            waiting.add(new Crop(sampleId, classId, number, source));
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
        long start = System.nanoTime();
        long[] tokens = encoder.encode(waiting);
        encodingNanos += System.nanoTime() - start;
        int perCrop = tokens.length / waiting.size();
        for (int i = 0; i < waiting.size(); i++) {
            Crop crop = waiting.get(i);
            long[] own = Arrays.copyOfRange(tokens, i * perCrop, (i + 1) * perCrop);
            sink.accept(new TokenRow(crop.sampleId(), crop.classId(), crop.number(), own));
        }
        waiting.clear();
    }

    /** The time that the encoder took, in seconds. */
    double seconds() {
        return encodingNanos / 1e9;
    }
}
