package io.github.rarspark.common.tokens;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * All rows of a token source, numbered through in the source's order, in a file on the local disk that the processes of a
 * machine map and share. Its pages are the system's cache, not the heap. Thread-safe.
 */
public final class TokenStore implements AutoCloseable {
    private final SharedFolder folder;
    private final List<ByteBuffer> mappings;
    private final int rowsPerMapping;
    private final long rows;
    private final int tokensPerRow;

    TokenStore(SharedFolder folder, List<ByteBuffer> mappings, int rowsPerMapping, long rows, int tokensPerRow) {
        this.folder = folder;
        this.mappings = List.copyOf(mappings);
        this.rowsPerMapping = rowsPerMapping;
        this.rows = rows;
        this.tokensPerRow = tokensPerRow;
    }

    /** The number of rows. */
    public long rows() {
        return rows;
    }

    /** The class of a row. */
    public int classId(long row) {
        return mapping(row).getInt(offset(row));
    }

    /** Writes the tokens of {@code row} to {@code target} from {@code at} on. */
    public void copyTokens(long row, long[] target, int at) {
        ByteBuffer mapping = mapping(row);
        int first = offset(row) + Integer.BYTES;
        for (int t = 0; t < tokensPerRow; t++) {
            target[at + t] = mapping.getShort(first + t * Short.BYTES);
        }
    }

    /** The length of each mapping. */
    List<Integer> mappingBytes() {
        return mappings.stream().map(ByteBuffer::capacity).toList();
    }

    private ByteBuffer mapping(long row) {
        if (row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException("No row " + row + " among " + rows);
        }
        return mappings.get((int) (row / rowsPerMapping));
    }

    private int offset(long row) {
        return (int) (row % rowsPerMapping) * StoreFile.rowBytes(tokensPerRow);
    }

    /** Lets other runs remove the file if nobody else uses it. The mappings are freed when they are collected. */
    @Override
    public void close() throws IOException {
        folder.close();
    }
}
