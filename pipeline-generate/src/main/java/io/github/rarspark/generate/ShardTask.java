package io.github.rarspark.generate;

import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.EventLog;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes one shard, in a task. Idempotent: the same shard has the same bytes.
 *
 * @param storage the output's storage
 * @param output the output's directory
 * @param planSha256 the plan's hash, stored in the shard
 * @param layout the images of each shard
 * @param turns their classes
 * @param generator the generator of the images
 */
record ShardTask(
        Storage storage,
        String output,
        String planSha256,
        SampleLayout layout,
        ClassTurns turns,
        GeneratorSpec generator)
        implements UnitTasks.Work<Integer, ShardReceipt> {

    @Override
    public ShardReceipt run(Integer shard) throws IOException {
        long started = System.nanoTime();
        String path = Storage.child(output, layout.shardName(shard));
        long seed = generator.settings().seed();
        int threads = generator.settings().threads();
        try (TaskDevice device = TaskDevice.open(generator.device(), threads);
                Generator open = Generator.open(generator, storage, device, UnitTasks.cores())) {
            List<Request[]> batches = turns.batches(layout.first(shard), layout.images(shard), layout.batch());
            List<long[][]> tokens = new ArrayList<>();
            ShardReceipt receipt = SampleShard.ROWS.write(storage, path, planSha256, sink -> {
                open.generate(batches, UnitTasks::endIfKilled, (batch, drawn, images) -> {
                    tokens.add(drawn);
                    for (int i = 0; i < batch.length; i++) {
                        byte[] png = PngEncoder.encode(images.get(i));
                        sink.accept(new Sample(batch[i].index(), batch[i].label(), seed, png));
                    }
                });
                if (generator.settings().tokens()) {
                    TokenFolder.write(storage, output, planSha256, shard, batches, tokens);
                }
            });
            double seconds = (System.nanoTime() - started) / 1e9;
            EventLog.log("samples_shard_done", Map.of("shard", shard, "images", receipt.rows(), "seconds", seconds));
            return receipt;
        } catch (NativeMemoryException e) {
            // On a GPU, where it decides the result, later attempts keep the batch of finished shards.
            throw e.lowering(
                    generator.device().isGpu()
                            ? "generate.batch, in another --output if shards of this one are finished"
                            : "generate.batch or generate.threads");
        }
    }
}
