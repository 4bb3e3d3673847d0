package io.github.rarspark.common.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.Torch;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DecodingPoolTest {
    private static final long[][] TOKENS = {{3}, {1}, {4}, {5}, {9}, {2}};

    /** Images that show their tokens. */
    private static List<RgbImage> images(long[][] tokens) {
        return Arrays.stream(tokens)
                .map(row -> new RgbImage(1, 1, new byte[] {(byte) row[0], 0, 0}))
                .toList();
    }

    private static void assertAll(List<RgbImage> images) {
        assertThat(images)
                .extracting(image -> image.pixels()[0])
                .containsExactly((byte) 3, (byte) 1, (byte) 4, (byte) 5, (byte) 9, (byte) 2);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void imagesComeInTheOrderOfTheirTokensAndEachFromOneThread() {
        Set<Integer> libtorchThreads = ConcurrentHashMap.newKeySet();
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        CountDownLatch both = new CountDownLatch(2);
        try (DecodingPool pool = new DecodingPool(2, 1, tokens -> {
            libtorchThreads.add(Torch.intraOpThreads());
            threads.add(Thread.currentThread());
            both.countDown();
            await(both);
            return images(tokens);
        })) {
            assertAll(pool.decode(TOKENS));
        }
        assertThat(threads).hasSize(2).doesNotContain(Thread.currentThread());
        assertThat(libtorchThreads).containsExactly(1);
    }

    @Test
    void groupsAreDecodedTogetherAndAgainIfTheyDidNotFit() {
        List<Integer> groups = new CopyOnWriteArrayList<>();
        try (DecodingPool pool = new DecodingPool(1, 4, tokens -> {
            groups.add(tokens.length);
            if (groups.size() == 1) {
                throw new NativeMemoryException("beside another task");
            }
            return images(tokens);
        })) {
            assertAll(pool.decode(TOKENS));
            assertThat(groups).containsExactly(4, 2, 4);
        }
    }

    @Test
    void whatDoesNotFitBesideOthersIsDecodedAlone() {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        CountDownLatch both = new CountDownLatch(2);
        try (DecodingPool pool = new DecodingPool(2, 1, tokens -> {
            int others = running.getAndIncrement();
            try {
                both.countDown();
                await(both);
                if (others > 0) {
                    refused.incrementAndGet();
                    throw new NativeMemoryException("no memory for a second one");
                }
                return images(tokens);
            } finally {
                running.decrementAndGet();
            }
        })) {
            assertAll(pool.decode(TOKENS));
        }
        assertThat(refused).hasPositiveValue();
    }

    @Test
    void anImageThatDoesNotFitAloneIsAnError() {
        try (DecodingPool pool = new DecodingPool(2, 1, tokens -> {
            throw new NativeMemoryException("8 bytes");
        })) {
            assertThatThrownBy(() -> pool.decode(TOKENS))
                    .isInstanceOf(NativeMemoryException.class)
                    .hasMessage("8 bytes");
        }
    }

    @Test
    void failuresAreThoseOfTheDecoder() {
        try (DecodingPool pool = new DecodingPool(2, 1, tokens -> {
            throw new IllegalArgumentException("token " + tokens[0][0]);
        })) {
            assertThatThrownBy(() -> pool.decode(TOKENS))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("token 3");
        }
    }

    @Test
    void anInterruptedCallerStopsWaiting() {
        CountDownLatch never = new CountDownLatch(1);
        try (DecodingPool pool = new DecodingPool(1, 1, tokens -> {
            await(never);
            return images(tokens);
        })) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> pool.decode(TOKENS))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Interrupted while decoding images");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        }
        assertThat(Thread.interrupted())
                .as("also after the pool has waited for its threads")
                .isTrue();
    }
}
