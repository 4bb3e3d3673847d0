package io.github.rarspark.common.storage;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FSInputStream;

/** A local file whose failures are exceptions; Hadoop's own stream throws an {@link Error}. */
final class LocalInput extends FSInputStream {
    private final FSDataInputStream in;

    LocalInput(FSDataInputStream in) {
        this.in = in;
    }

    @Override
    public int read() throws IOException {
        return call(in::read);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        return call(() -> in.read(buffer, offset, length));
    }

    @Override
    public int read(long position, byte[] buffer, int offset, int length) throws IOException {
        return call(() -> in.read(position, buffer, offset, length));
    }

    @Override
    public int available() throws IOException {
        return in.available();
    }

    @Override
    public void seek(long position) throws IOException {
        in.seek(position);
    }

    @Override
    public long getPos() throws IOException {
        return in.getPos();
    }

    @Override
    public boolean seekToNewSource(long position) {
        return false;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    private interface Read {
        int run() throws IOException;
    }

    private static int call(Read read) throws IOException {
        try {
            return read.run();
        } catch (FSError e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        }
    }
}
