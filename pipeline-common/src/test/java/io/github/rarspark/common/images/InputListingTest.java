package io.github.rarspark.common.images;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.images.InputListing.File;
import io.github.rarspark.common.storage.Sha256;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class InputListingTest {
    /** As many as ImageNet has, in classes of as many images and with names as it has them. */
    private static final int IMAGES = 300_000;

    private static final int IMAGES_PER_CLASS = 1300;

    @Test
    void filesComeBackInTheirOrderAlsoAcrossBlocksAndTasks() throws Exception {
        List<File> files = List.of(
                new File("b/ç \u0000\ud800.png", 0, -1), new File("a/1.png", Long.MAX_VALUE, 1_700_000_000_123L));
        InputListing some = listing(files);
        assertThat(copy(some).stream()).containsExactlyElementsOf(files);
        List<File> many = IntStream.range(0, 10_000)
                .mapToObj(i -> new File("c/" + i, i, 3L * i))
                .toList();
        InputListing both = InputListing.concat(List.of(some, listing(many)));
        assertThat(both.files()).isEqualTo(10_002);
        List<File> all = new ArrayList<>(files);
        all.addAll(many);
        assertThat(copy(both).stream()).containsExactlyElementsOf(all);
        assertThat(both.only(name -> name.endsWith("7777")).stream()).containsExactly(new File("c/7777", 7777, 23331));
        assertThat(listing(List.of()).files()).isZero();
    }

    @Test
    void theHashIsThatOfOneLineAFile() {
        List<File> files = List.of(new File("a-b/1.png", 5, 7), new File("a/1.png", 3, 9));
        ClassFolders folders =
                new ClassFolders("x", "file:/x", List.of("a", "a-b"), Optional.empty(), listing(files), List.of());
        assertThat(folders.sha256())
                .isEqualTo(Sha256.of("class folders\na-b/1.png\0005\na/1.png\0003\n".getBytes(StandardCharsets.UTF_8)));
    }

    /** 300,000 path objects would take more than 100 MB on a driver, and a unit's 1,000 paths 100 kB in its task. */
    @Test
    void aListingAndItsUnitsAreSmall() throws Exception {
        Random random = new Random(1);
        InputListing.Builder builder = new InputListing.Builder();
        for (int i = 0; i < IMAGES; i++) {
            String synset = String.format(Locale.ROOT, "n%08d", 1_440_764 + 7919 * (i / IMAGES_PER_CLASS));
            String name = String.format(Locale.ROOT, "%s/%s_%d.JPEG", synset, synset, 7 * i + random.nextInt(7));
            long modified = 1_340_000_000_000L + 1000L * random.nextInt(1_000_000);
            builder.add(new File(name, 20_000 + random.nextInt(180_000), modified));
        }
        InputListing listing = builder.build();
        assertThat(serialised(listing).length).isLessThan(12 * IMAGES);
        List<String> classes = listing.stream()
                .map(file -> ClassFolders.className(file.name()))
                .distinct()
                .toList();
        List<ImageUnit> units = new ClassFolders(
                        "", "hdfs://cluster/data/imagenet/train", classes, Optional.empty(), listing, List.of())
                .units(1000);
        assertThat(units).hasSize(IMAGES / 1000);
        for (ImageUnit unit : units) {
            assertThat(unit.images()).hasValue(1000);
            assertThat(serialised(unit).length).isLessThan(10_000);
        }
    }

    private static InputListing listing(List<File> files) {
        InputListing.Builder builder = new InputListing.Builder();
        files.forEach(builder::add);
        return builder.build();
    }

    private static byte[] serialised(Object object) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        return bytes.toByteArray();
    }

    private static InputListing copy(InputListing listing) throws IOException, ClassNotFoundException {
        return (InputListing) new ObjectInputStream(new ByteArrayInputStream(serialised(listing))).readObject();
    }
}
