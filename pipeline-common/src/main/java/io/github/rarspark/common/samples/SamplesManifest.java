package io.github.rarspark.common.samples;

import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a generated output holds; see {@link Manifest}.
 *
 * @param kind {@value #KIND}
 * @param planSha256 the hash of the plan that made it
 * @param imageSize side of an image in pixels
 * @param count the number of images
 * @param classes the classes, which take turns: image i has number i modulo their count, unless there are {@code
 *     classCounts}; none if the images were decoded from tokens, which have classes of their own
 * @param classCounts the number of images of each class, where they were asked for: a class that has all its images
 *     drops out
 * @param seed of the run; 0 if the images were decoded from tokens
 * @param inputs the hashes of weights and tokenizer
 * @param shards the shards by name, which is also the order of the images
 * @param files the hashes of the other files by name, such as {@code samples.npz}
 */
public record SamplesManifest(
        String kind,
        String planSha256,
        int imageSize,
        long count,
        List<Integer> classes,
        List<Integer> classCounts,
        long seed,
        SortedMap<String, String> inputs,
        List<ShardReceipt> shards,
        SortedMap<String, String> files) {
    /** What distinguishes this manifest from those of other jobs. */
    public static final String KIND = "samples";

    /** Copies the collections. */
    public SamplesManifest {
        classes = List.copyOf(classes);
        classCounts = classCounts == null ? List.of() : List.copyOf(classCounts); // of earlier versions
        inputs = new TreeMap<>(inputs);
        shards = List.copyOf(shards);
        files = new TreeMap<>(files);
    }

    /**
     * The manifest of the generated output at {@code directory}.
     *
     * @throws DataException if it is corrupt or of another kind of output; otherwise like {@link Manifest#read}
     */
    public static SamplesManifest read(Storage storage, String directory) throws IOException {
        if (!KIND.equals(Manifest.read(storage, directory, Kind.class).kind())) {
            throw new DataException("Cannot read images from " + directory + ": it is not an output of generate");
        }
        return Manifest.read(storage, directory, SamplesManifest.class);
    }

    private record Kind(String kind) {}
}
