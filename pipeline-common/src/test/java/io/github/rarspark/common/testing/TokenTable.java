package io.github.rarspark.common.testing;

import io.github.rarspark.common.tokens.TokenBlock;
import io.github.rarspark.common.tokens.TokenSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** All rows of a token source in memory, numbered through in the source's order. */
public final class TokenTable {
    private final List<TokenBlock> blocks;
    private final long[] ends;

    /** The rows of {@code blocks}, one block after the other. */
    public TokenTable(List<TokenBlock> blocks) {
        this.blocks = List.copyOf(blocks);
        this.ends = new long[blocks.size()];
        long rows = 0;
        for (int i = 0; i < ends.length; i++) {
            rows += blocks.get(i).rows();
            ends[i] = rows;
        }
    }

    /** All rows of {@code source}. */
    public static TokenTable of(TokenSource source) throws IOException {
        List<TokenBlock> blocks = new ArrayList<>();
        for (int block = 0; block < source.blocks(); block++) {
            blocks.add(source.read(block));
        }
        return new TokenTable(blocks);
    }

    /** The number of rows. */
    public long rows() {
        return ends.length == 0 ? 0 : ends[ends.length - 1];
    }

    /** The class of a row. */
    public int classId(long row) {
        int block = block(row);
        return blocks.get(block).classIds()[within(block, row)];
    }

    /** Writes the tokens of {@code row} to {@code target} from {@code at} on. */
    public void copyTokens(long row, long[] target, int at) {
        int block = block(row);
        blocks.get(block).copyTokens(within(block, row), target, at);
    }

    private int block(long row) {
        if (row < 0 || row >= rows()) {
            throw new IndexOutOfBoundsException("No row " + row + " among " + rows());
        }
        int found = Arrays.binarySearch(ends, row + 1);
        int block = found < 0 ? -found - 1 : found;
        // Blocks without rows end where the one before does.
        while (block > 0 && ends[block - 1] > row) {
            block--;
        }
        return block;
    }

    private int within(int block, long row) {
        return (int) (row - (ends[block] - blocks.get(block).rows()));
    }
}
