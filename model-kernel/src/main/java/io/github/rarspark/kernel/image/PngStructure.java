package io.github.rarspark.kernel.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * The properties of a PNG file, from its chunks, before anything is decoded (PNG specification, sections 5 and 11.2.2).
 *
 * @param width pixels in a row
 * @param height rows
 * @param bitDepth bits per sample
 * @param colorType 0 for grey, 2 for colour, 3 for a palette, 4 and 6 for grey and colour with alpha
 * @param orientation of its EXIF data, 1 to 8
 */
record PngStructure(int width, int height, int bitDepth, int colorType, int orientation) {
    private static final long SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int IHDR = 0x49484452;
    private static final int EXIF = 0x65584966;
    private static final int IEND = 0x49454E44;
    private static final int CHECKSUM_BYTES = 4;
    private static final int GREY = 0;

    /**
     * Converts a sample to a byte as Pillow does: 16 bits to the upper half, but grey without alpha to the value
     * clipped to 255.
     */
    int toByte(int sample) {
        if (bitDepth != 16) {
            return sample;
        }
        return colorType == GREY ? Math.min(sample, 255) : sample >> 8;
    }

    static boolean matches(byte[] file) {
        return file.length >= Long.BYTES && ByteBuffer.wrap(file).getLong() == SIGNATURE;
    }

    /**
     * Walks all chunks, so that a decoder meets no length beyond the end of the file.
     *
     * @throws MalformedImageException if they are truncated or do not begin with the header
     */
    static PngStructure parse(byte[] file) throws MalformedImageException {
        ByteBuffer in = ByteBuffer.wrap(file).position(Long.BYTES);
        try {
            in.getInt();
            if (in.getInt() != IHDR) {
                throw new MalformedImageException("its first chunk is not IHDR");
            }
            int width = in.getInt();
            int height = in.getInt();
            int bitDepth = in.get();
            int colorType = in.get();
            int orientation = ExifOrientation.UPRIGHT;
            in.position(Long.BYTES);
            int type;
            do {
                int length = in.getInt();
                type = in.getInt();
                if (length < 0 || length > in.remaining() - CHECKSUM_BYTES) {
                    throw new MalformedImageException("it is truncated");
                }
                if (type == EXIF) {
                    orientation = ExifOrientation.of(in.slice(in.position(), length));
                }
                in.position(in.position() + length + CHECKSUM_BYTES);
            } while (type != IEND);
            return new PngStructure(width, height, bitDepth, colorType, orientation);
        } catch (BufferUnderflowException e) {
            throw new MalformedImageException("it is truncated");
        }
    }
}
