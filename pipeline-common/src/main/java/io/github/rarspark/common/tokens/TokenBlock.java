package io.github.rarspark.common.tokens;

import io.github.rarspark.kernel.error.DataException;
import java.util.Arrays;

/**
 * Rows of tokens in memory: two bytes a token.
 *
 * @param tokensPerRow T
 * @param classIds [rows]
 * @param tokens row-major [rows, T]
 */
public record TokenBlock(int tokensPerRow, int[] classIds, short[] tokens) {
    /** Checks that there are T tokens for each class id. */
    public TokenBlock {
        if (tokens.length != (long) tokensPerRow * classIds.length) {
            throw new IllegalArgumentException(
                    classIds.length + " rows of " + tokensPerRow + " tokens cannot have " + tokens.length + " tokens");
        }
    }

    /** How many rows there are. */
    public int rows() {
        return classIds.length;
    }

    /** Writes the tokens of {@code row} to {@code target} from {@code at} on. */
    public void copyTokens(int row, long[] target, int at) {
        for (int t = 0; t < tokensPerRow; t++) {
            target[at + t] = tokens[row * tokensPerRow + t];
        }
    }

    /** Collects rows and checks each. */
    static final class Builder {
        private final TokenShape shape;
        private final String source;
        private int[] classIds;
        private short[] tokens;
        private int rows;
        private int next;

        Builder(TokenShape shape, String source, int expectedRows) {
            this.shape = shape;
            this.source = source;
            this.classIds = new int[Math.max(1, expectedRows)];
            this.tokens = new short[Math.multiplyExact(classIds.length, shape.tokens())];
        }

        int rows() {
            return rows;
        }

        /** Begins a row, whose {@code length} tokens follow. */
        void row(long classId, int length) {
            if (classId < 0 || classId >= shape.classes()) {
                throw bad("class " + classId + ", expected 0 to " + (shape.classes() - 1));
            }
            if (length != shape.tokens()) {
                throw bad(length + " tokens, expected " + shape.tokens());
            }
            if (rows == classIds.length) {
                grow();
            }
            classIds[rows++] = (int) classId;
        }

        /** Adds the next token of the row. */
        void token(long token) {
            if (token < 0 || token >= shape.codes()) {
                throw bad("the token " + token + ", expected 0 to " + (shape.codes() - 1));
            }
            tokens[next++] = (short) token;
        }

        TokenBlock build() {
            return new TokenBlock(
                    shape.tokens(), Arrays.copyOf(classIds, rows), Arrays.copyOf(tokens, rows * shape.tokens()));
        }

        private void grow() {
            int larger = Math.multiplyExact(classIds.length, 2);
            tokens = Arrays.copyOf(tokens, Math.multiplyExact(larger, shape.tokens()));
            classIds = Arrays.copyOf(classIds, larger);
        }

        private DataException bad(String what) {
            return new DataException(
                    "Cannot use the tokens in " + source + ": row " + Math.max(0, rows) + " has " + what);
        }
    }
}
