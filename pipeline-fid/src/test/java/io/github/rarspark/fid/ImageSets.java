package io.github.rarspark.fid;

import io.github.rarspark.common.npz.NpyHeader;
import io.github.rarspark.common.npz.NpzWriter;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.samples.Sample;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/** Sets of images in the layouts that are scored. */
final class ImageSets {
    private static final int CLASSES = 3;

    private ImageSets() {}

    /** Square images of gradients and noise. */
    static List<RgbImage> gradients(int side, long seed, int count) {
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            RandomStream random = RandomStream.of(seed, Purpose.SPLIT, i);
            byte[] pixels = new byte[RgbImage.CHANNELS * side * side];
            int slope = random.nextInt(30);
            for (int p = 0; p < pixels.length; p++) {
                pixels[p] = (byte) (slope * (p / RgbImage.CHANNELS % side) + random.nextInt(40));
            }
            images.add(new RgbImage(side, side, pixels));
        }
        return images;
    }

    /** Square images of noise around a brightness of their own. */
    static List<RgbImage> noise(int side, long seed, int count, int contrast) {
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            RandomStream random = RandomStream.of(seed, Purpose.SPLIT, i);
            int base = random.nextInt(256 - contrast);
            byte[] pixels = new byte[RgbImage.CHANNELS * side * side];
            for (int p = 0; p < pixels.length; p++) {
                pixels[p] = (byte) (base + random.nextInt(contrast));
            }
            images.add(new RgbImage(side, side, pixels));
        }
        return images;
    }

    /** Writes ADM's sample file. */
    static Path npz(Path path, List<RgbImage> images) throws IOException {
        try (OutputStream file = Files.newOutputStream(path);
                NpzWriter npz = new NpzWriter(file)) {
            addTo(npz, images);
        }
        return path;
    }

    /** Adds the array of ADM's sample files. */
    static void addTo(NpzWriter npz, List<RgbImage> images) throws IOException {
        RgbImage first = images.get(0);
        npz.add("arr_0", NpyHeader.of(NpyHeader.UINT8, images.size(), first.height(), first.width(), 3), out -> {
            for (RgbImage image : images) {
                out.write(image.pixels());
            }
        });
    }

    /** Writes image {@code i} into the folder of class {@code i mod 3}. */
    static Path classFolders(Path folder, List<RgbImage> images) throws IOException {
        for (int i = 0; i < images.size(); i++) {
            Path of = Files.createDirectories(folder.resolve("class-" + i % CLASSES));
            Files.write(of.resolve("image-" + i + ".png"), PngEncoder.encode(images.get(i)));
        }
        return folder;
    }

    static List<byte[]> pngs(List<RgbImage> images) {
        return images.stream().map(PngEncoder::encode).toList();
    }

    /**
     * Writes an output of generate in two shards.
     *
     * @param classes the class of all images; none for {@code i mod 3}
     */
    static Path generated(Path output, List<byte[]> pngs, int... classes) throws IOException {
        Storage storage = new Storage(new Configuration());
        Plan plan = Plan.of("generate", "recipe", Map.of(), Map.of());
        try (OutputClaim claim = Claims.claim(storage, output.toString(), plan)) {
            List<ShardReceipt> shards = new ArrayList<>();
            int half = pngs.size() / 2;
            for (int shard = 0; shard < 2; shard++) {
                int first = shard * half;
                int end = shard == 0 ? half : pngs.size();
                shards.add(
                        SampleShard.ROWS.write(storage, claim.path(SampleShard.name(shard, 2)), plan.sha256(), sink -> {
                            for (int i = first; i < end; i++) {
                                int classId = classes.length == 0 ? i % CLASSES : classes[0];
                                sink.accept(new Sample(i, classId, 0, pngs.get(i)));
                            }
                        }));
            }
            Manifest.publish(
                    claim,
                    new SamplesManifest(
                            SamplesManifest.KIND,
                            plan.sha256(),
                            TinyClassifier.SIDE,
                            pngs.size(),
                            List.of(0, 1, 2),
                            List.of(),
                            0,
                            new TreeMap<>(),
                            shards,
                            new TreeMap<>()));
        }
        return output;
    }
}
