package io.github.rarspark.common.tokens;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Json;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TokenStatisticsTest {
    private final TokenCounter first = new TokenCounter(5);
    private final TokenCounter second = new TokenCounter(5);

    TokenStatisticsTest() {
        first.add(new TokenRow("a", 7, 0, new long[] {0, 1, 0, 1}));
        first.add(new TokenRow("a", 7, 1, new long[] {0, 1, 0, 1}));
        first.add(new TokenRow("b", 2, 0, new long[] {0, 1, 0, 1}));
        second.add(new TokenRow("c", 7, 0, new long[] {3, 3, 3, 3}));
    }

    @Test
    void imagesAreCountedOnceAndTokensInEachCrop() {
        TokenStatistics statistics = TokenStatistics.of(new TreeMap<>(Map.of("x", first, "y", second)));
        assertThat(statistics.classCounts()).isEqualTo(Map.of(2, 1L, 7, 2L));
        assertThat(statistics.tokenCounts()).containsExactly(6L, 6L, 0L, 4L, 0L);
        assertThat(statistics.codesUsed()).isEqualTo(3);
        // Of the probabilities 3/8, 3/8 and 1/4.
        assertThat(statistics.tokenEntropy()).isEqualTo(1.561278);
        assertThat(statistics.shards())
                .containsExactly(
                        new TokenStatistics.OfShard("x", 2, 2, 2, 1), new TokenStatistics.OfShard("y", 1, 1, 1, 0));
    }

    @Test
    void generationsTogetherAreLikeTheirShards() {
        assertThat(TokenStatistics.together(List.of(of("x", first), of("y", second))))
                .isEqualTo(TokenStatistics.of(new TreeMap<>(Map.of("x", first, "y", second))));
    }

    @Test
    void theyAreReadAsTheyWereWritten() {
        TokenStatistics statistics = of("x", first);
        assertThat(Json.read(Json.pretty(statistics), TokenStatistics.class, "a test"))
                .isEqualTo(statistics);
    }

    @Test
    void noTokensHaveNoEntropy() {
        assertThat(of("x", new TokenCounter(5)).tokenEntropy()).isZero();
    }

    private static TokenStatistics of(String name, TokenCounter counter) {
        SortedMap<String, TokenCounter> one = new TreeMap<>();
        one.put(name, counter);
        return TokenStatistics.of(one);
    }
}
