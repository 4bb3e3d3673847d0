package io.github.rarspark.kernel.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * What the chunks of a PNG file say before anything is decoded (PNG specification, sections 5 and 11.2.2).
 *
 * @param width pixels in a row
 * @param height rows
 * @param bitDepth bits of a sample
 */
record PngStructure(int width, int height, int bitDepth) {
    private static final long SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int IHDR = 0x49484452;
    private static final int IEND = 0x49454E44;
    private static final int CHECKSUM_BYTES = 4;

    static boolean matches(byte[] file) {
        return file.length >= Long.BYTES && ByteBuffer.wrap(file).getLong() == SIGNATURE;
    }

    /**
     * Walks the chunks to the end, so that a decoder meets no length beyond the file.
     *
     * @throws MalformedImageException if they are cut short or do not begin with the header
     */
    static PngStructure parse(byte[] file) throws MalformedImageException {
        ByteBuffer in = ByteBuffer.wrap(file).position(Long.BYTES);
        try {
            in.getInt();
            if (in.getInt() != IHDR) {
                throw new MalformedImageException("its first chunk is not IHDR");
            }
            PngStructure structure = new PngStructure(in.getInt(), in.getInt(), in.get());
            in.position(Long.BYTES);
            int type;
            do {
                int length = in.getInt();
                type = in.getInt();
                if (length < 0 || length > in.remaining() - CHECKSUM_BYTES) {
                    throw new MalformedImageException("it is cut short");
                }
                in.position(in.position() + length + CHECKSUM_BYTES);
            } while (type != IEND);
            return structure;
        } catch (BufferUnderflowException e) {
            throw new MalformedImageException("it is cut short");
        }
    }
}
