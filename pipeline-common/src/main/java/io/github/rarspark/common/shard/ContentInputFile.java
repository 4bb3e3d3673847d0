package io.github.rarspark.common.shard;

import java.io.ByteArrayInputStream;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;

/** Lets Parquet read a file's content in memory. */
final class ContentInputFile implements InputFile {
    private final byte[] content;

    ContentInputFile(byte[] content) {
        this.content = content;
    }

    @Override
    public long getLength() {
        return content.length;
    }

    @Override
    public SeekableInputStream newStream() {
        Cursor cursor = new Cursor(content);
        return new DelegatingSeekableInputStream(cursor) {
            @Override
            public long getPos() {
                return cursor.position();
            }

            @Override
            public void seek(long position) {
                cursor.seek(position);
            }
        };
    }

    private static final class Cursor extends ByteArrayInputStream {
        Cursor(byte[] content) {
            super(content);
        }

        synchronized long position() {
            return pos;
        }

        synchronized void seek(long position) {
            pos = Math.toIntExact(position);
        }
    }
}
