package io.github.rarspark.common.storage;

import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Counts and hashes what passes through. Closing it flushes only: the object is published by its owner. */
public final class HashingStream extends OutputStream {
    private final OutputStream out;
    private final String path;
    private final MessageDigest digest = Sha256.digest();
    private long bytes;

    /** What is written goes to {@code out}, which becomes the object {@code path}. */
    HashingStream(OutputStream out, String path) {
        this.out = out;
        this.path = path;
    }

    @Override
    public void write(int b) throws IOException {
        try {
            out.write(b);
        } catch (IOException e) {
            throw StorageFailures.writing(path, e);
        }
        digest.update((byte) b);
        bytes++;
    }

    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
        try {
            out.write(buffer, offset, length);
        } catch (IOException e) {
            throw StorageFailures.writing(path, e);
        }
        digest.update(buffer, offset, length);
        bytes += length;
    }

    @Override
    public void flush() throws IOException {
        try {
            out.flush();
        } catch (IOException e) {
            throw StorageFailures.writing(path, e);
        }
    }

    @Override
    public void close() throws IOException {
        flush();
    }

    /** How many bytes were written so far. */
    public long bytes() {
        return bytes;
    }

    /** The SHA-256 of what was written so far, in hexadecimal. */
    public String sha256() {
        try {
            return HexFormat.of().formatHex(((MessageDigest) digest.clone()).digest());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("The SHA-256 of the JDK can be cloned", e);
        }
    }

    Stored stored() {
        return new Stored(path, bytes, sha256());
    }
}
