package io.github.rarspark.common.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PreparedImagesTest {
    private static final Storage STORAGE = new Storage(new Configuration());

    private final AtomicInteger read = new AtomicInteger();

    @AfterEach
    void noThreadIsLeft() {
        // A pool has ended a moment before its threads have.
        Awaitility.await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(
                        Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("images"));
    }

    /** Images of one pixel, whose red is their number. */
    private static List<StoredImage> numbered(int count) {
        return IntStream.range(0, count)
                .<StoredImage>mapToObj(i ->
                        new StoredImage.Decoded("image " + i, i % 3, new RgbImage(1, 1, new byte[] {(byte) i, 0, 0})))
                .toList();
    }

    /** A unit whose images are read when they are asked for; {@code null} is one that cannot be read. */
    private ImageUnit unit(List<StoredImage> images) {
        return new ImageUnit() {
            @Override
            public OptionalLong images() {
                return OptionalLong.of(images.size());
            }

            @Override
            public void read(Storage storage, Sink sink) throws IOException {
                for (StoredImage image : images) {
                    sink.accept(image);
                }
            }

            @Override
            public void defer(Storage storage, DeferredSink sink) throws IOException {
                for (StoredImage image : images) {
                    sink.accept(1, () -> {
                        if (image == null) {
                            throw new IOException("the disk is gone");
                        }
                        read.incrementAndGet();
                        return image;
                    });
                }
            }
        };
    }

    private static int red(RgbImage image) {
        return image.pixels()[0] & 0xff;
    }

    @Test
    void imagesComeInTheirOrderFromSeveralThreads() throws Exception {
        CountDownLatch others = new CountDownLatch(3);
        List<Integer> taken = new ArrayList<>();
        try (PreparedImages<Integer> images =
                new PreparedImages<>(STORAGE, unit(numbered(20)), Labels.ANY, 4, 8, image -> {
                    // The first image is ready after three others, which other threads have to prepare.
                    if (red(image) == 0) {
                        await(others);
                    } else {
                        others.countDown();
                    }
                    return red(image);
                })) {
            assertThat(images.takeAll((id, classId, red) -> {
                        assertThat(id).isEqualTo("image " + red);
                        assertThat(classId).isEqualTo(red % 3);
                        taken.add(red);
                    }))
                    .isEqualTo(ImageFindings.NONE);
        }
        assertThat(taken).isEqualTo(IntStream.range(0, 20).boxed().toList());
    }

    @Test
    void noMoreAreReadThanMayBeAhead() throws Exception {
        try (PreparedImages<Integer> images =
                new PreparedImages<>(STORAGE, unit(numbered(40)), Labels.ANY, 2, 5, PreparedImagesTest::red)) {
            images.takeAll((id, classId, red) -> {
                // Five are in the queue, and one is on its way into it.
                Awaitility.await().until(() -> read.get() >= Math.min(40, red + 1 + 5));
                assertThat(read.get()).isLessThanOrEqualTo(red + 1 + 5 + 1);
            });
            assertThat(images.seconds().reading()).isPositive();
            assertThat(images.seconds().preparing()).isPositive();
        }
        assertThat(read).hasValue(40);
    }

    @Test
    void findingsAreThoseOfReadingOneByOne() throws Exception {
        List<StoredImage> all = new ArrayList<>(numbered(7));
        all.set(2, StoredImage.of("broken", 1, new byte[] {1, 2, 3}));
        all.set(4, new StoredImage.Unreadable("unreadable", 1, "it is locked"));
        ImageUnit unit = unit(all);
        Labels labels = Labels.of(2);
        List<String> expected = new ArrayList<>();
        ImageFindings findings =
                UsableImages.read(STORAGE, unit, labels, (image, pixels) -> expected.add(image.id() + red(pixels)));
        assertThat(findings.bad()).hasSize(3);
        List<String> taken = new ArrayList<>();
        try (PreparedImages<Integer> images =
                new PreparedImages<>(STORAGE, unit, labels, 3, 2, PreparedImagesTest::red)) {
            assertThat(images.takeAll((id, classId, red) -> taken.add(id + red)))
                    .isEqualTo(findings);
        }
        assertThat(taken).isEqualTo(expected).hasSize(4);
    }

    @Test
    void anUnavailableStorageIsThrownAtThePlaceOfTheImage() {
        List<StoredImage> all = new ArrayList<>(numbered(30));
        all.set(9, null);
        all.set(11, null);
        List<String> taken = new ArrayList<>();
        assertThatThrownBy(() -> {
                    try (PreparedImages<Integer> images =
                            new PreparedImages<>(STORAGE, unit(all), Labels.ANY, 3, 4, PreparedImagesTest::red)) {
                        images.takeAll((id, classId, red) -> taken.add(id));
                    }
                })
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("the disk is gone");
        assertThat(taken).hasSize(9);
    }

    @Test
    void failuresOfEitherSideEndIt() {
        assertThatThrownBy(() -> {
                    try (PreparedImages<Integer> images =
                            new PreparedImages<>(STORAGE, unit(numbered(30)), Labels.ANY, 2, 4, image -> {
                                throw new OutOfMemoryError("of the test");
                            })) {
                        images.takeAll((id, classId, red) -> {});
                    }
                })
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessage("of the test");
        assertThatThrownBy(() -> {
                    try (PreparedImages<Integer> images = new PreparedImages<>(
                            STORAGE, unit(numbered(30)), Labels.ANY, 2, 4, PreparedImagesTest::red)) {
                        images.takeAll((id, classId, red) -> {
                            throw new IOException("no space");
                        });
                    }
                })
                .hasMessage("no space");
    }

    @Test
    void theFailureOfTheUnitItselfIsThrown() {
        ImageUnit torn = new ImageUnit() {
            @Override
            public OptionalLong images() {
                return OptionalLong.empty();
            }

            @Override
            public void read(Storage storage, Sink sink) throws IOException {
                sink.accept(numbered(1).get(0));
                throw new IOException("the file is torn");
            }
        };
        List<String> taken = new ArrayList<>();
        assertThatThrownBy(() -> {
                    try (PreparedImages<Integer> images =
                            new PreparedImages<>(STORAGE, torn, Labels.ANY, 2, 4, PreparedImagesTest::red)) {
                        images.takeAll((id, classId, red) -> taken.add(id));
                    }
                })
                .hasMessage("the file is torn");
        assertThat(taken).containsExactly("image 0");
    }

    @Test
    void anInterruptedTakerEndsTheThreadsEvenWhileTheyWork() {
        CountDownLatch never = new CountDownLatch(1);
        assertThatThrownBy(() -> {
                    try (PreparedImages<Integer> images =
                            new PreparedImages<>(STORAGE, unit(numbered(30)), Labels.ANY, 2, 4, image -> {
                                await(never);
                                return 0;
                            })) {
                        Thread.currentThread().interrupt();
                        images.takeAll((id, classId, red) -> {});
                    }
                })
                .isInstanceOf(InterruptedIOException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void largeImagesAreDecodedOneAtATime() throws Exception {
        byte[] large = PngEncoder.encode(new RgbImage(4001, 2000, new byte[3 * 4001 * 2000]));
        List<StoredImage> all = List.of(StoredImage.of("a", 0, large), StoredImage.of("b", 0, large));
        AtomicInteger atOnce = new AtomicInteger();
        CountDownLatch both = new CountDownLatch(2);
        try (PreparedImages<Integer> images = new PreparedImages<>(STORAGE, unit(all), Labels.ANY, 2, 4, image -> {
            both.countDown();
            try {
                // Time for the other thread, which would come if it could.
                boolean met = both.getCount() > 0 && both.await(500, TimeUnit.MILLISECONDS);
                return met ? atOnce.incrementAndGet() : 0;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        })) {
            images.takeAll((id, classId, met) -> {});
        }
        assertThat(atOnce).hasValue(0);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
