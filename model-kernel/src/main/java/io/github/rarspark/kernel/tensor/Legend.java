package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * The extents that the letters of a tensor name's suffix stand for. Where B is 2 and T is 64, {@code tokens_BT} has the
 * shape [2, 64]; a digit stands for itself.
 */
public final class Legend {
    private final Map<Character, Long> extents;

    private Legend(Map<Character, Long> extents) {
        this.extents = extents;
    }

    /** A legend with one letter. */
    public static Legend of(char letter, long extent) {
        return new Legend(Map.of(letter, extent));
    }

    /** This legend and one more letter. */
    public Legend and(char letter, long extent) {
        Map<Character, Long> more = new TreeMap<>(extents);
        more.put(letter, extent);
        return new Legend(more);
    }

    /**
     * Checks that a tensor has the shape given by the suffix of its name.
     *
     * @throws IllegalArgumentException if the shape differs
     */
    public void check(String name, NDArray tensor) {
        require(name, tensor.getShape().getShape());
    }

    /** As {@link #check(String, NDArray)} for an array of one axis. */
    public void check(String name, long[] array) {
        require(name, array.length);
    }

    /** As {@link #check(String, NDArray)} for an array of one axis. */
    public void check(String name, int[] array) {
        require(name, array.length);
    }

    /** As {@link #check(String, NDArray)} for an array of two axes, each of whose rows is checked. */
    public void check(String name, long[][] array) {
        requireRows(name, array.length, Arrays.stream(array).mapToLong(row -> row.length));
    }

    /** As {@link #check(String, NDArray)} for an array of two axes, each of whose rows is checked. */
    public void check(String name, int[][] array) {
        requireRows(name, array.length, Arrays.stream(array).mapToLong(row -> row.length));
    }

    private void requireRows(String name, long rows, LongStream lengths) {
        if (rows == 0) {
            require(name, 0, expected(name)[1]);
        }
        lengths.forEach(length -> require(name, rows, length));
    }

    private void require(String name, long... shape) {
        long[] expected = expected(name);
        if (!Arrays.equals(shape, expected)) {
            throw new IllegalArgumentException("Cannot use " + name + " of shape " + Arrays.toString(shape)
                    + ": expected " + Arrays.toString(expected));
        }
    }

    private long[] expected(String name) {
        return name.substring(name.lastIndexOf('_') + 1)
                .chars()
                .mapToLong(c -> Character.isDigit(c) ? c - '0' : extent(name, (char) c))
                .toArray();
    }

    private long extent(String name, char letter) {
        Long extent = extents.get(letter);
        if (extent == null) {
            throw new IllegalStateException("The legend of " + name + " has no " + letter);
        }
        return extent;
    }
}
