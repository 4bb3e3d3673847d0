package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.HashingStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.Comparator;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.KeyValue;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;

/**
 * Lets Parquet write one file into an open stream, whose owner publishes it. Parquet lists each column's encodings in an
 * order that differs from one JVM to the next; here the footer has them sorted, and its key-value metadata too, so that
 * equal records give equal bytes.
 */
public final class StreamOutputFile implements OutputFile {
    /** Length of the footer and magic number behind it. */
    private static final int SUFFIX = 8;

    private final HashingStream stream;
    private final ByteArrayOutputStream tail = new ByteArrayOutputStream();
    private boolean dataComplete;

    /** A Parquet file that goes to {@code stream}. */
    public StreamOutputFile(HashingStream stream) {
        this.stream = stream;
    }

    /** Marks all data pages as written: indexes and footer, which follow, are buffered until the file is closed. */
    public void completeData() {
        dataComplete = true;
    }

    @Override
    public PositionOutputStream create(long blockSizeHint) {
        return new PositionOutputStream() {
            @Override
            public long getPos() {
                return stream.bytes() + tail.size();
            }

            @Override
            public void write(int b) throws IOException {
                if (dataComplete) {
                    tail.write(b);
                } else {
                    stream.write(b);
                }
            }

            @Override
            public void write(byte[] buffer, int offset, int length) throws IOException {
                if (dataComplete) {
                    tail.write(buffer, offset, length);
                } else {
                    stream.write(buffer, offset, length);
                }
            }

            @Override
            public void close() throws IOException {
                if (tail.size() > 0) {
                    stream.write(withSortedFooter(tail.toByteArray()));
                    tail.reset();
                }
            }
        };
    }

    private static byte[] withSortedFooter(byte[] tail) throws IOException {
        int footerEnd = tail.length - SUFFIX;
        int footerStart =
                footerEnd - ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN).getInt(footerEnd);
        FileMetaData footer =
                Util.readFileMetaData(new ByteArrayInputStream(tail, footerStart, footerEnd - footerStart));
        for (RowGroup group : footer.getRow_groups()) {
            for (ColumnChunk column : group.getColumns()) {
                Collections.sort(column.getMeta_data().getEncodings());
            }
        }
        footer.getKey_value_metadata().sort(Comparator.comparing(KeyValue::getKey));
        ByteArrayOutputStream sorted = new ByteArrayOutputStream(tail.length);
        sorted.write(tail, 0, footerStart);
        Util.writeFileMetaData(footer, sorted);
        int length = sorted.size() - footerStart;
        sorted.write(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(length)
                .array());
        sorted.write(tail, tail.length - Integer.BYTES, Integer.BYTES);
        return sorted.toByteArray();
    }

    @Override
    public PositionOutputStream createOrOverwrite(long blockSizeHint) {
        return create(blockSizeHint);
    }

    @Override
    public boolean supportsBlockSize() {
        return false;
    }

    @Override
    public long defaultBlockSize() {
        return 0;
    }
}
