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
     * @param offset where it begins, in bytes; the end of the block before
     * @param bytes its length; lines without content may be at both of its ends
     * @param sha256 the hash of these bytes
     * @param firstLine the number of its first line, from 1, lines without content included
     * @param lines how many lines with content it has
     */
    record Block(long offset, long bytes, String sha256, long firstLine, int lines) implements Serializable {}

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
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int n = file.read(buffer); n >= 0; n = file.read(buffer)) {
            scan.add(buffer, n);
        }
        return scan.end();
    }

    private static final class Scan {
        private final int linesPerBlock;
        private final MessageDigest fileDigest = Sha256.digest();
        private final MessageDigest blockDigest = Sha256.digest();
        private final List<Block> blocks = new ArrayList<>();
        private long position;
        private long line = 1;
        private boolean hasContent;
        private byte previous;
        private long blockStart;
        private long blockLine = 1;
        private int blockLines;

        Scan(int linesPerBlock) {
            this.linesPerBlock = linesPerBlock;
        }

        void add(byte[] buffer, int length) {
            fileDigest.update(buffer, 0, length);
            int hashed = 0;
            for (int i = 0; i < length; i++) {
                byte next = buffer[i];
                boolean endsPair = next == '\n' && previous == '\r';
                if (blockLines == linesPerBlock && !endsPair) {
                    blockDigest.update(buffer, hashed, i - hashed);
                    hashed = i;
                    endBlock(position + i);
                }
                if (!endsPair) {
                    if (next == '\n' || next == '\r') {
                        endLine();
                    } else if (next < 0 || next > ' ') {
                        hasContent = true;
                    }
                }
                previous = next;
            }
            blockDigest.update(buffer, hashed, length - hashed);
            position += length;
        }

        LineBlocks end() {
            endLine();
            if (blockLines > 0) {
                endBlock(position);
            }
            long lines = blocks.stream().mapToLong(Block::lines).sum();
            return new LineBlocks(HexFormat.of().formatHex(fileDigest.digest()), lines, blocks);
        }

        private void endLine() {
            if (hasContent) {
                blockLines++;
            }
            hasContent = false;
            line++;
        }

        private void endBlock(long end) {
            String sha256 = HexFormat.of().formatHex(blockDigest.digest());
            blocks.add(new Block(blockStart, end - blockStart, sha256, blockLine, blockLines));
            blockStart = end;
            blockLine = line;
            blockLines = 0;
        }
    }
}
