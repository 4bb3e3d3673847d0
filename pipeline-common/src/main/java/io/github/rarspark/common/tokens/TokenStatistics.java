package io.github.rarspark.common.tokens;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the rows of a token output are like: a function of the rows alone.
 *
 * @param classCounts the number of images by class id
 * @param tokenCounts how often each code occurs
 * @param codesUsed how many codes occur
 * @param tokenEntropy the entropy of the codes' distribution in bits, to six decimals
 * @param shards the same of each shard, by name
 */
public record TokenStatistics(
        SortedMap<Integer, Long> classCounts,
        List<Long> tokenCounts,
        int codesUsed,
        double tokenEntropy,
        List<OfShard> shards)
        implements Serializable {
    private static final double DECIMALS = 1e6;

    /**
     * A shard's.
     *
     * @param name of the shard
     * @param images the number of images
     * @param classes the number of classes
     * @param codesUsed how many codes occur
     * @param tokenEntropy the entropy of the codes' distribution in bits
     */
    public record OfShard(String name, long images, int classes, int codesUsed, double tokenEntropy)
            implements Serializable {}

    /** Copies the collections. */
    public TokenStatistics {
        classCounts = new TreeMap<>(classCounts);
        tokenCounts = List.copyOf(tokenCounts);
        shards = List.copyOf(shards);
    }

    private static TokenStatistics of(
            SortedMap<Integer, Long> classCounts, List<Long> tokenCounts, List<OfShard> shards) {
        return new TokenStatistics(classCounts, tokenCounts, used(tokenCounts), entropy(tokenCounts), shards);
    }

    /** Those of shards, by name; there is one at least. */
    public static TokenStatistics of(SortedMap<String, TokenCounter> counted) {
        List<OfShard> shards = new ArrayList<>();
        counted.forEach((name, counter) -> {
            List<Long> tokens = counter.tokenCounts();
            shards.add(
                    new OfShard(name, counter.images(), counter.classCounts().size(), used(tokens), entropy(tokens)));
        });
        return of(
                sumOfMaps(
                        counted.values().stream().map(TokenCounter::classCounts).toList()),
                sumOfLists(
                        counted.values().stream().map(TokenCounter::tokenCounts).toList()),
                shards);
    }

    /** Those of several sets of shards together, in their order; there is one at least. */
    static TokenStatistics together(List<TokenStatistics> parts) {
        return of(
                sumOfMaps(parts.stream().map(TokenStatistics::classCounts).toList()),
                sumOfLists(parts.stream().map(TokenStatistics::tokenCounts).toList()),
                parts.stream().flatMap(part -> part.shards.stream()).toList());
    }

    private static SortedMap<Integer, Long> sumOfMaps(Collection<? extends Map<Integer, Long>> parts) {
        SortedMap<Integer, Long> sum = new TreeMap<>();
        parts.forEach(part -> part.forEach((id, count) -> sum.merge(id, count, Long::sum)));
        return sum;
    }

    private static List<Long> sumOfLists(List<List<Long>> parts) {
        List<Long> sum = new ArrayList<>(parts.get(0));
        for (List<Long> part : parts.subList(1, parts.size())) {
            for (int code = 0; code < sum.size(); code++) {
                sum.set(code, sum.get(code) + part.get(code));
            }
        }
        return sum;
    }

    private static int used(List<Long> tokens) {
        return (int) tokens.stream().filter(count -> count > 0).count();
    }

    /** Zero if there are no tokens. */
    private static double entropy(List<Long> tokens) {
        double all = tokens.stream().mapToLong(Long::longValue).sum();
        double bits = 0;
        for (long count : tokens) {
            // The strict logarithm has the same bits on every JVM.
            bits -= count == 0 ? 0 : count / all * StrictMath.log(count / all) / StrictMath.log(2);
        }
        return Math.rint(bits * DECIMALS) / DECIMALS;
    }
}
