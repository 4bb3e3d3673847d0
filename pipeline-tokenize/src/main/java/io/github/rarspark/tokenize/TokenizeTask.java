package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.PreparationSeconds;
import io.github.rarspark.common.images.PreparedImages;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.EventLog;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenCounter;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.CropSet;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.tokenize.CropEncoder.Crop;
import io.github.rarspark.tokenize.TokenizePlan.Shard;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Writes one shard, on an executor: threads decode images and scale them, ahead of the task's own, which encodes and stores
 * their crops. The shard's bytes depend only on the plan and its unit.
 *
 * @param storage the storage of images, weights and output
 * @param directory the output
 * @param planSha256 the hash for the shard's footer
 * @param tokenizer the weights
 * @param crops which crops are made of an image
 * @param size their side
 * @param classes the number of classes of the input; 0 if unknown
 * @param batch crops that are encoded together
 * @param threads libtorch threads per operation
 * @param decodeThreads threads that decode; 0 for as many as the task has cores
 * @param device what encodes them
 */
record TokenizeTask(
        Storage storage,
        String directory,
        String planSha256,
        TokenizerFile tokenizer,
        CropSet crops,
        int size,
        int classes,
        int batch,
        int threads,
        int decodeThreads,
        JobDevice device)
        implements UnitTasks.Work<Shard, TokenizedShard> {
    private static final int MORE_AHEAD = 32;
    private static final long MORE_AHEAD_BYTES = 16L << 20;

    @Override
    public TokenizedShard run(Shard shard) throws IOException {
        try (TaskDevice own = TaskDevice.open(device, threads);
                WeightsCache.Lease<LoadedTokenizer> weights = tokenizer.lease(storage, own.device())) {
            Vqgan vqgan = weights.value().vqgan();
            return write(shard, waiting -> encode(vqgan, waiting));
        } catch (NativeMemoryException e) {
            // On a GPU, where it decides the result, later attempts keep the batch of finished shards.
            throw e.lowering(
                    device.isGpu()
                            ? "tokenize.batch, in another --output if shards of this one are finished"
                            : "tokenize.batch");
        }
    }

    private long[] encode(Vqgan vqgan, List<Crop> waiting) {
        try (TensorScope scope = TensorScope.inference(vqgan.weights().manager())) {
            return vqgan.encode(scope, new CropPixels(crops, size).of(scope, waiting))
                    .toLongArray();
        }
    }

    /** Writes the shard with the tokens of {@code encoder}. */
    TokenizedShard write(Shard shard, CropEncoder.Encoder encoder) throws IOException {
        long start = System.nanoTime();
        TokenCounter counter = new TokenCounter(tokenizer.config().codes());
        AtomicReference<Encoded> done = new AtomicReference<>(Encoded.NOTHING);
        ShardReceipt receipt = TokenFormat.ROWS.write(
                storage,
                Storage.child(directory, shard.name()),
                planSha256,
                sink -> done.set(encode(shard, encoder, row -> {
                    counter.add(row);
                    sink.accept(row);
                })),
                () -> done.get().findings().footer());
        double seconds = (System.nanoTime() - start) / 1e9;
        ImageFindings findings = done.get().findings();
        StageSeconds stages = StageSeconds.of(
                counter.images() + findings.bad().size(),
                done.get().preparation(),
                pool(),
                done.get().encoding(),
                seconds);
        EventLog.log(
                "shard_done",
                Map.of(
                        "shard", receipt.name(),
                        "rows", receipt.rows(),
                        "bad", findings.bad().size(),
                        "seconds", seconds,
                        "stages", stages));
        return new TokenizedShard(receipt, findings, counter, stages);
    }

    /** What is known of a shard when its rows are encoded. */
    private record Encoded(ImageFindings findings, PreparationSeconds preparation, double encoding) {
        static final Encoded NOTHING = new Encoded(ImageFindings.NONE, PreparationSeconds.NONE, 0);
    }

    private Encoded encode(Shard shard, CropEncoder.Encoder encoder, RowCodec.Sink<TokenRow> sink) throws IOException {
        CropEncoder encoded = new CropEncoder(encoder, crops.count(), batch, sink);
        try (PreparedImages<RgbImage> images = prepare(shard)) {
            ImageFindings findings = images.takeAll(encoded::add);
            encoded.flush();
            return new Encoded(findings, images.seconds(), encoded.seconds());
        }
    }

    private PreparedImages<RgbImage> prepare(Shard shard) {
        long sourceBytes = RgbImage.CHANNELS * (long) crops.sourceSide(size) * crops.sourceSide(size);
        int imagesPerBatch = (batch - 1) / crops.count() + 1;
        // While a batch is encoded, the next one can be made ready, and some more for images that take longer.
        int ahead = pool() + 2 * imagesPerBatch + (int) Math.min(MORE_AHEAD, MORE_AHEAD_BYTES / sourceBytes);
        return new PreparedImages<>(
                storage, shard.images(), Labels.of(classes), pool(), ahead, image -> crops.source(image, size));
    }

    private int pool() {
        return decodeThreads > 0 ? decodeThreads : UnitTasks.cores();
    }
}
