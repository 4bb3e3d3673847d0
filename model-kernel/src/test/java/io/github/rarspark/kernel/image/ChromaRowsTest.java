package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What the decoder of this JDK may already do. */
class ChromaRowsTest {
    private static final List<Boolean> SECOND = List.of(false, true, false);

    @Test
    void repeatedRowsAreWeighedThreeToOne() {
        byte[] samples = column(10, 10, 20, 20, 40);
        ChromaRows.smooth(samples, 1, SECOND);
        // (3 x 10 + 10 + 1) / 4, (3 x 10 + 20 + 2) / 4, (3 x 20 + 10 + 1) / 4, (3 x 20 + 40 + 2) / 4, (3 x 40 + 20 + 1)
        // / 4
        assertThat(samples).isEqualTo(column(10, 13, 17, 25, 35));
        samples = column(200, 200, 100, 100);
        ChromaRows.smooth(samples, 1, SECOND);
        assertThat(samples).isEqualTo(column(200, 175, 125, 100));
    }

    @Test
    void rowsThatTheDecoderWeighedAreLeftAlone() {
        byte[] samples = column(10, 13, 17, 25, 35);
        ChromaRows.smooth(samples, 1, SECOND);
        assertThat(samples).isEqualTo(column(10, 13, 17, 25, 35));
    }

    @Test
    void wholeComponentsAreLeftAlone() {
        byte[] samples = column(10, 10, 20, 20, 40);
        ChromaRows.smooth(samples, 1, List.of(true, false, true));
        assertThat(samples).isEqualTo(column(10, 10, 20, 20, 40));
    }

    /** A picture one pixel wide; only its second component varies. */
    private static byte[] column(int... values) {
        byte[] samples = new byte[3 * values.length];
        for (int y = 0; y < values.length; y++) {
            samples[3 * y + 1] = (byte) values[y];
        }
        return samples;
    }
}
