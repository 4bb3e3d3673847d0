package io.github.rarspark.generate;

import io.github.rarspark.common.samples.DecodingPool;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenBlock;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.util.List;

/**
 * Decodes the rows of one shard, in a task.
 *
 * @param storage the storage of tokens, tokenizer and output
 * @param output the output's directory
 * @param planSha256 the plan's hash, stored in the shard
 * @param layout the rows of each shard
 * @param tokens the rows
 * @param blockRows the number of rows in each block of {@code tokens}
 * @param tokenizer the tokenizer that decodes them
 * @param batch how many rows are read at a time
 * @param threads how many images are decoded at a time on a CPU
 * @param device what decodes them
 */
record DecodeTask(
        Storage storage,
        String output,
        String planSha256,
        SampleLayout layout,
        TokenSource tokens,
        List<Long> blockRows,
        WeightFile tokenizer,
        int batch,
        int threads,
        JobDevice device)
        implements UnitTasks.Work<Integer, ShardReceipt> {

    DecodeTask {
        blockRows = List.copyOf(blockRows);
    }

    @Override
    public ShardReceipt run(Integer shard) throws IOException {
        String path = Storage.child(output, layout.shardName(shard));
        try (TaskDevice own = TaskDevice.open(device, 1);
                WeightsCache.Lease<LoadedTokenizer> weights = LoadedTokenizer.lease(tokenizer, storage, own.device());
                DecodingPool pool = new DecodingPool(weights.value().vqgan(), threads)) {
            return SampleShard.ROWS.write(storage, path, planSha256, sink -> {
                Rows rows = new Rows(layout.first(shard));
                int end = layout.first(shard) + layout.images(shard);
                for (int first = layout.first(shard); first < end; first += batch) {
                    UnitTasks.endIfKilled();
                    int count = Math.min(batch, end - first);
                    int[] classes = new int[count];
                    List<RgbImage> images = pool.decode(rows.next(classes));
                    for (int i = 0; i < count; i++) {
                        sink.accept(new Sample(first + i, classes[i], 0, PngEncoder.encode(images.get(i))));
                    }
                }
            });
        } catch (NativeMemoryException e) {
            // On a GPU, where it decides the result, later attempts keep the batch of finished shards.
            throw e.lowering(
                    device.isGpu()
                            ? "decode.batch, in another --output if shards of this one are finished"
                            : "decode.threads");
        }
    }

    /** Reads rows in order, holding one block at a time. */
    private final class Rows {
        private int block;
        private long row;
        private TokenBlock loaded;

        /** Starts at row {@code first}. */
        Rows(long first) {
            row = first;
            while (row >= blockRows.get(block)) {
                row -= blockRows.get(block++);
            }
        }

        /** Returns the next {@code classes.length} rows, and fills in their classes. */
        long[][] next(int[] classes) throws IOException {
            long[][] rows = new long[classes.length][];
            for (int i = 0; i < rows.length; i++) {
                while (row == blockRows.get(block)) {
                    block++;
                    row = 0;
                    loaded = null;
                }
                if (loaded == null) {
                    loaded = tokens.read(block);
                }
                rows[i] = new long[loaded.tokensPerRow()];
                loaded.copyTokens((int) row, rows[i], 0);
                classes[i] = loaded.classIds()[(int) row];
                row++;
            }
            return rows;
        }
    }
}
