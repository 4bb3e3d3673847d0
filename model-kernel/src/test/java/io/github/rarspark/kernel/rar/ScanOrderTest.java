package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScanOrderTest {
    @ParameterizedTest
    @EnumSource
    void ordersAreThePublishedOnesOnEverySide(ScanOrder order) throws IOException {
        JsonNode sides = new ObjectMapper()
                .readTree(
                        Path.of("src/test/resources/golden/orders/orders.json").toFile());
        String name = order.name().toLowerCase(Locale.ROOT).replace('_', '-');
        assertThat(sides.properties()).hasSizeGreaterThan(1);
        sides.properties().forEach(side -> {
            int tokens = Integer.parseInt(side.getKey()) * Integer.parseInt(side.getKey());
            JsonNode stated = side.getValue().get(name);
            assertThat(order.of(tokens))
                    .as("%s, side %s", name, side.getKey())
                    .containsExactly(IntStream.range(0, tokens)
                            .map(k -> stated.get(k).asInt())
                            .toArray());
        });
    }

    @ParameterizedTest
    @EnumSource
    void everyOrderIsAPermutationOnEverySideItTakes(ScanOrder order) {
        for (int side : needsPowerOfTwo(order) ? new int[] {1, 2, 16, 32} : new int[] {1, 2, 3, 5, 16, 24}) {
            int[] sorted = Arrays.stream(order.of(side * side)).sorted().toArray();
            assertThat(sorted).containsExactly(IntStream.range(0, side * side).toArray());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aGridThatIsNotSquareIsRefused(ScanOrder order) {
        assertThatThrownBy(() -> order.of(60))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot scan 60 tokens: they do not form a square grid");
    }

    @ParameterizedTest
    @EnumSource(names = {"Z_CURVE", "SUBSAMPLE"})
    void aSideThatIsNoPowerOfTwoIsRefused(ScanOrder order) {
        assertThatThrownBy(() -> order.of(36))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot scan a grid of side 6 in the order " + order + ": the side must be a power of two");
    }

    private static boolean needsPowerOfTwo(ScanOrder order) {
        return order == ScanOrder.Z_CURVE || order == ScanOrder.SUBSAMPLE;
    }
}
