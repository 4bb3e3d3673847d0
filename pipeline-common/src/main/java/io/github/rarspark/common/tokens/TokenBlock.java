package io.github.rarspark.common.tokens;

import io.github.rarspark.kernel.error.DataException;
import java.nio.ByteBuffer;

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

    /** Puts class id and tokens of {@code row} at the position of {@code target}. */
    void putRow(int row, ByteBuffer target) {
        target.putInt(classIds[row]);
        target.asShortBuffer().put(tokens, row * tokensPerRow, tokensPerRow);
        target.position(target.position() + tokensPerRow * Short.BYTES);
    }

    /** Collects rows, of which the number is known, and checks each. */
    static final class Builder {
        private final TokenShape shape;
        private final String source;
        private final int[] classIds;
        private final short[] tokens;
        private int rows;
        private int next;

        /**
         * A builder of a block with {@code expectedRows} rows.
         *
         * @throws DataException if so many do not fit into an array
         */
        Builder(TokenShape shape, String source, long expectedRows) {
            this.shape = shape;
            this.source = source;
            if (expectedRows * shape.tokens() > Integer.MAX_VALUE - 8) {
                throw new DataException("Cannot read " + source + ": " + expectedRows + " rows of " + shape.tokens()
                        + " tokens are too many for one shard; tokenize with a smaller tokenize.shard_images");
            }
            this.classIds = new int[(int) expectedRows];
            this.tokens = new short[classIds.length * shape.tokens()];
        }

        /** Begins a row, whose {@code length} tokens follow. */
        void row(long classId, int length) {
            if (rows == classIds.length) {
                throw new DataException("Cannot read " + source + ": it has more than the " + rows
                        + " rows that were counted; was it changed?");
            }
            if (classId < 0 || classId >= shape.classes()) {
                throw bad("class " + classId + ", expected 0 to " + (shape.classes() - 1));
            }
            if (length != shape.tokens()) {
                throw bad(length + " tokens, expected " + shape.tokens());
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

        /**
         * The block.
         *
         * @throws DataException if it has fewer rows than expected
         */
        TokenBlock build() {
            if (rows < classIds.length) {
                throw new DataException("Cannot read " + source + ": it has " + rows + " rows instead of the "
                        + classIds.length + " that were counted; was it changed?");
            }
            return new TokenBlock(shape.tokens(), classIds, tokens);
        }

        private DataException bad(String what) {
            return new DataException("Cannot use the tokens in " + source + ": row " + rows + " has " + what);
        }
    }
}
