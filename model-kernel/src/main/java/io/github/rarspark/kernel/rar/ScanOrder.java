package io.github.rarspark.kernel.rar;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A fixed order in which the tokens of a square grid are predicted (Table 3 of the paper). Entry k of {@link #of} is the
 * raster index of the k-th token.
 */
public enum ScanOrder {
    /** Rows from top to bottom, each from left to right. */
    ROW_MAJOR {
        @Override
        int cell(int k, int side) {
            return k;
        }
    },
    /** Rows from top to bottom, odd ones from right to left. */
    ALTERNATE {
        @Override
        int cell(int k, int side) {
            int row = k / side;
            int column = k % side;
            return row * side + (row % 2 == 0 ? column : side - 1 - column);
        }
    },
    /** The Morton curve: the bits of k alternate between column (lowest) and row. */
    Z_CURVE {
        @Override
        int cell(int k, int side) {
            int row = 0;
            int column = 0;
            for (int bit = 0; 1 << bit < side; bit++) {
                column |= (k >> 2 * bit & 1) << bit;
                row |= (k >> 2 * bit + 1 & 1) << bit;
            }
            return row * side + column;
        }
    },
    /** The Morton curve with the bits of row and column each reversed: coarse to fine. */
    SUBSAMPLE {
        @Override
        int cell(int k, int side) {
            int cell = Z_CURVE.cell(k, side);
            return reversed(cell / side, side) * side + reversed(cell % side, side);
        }
    },
    /** From the bottom right corner up, then left, down, right, and inward. */
    SPIRAL_IN {
        @Override
        int cell(int k, int side) {
            int ring = 0;
            int rest = k;
            while (side - 2 * ring > 1 && rest >= 4 * (side - 2 * ring - 1)) {
                rest -= 4 * (side - 2 * ring - 1);
                ring++;
            }
            int last = side - 1 - ring;
            int edge = Math.max(1, last - ring);
            int along = rest % edge;
            return switch (rest / edge) {
                case 0 -> (last - along) * side + last;
                case 1 -> ring * side + last - along;
                case 2 -> (ring + along) * side + ring;
                default -> last * side + ring + along;
            };
        }
    },
    /** The reverse of {@link #SPIRAL_IN}. */
    SPIRAL_OUT {
        @Override
        int cell(int k, int side) {
            return SPIRAL_IN.cell(side * side - 1 - k, side);
        }
    };

    abstract int cell(int k, int side);

    /**
     * The order over {@code tokens} tokens of a square grid.
     *
     * @throws IllegalArgumentException if the grid is not square, or the order needs a side that is a power of two and
     *     it is not
     */
    public int[] of(int tokens) {
        int side = (int) Math.round(Math.sqrt(tokens));
        if (side * side != tokens) {
            throw new IllegalArgumentException("Cannot scan " + tokens + " tokens: they do not form a square grid");
        }
        if ((this == Z_CURVE || this == SUBSAMPLE) && Integer.bitCount(side) != 1) {
            throw new IllegalArgumentException("Cannot scan a grid of side " + side + " in the order " + this
                    + ": the side must be a power of two");
        }
        int[] order = new int[tokens];
        for (int k = 0; k < tokens; k++) {
            order[k] = cell(k, side);
        }
        return order;
    }

    /** The order's name in files and recipes, such as {@code row-major}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The order with the given label.
     *
     * @throws IllegalArgumentException if there is no such order
     */
    public static ScanOrder labelled(String label) {
        return Arrays.stream(values())
                .filter(order -> order.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown scan order '" + label + "': expected one of "
                        + Arrays.stream(values()).map(ScanOrder::label).collect(Collectors.joining(", "))));
    }

    private static int reversed(int value, int side) {
        return Integer.reverse(value) >>> 32 - Integer.numberOfTrailingZeros(side);
    }
}
