package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BarChartTest {
    @Test
    void barsHaveTheLogarithmsOfTheCounts() {
        assertThat(heights(BarChart.logarithmic(new long[] {0, 1, 7, 1023}, 8, 20)))
                .containsExactly(0, 0, 2, 2, 6, 6, 20, 20);
    }

    @Test
    void moreCountsThanPixelsAreThinned() {
        assertThat(heights(BarChart.logarithmic(new long[] {3, 0, 3, 0, 0, 3}, 3, 4)))
                .containsExactly(4, 4, 0);
    }

    @Test
    void nothingOccurred() {
        assertThat(heights(BarChart.logarithmic(new long[2], 2, 4))).containsExactly(0, 0);
    }

    private static int[] heights(RgbImage chart) {
        return IntStream.range(0, chart.width())
                .map(x -> (int) IntStream.range(0, chart.height())
                        .filter(y -> chart.pixels()[3 * (y * chart.width() + x)] != (byte) 0xff)
                        .count())
                .toArray();
    }
}
