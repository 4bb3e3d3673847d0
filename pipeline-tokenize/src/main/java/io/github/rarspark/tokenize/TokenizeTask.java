package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.UsableImages;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.EventLog;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.conf.ImageSettings;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.tokenize.TokenizePlan.Shard;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * Writes one shard, on an executor: decode, crop, encode, store. The shard's bytes depend only on the plan and its
 * unit.
 *
 * @param storage the storage of images, weights and output
 * @param directory the output
 * @param planSha256 the hash for the shard's footer
 * @param tokenizer the weights
 * @param image side and kind of the crops
 * @param classes the number of classes of the input; 0 if unknown
 * @param batch crops that are encoded together
 * @param threads libtorch threads per operation
 * @param device what encodes them
 */
record TokenizeTask(
        Storage storage,
        String directory,
        String planSha256,
        TokenizerFile tokenizer,
        ImageSettings image,
        int classes,
        int batch,
        int threads,
        JobDevice device)
        implements UnitTasks.Work<Shard, TokenizedShard> {

    @Override
    public TokenizedShard run(Shard shard) throws IOException {
        long start = System.nanoTime();
        ImageFindings[] findings = {ImageFindings.NONE};
        ShardReceipt receipt;
        try (TaskDevice own = TaskDevice.open(device, threads);
                WeightsCache.Lease<LoadedTokenizer> weights = tokenizer.lease(storage, own.device())) {
            receipt = TokenFormat.ROWS.write(
                    storage,
                    Storage.child(directory, shard.name()),
                    planSha256,
                    sink -> {
                        CropEncoder encoder = new CropEncoder(weights.value().vqgan(), batch, sink);
                        findings[0] = UsableImages.read(
                                storage,
                                shard.images(),
                                Labels.of(classes),
                                (stored, pixels) -> encoder.add(stored.id(), stored.classId(), crop(pixels)));
                        encoder.flush();
                    },
                    () -> findings[0].footer());
        } catch (NativeMemoryException e) {
            throw e.lowering("tokenize.batch");
        }
        EventLog.log(
                "shard_done",
                Map.of(
                        "shard", receipt.name(),
                        "rows", receipt.rows(),
                        "bad", findings[0].bad().size(),
                        "seconds", (System.nanoTime() - start) / 1e9));
        return new TokenizedShard(receipt, findings[0]);
    }

    /** The number of rows per image. */
    static int rowsPerImage(io.github.rarspark.conf.Crops crops) {
        return switch (crops) {
            case TEN_CROP -> 10;
            case CENTER_FLIP -> 2;
            case CENTER -> 1;
        };
    }

    private List<RgbImage> crop(RgbImage decoded) {
        int size = image.size();
        return switch (image.crops()) {
            case TEN_CROP -> Crops.tenCrop(decoded, size);
            case CENTER_FLIP -> Crops.centerFlip(decoded, size);
            case CENTER -> List.of(Crops.centerCrop(decoded, size));
        };
    }
}
