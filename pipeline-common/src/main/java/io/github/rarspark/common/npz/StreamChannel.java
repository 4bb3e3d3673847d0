package io.github.rarspark.common.npz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import org.apache.hadoop.fs.FSDataInputStream;

/** A stored file as the channel that zip archives are read from. */
final class StreamChannel implements SeekableByteChannel {
    private final FSDataInputStream in;
    private final long length;
    private long position;
    private boolean closed;

    StreamChannel(FSDataInputStream in, long length) {
        this.in = in;
        this.length = length;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (position >= length) {
            return -1;
        }
        byte[] buffer = new byte[(int) Math.min(target.remaining(), length - position)];
        in.readFully(position, buffer);
        target.put(buffer);
        position += buffer.length;
        return buffer.length;
    }

    @Override
    public int write(ByteBuffer source) {
        throw new NonWritableChannelException();
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public SeekableByteChannel position(long newPosition) {
        position = newPosition;
        return this;
    }

    @Override
    public long size() {
        return length;
    }

    @Override
    public SeekableByteChannel truncate(long size) {
        throw new NonWritableChannelException();
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() throws IOException {
        closed = true;
        in.close();
    }
}
