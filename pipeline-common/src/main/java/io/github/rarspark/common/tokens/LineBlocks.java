package io.github.rarspark.common.tokens;

import io.github.rarspark.common.storage.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Where the lines of a text file are, in blocks of consecutive lines with content. A line ends as {@link
 * java.io.BufferedReader#readLine} has it.
 *
 * @param sha256 the file's hash
 * @param lines how many lines have content
 * @param blocks all of these lines, in order
 */
record LineBlocks(String sha256, long lines, List<Block> blocks) implements Serializable {
    private static final int BUFFER_BYTES = 1 << 16;

    /**
     * A part of the file.
     *
     * @param offset where its first line begins, in bytes
     * @param firstLine the number of that line, from 1, lines without content included
     * @param lines how many lines with content it has
     */
    record Block(long offset, long firstLine, int lines) implements Serializable {}

    LineBlocks {
        blocks = List.copyOf(blocks);
    }

    /** Whether a line has no content. */
    static boolean isBlank(String line) {
        return line.chars().allMatch(c -> c <= ' ');
    }

    /** Reads a file to its end. */
    static LineBlocks scan(InputStream file, int linesPerBlock) throws IOException {
        Scan scan = new Scan(linesPerBlock);
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int n = file.read(buffer); n >= 0; n = file.read(buffer)) {
            digest.update(buffer, 0, n);
            for (int i = 0; i < n; i++) {
                scan.add(buffer[i]);
            }
        }
        scan.endLine();
        scan.endBlock();
        long lines = scan.blocks.stream().mapToLong(Block::lines).sum();
        return new LineBlocks(HexFormat.of().formatHex(digest.digest()), lines, scan.blocks);
    }

    private static final class Scan {
        private final int linesPerBlock;
        private final List<Block> blocks = new ArrayList<>();
        private long position;
        private long lineStart;
        private long line = 1;
        private boolean hasContent;
        private byte previous;
        private long blockStart;
        private long blockLine;
        private int blockLines;

        Scan(int linesPerBlock) {
            this.linesPerBlock = linesPerBlock;
        }

        void add(byte next) {
            position++;
            if (next == '\n' && previous == '\r') {
                lineStart = position;
            } else if (next == '\n' || next == '\r') {
                endLine();
                line++;
                lineStart = position;
            } else if (next < 0 || next > ' ') {
                hasContent = true;
            }
            previous = next;
        }

        void endLine() {
            if (hasContent) {
                if (blockLines == 0) {
                    blockStart = lineStart;
                    blockLine = line;
                }
                blockLines++;
                if (blockLines == linesPerBlock) {
                    endBlock();
                }
            }
            hasContent = false;
        }

        void endBlock() {
            if (blockLines > 0) {
                blocks.add(new Block(blockStart, blockLine, blockLines));
                blockLines = 0;
            }
        }
    }
}
