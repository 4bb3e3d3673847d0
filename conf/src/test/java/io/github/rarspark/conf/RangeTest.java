package io.github.rarspark.conf;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RangeTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[0, 1) | 0 | true", "[0, 1) | 1 | false", "(0, 1] | 0 | false", "(0, 1] | 1 | true",
                "[1, ) | 1 | true", "[1, ) | 0.5 | false", "(0, ) | 1e300 | true", "'' | -5 | true"
            })
    void boundsAreMathematicalNotation(String range, double value, boolean inside) {
        assertThat(new Range(range).contains(value)).isEqualTo(inside);
    }
}
