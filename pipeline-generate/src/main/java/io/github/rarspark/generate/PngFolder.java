package io.github.rarspark.generate;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The images of finished shards as PNG files: {@code png/CLASS/INDEX.png}, a folder of class folders as tokenize and
 * fid read them. Tasks copy them out of the shards, as they are.
 */
final class PngFolder {
    /** The folder's name. */
    static final String NAME = "png";

    private PngFolder() {}

    /** Writes the files that are missing in a finished output. Driver only. */
    static void complete(JobContext context, String output) throws IOException {
        String directory = context.storage().qualify(output);
        write(
                context,
                directory,
                SamplesManifest.read(context.storage(), directory).shards());
    }

    /** Writes the files that are missing, for all images of the shards in a directory. Driver only. */
    static void write(JobContext context, String directory, List<ShardReceipt> shards) throws IOException {
        Storage storage = context.storage();
        String folder = Storage.child(directory, NAME);
        Set<Long> present = storage.walk(folder).stream()
                .map(StoredFile::name)
                .filter(name -> name.matches("\\d+/\\d+\\.png"))
                .map(name -> Long.valueOf(name.substring(name.indexOf('/') + 1, name.lastIndexOf('.'))))
                .collect(Collectors.toSet());
        List<ShardReceipt> incomplete = new ArrayList<>();
        long first = 0;
        for (ShardReceipt shard : shards) {
            long end = first + shard.rows();
            for (long index = first; index < end; index++) {
                if (!present.contains(index)) {
                    incomplete.add(shard);
                    break;
                }
            }
            first = end;
        }
        long images = incomplete.stream().mapToLong(ShardReceipt::rows).sum();
        SparkSessions.describe(context.session(), "write " + images + " PNG files");
        try (Progress progress = context.progress(NAME, "images", images)) {
            UnitTasks.run(context.session(), incomplete, new Copy(storage, directory, folder), progress::step);
        }
    }

    /** The file of an image, in the folder. */
    static String fileName(Sample sample) {
        return String.format(Locale.ROOT, "%05d/%06d.png", sample.classId(), sample.index());
    }

    private record Copy(Storage storage, String directory, String folder)
            implements UnitTasks.Work<ShardReceipt, Long> {
        @Override
        public Long run(ShardReceipt shard) throws IOException {
            String path = Storage.child(directory, shard.name());
            shard.check(storage, path, "make the images again in another output");
            SampleShard.ROWS.read(storage, path, (Sample sample) -> {
                UnitTasks.endIfKilled();
                storage.putBytes(Storage.child(folder, fileName(sample)), sample.png());
            });
            return shard.rows();
        }
    }
}
