package io.github.rarspark.kernel.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * The properties of a PNG file, from its chunks, before anything is decoded (PNG specification, sections 5 and 11.2.2).
 *
 * @param width pixels in a row
 * @param height rows
 * @param bitDepth bits per sample
 * @param colorType 0 for grey, 2 for colour, 3 for a palette, 4 and 6 for grey and colour with alpha
 * @param orientation of its EXIF data, 1 to 8
 */
record PngStructure(long width, long height, int bitDepth, int colorType, int orientation) {
    private static final long SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int IHDR = 0x49484452;
    private static final int PLTE = 0x504C5445;
    private static final int IDAT = 0x49444154;
    private static final int EXIF = 0x65584966;
    private static final int IEND = 0x49454E44;
    private static final int HEADER_BYTES = 13;
    private static final int CHECKSUM_BYTES = 4;
    private static final int GREY = 0;
    private static final int RGB = 2;
    private static final int PALETTE = 3;

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

    /** The bytes of a pixel in memory before it is converted to RGB. */
    int bytesPerPixel() {
        int samples =
                switch (colorType) {
                    case RGB -> 3;
                    case 4 -> 2;
                    case 6 -> 4;
                    default -> 1;
                };
        return bitDepth == 16 ? 2 * samples : samples;
    }

    static boolean matches(byte[] file) {
        return file.length >= Long.BYTES && ByteBuffer.wrap(file).getLong() == SIGNATURE;
    }

    /**
     * Walks all chunks, so that a decoder meets no length beyond the end of the file. As in Pillow, all checksums must
     * hold but those of the picture itself, whose compressed stream has its own.
     *
     * @throws MalformedImageException if they are truncated, damaged or no PNG picture
     */
    static PngStructure parse(byte[] file) throws MalformedImageException {
        ByteBuffer in = ByteBuffer.wrap(file).position(Long.BYTES);
        try {
            ByteBuffer header = null;
            boolean palette = false;
            boolean data = false;
            int orientation = ExifOrientation.UPRIGHT;
            int type;
            do {
                int length = in.getInt();
                type = in.getInt();
                if (header == null && type != IHDR) {
                    throw new MalformedImageException("its first chunk is not IHDR");
                }
                if (length < 0 || length > in.remaining() - CHECKSUM_BYTES) {
                    throw new MalformedImageException("it is truncated");
                }
                ByteBuffer content = in.slice(in.position(), length);
                requireChecksum(file, in, type, length);
                switch (type) {
                    case IHDR -> header = content;
                    case PLTE -> palette = true;
                    case IDAT -> data = true;
                    case EXIF -> orientation = ExifOrientation.of(content);
                    default -> {} // nothing that pixels depend on
                }
                in.position(in.position() + length + CHECKSUM_BYTES);
            } while (type != IEND);
            PngStructure png = of(header, orientation);
            if (png.colorType == PALETTE && !palette) {
                throw new MalformedImageException("its palette is missing");
            }
            if (!data) {
                throw new MalformedImageException("it has no picture data");
            }
            return png;
        } catch (BufferUnderflowException e) {
            throw new MalformedImageException("it is truncated");
        }
    }

    private static void requireChecksum(byte[] file, ByteBuffer in, int type, int length)
            throws MalformedImageException {
        if (type == IDAT) {
            return;
        }
        CRC32 sum = new CRC32();
        sum.update(file, in.position() - Integer.BYTES, Integer.BYTES + length);
        if ((int) sum.getValue() != in.getInt(in.position() + length)) {
            throw new MalformedImageException(
                    "the checksum of its chunk at byte " + (in.position() - Long.BYTES) + " is wrong");
        }
    }

    private static PngStructure of(ByteBuffer header, int orientation) throws MalformedImageException {
        if (header.limit() != HEADER_BYTES) {
            throw new MalformedImageException("its header has " + header.limit() + " bytes instead of 13");
        }
        long width = Integer.toUnsignedLong(header.getInt());
        long height = Integer.toUnsignedLong(header.getInt());
        if (width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
            throw new MalformedImageException("it claims " + width + " x " + height + " pixels");
        }
        int bitDepth = header.get();
        int colorType = header.get();
        boolean known =
                switch (colorType) {
                    case GREY -> bitDepth == 1 || bitDepth == 2 || bitDepth == 4 || bitDepth == 8 || bitDepth == 16;
                    case PALETTE -> bitDepth == 1 || bitDepth == 2 || bitDepth == 4 || bitDepth == 8;
                    case RGB, 4, 6 -> bitDepth == 8 || bitDepth == 16;
                    default -> false;
                };
        if (!known) {
            throw new MalformedImageException(
                    "there is no PNG of colour type " + colorType + " and " + bitDepth + " bits per sample");
        }
        if (header.get() != 0 || header.get() != 0) {
            throw new MalformedImageException("its compression is none of PNG's");
        }
        if ((header.get() & ~1) != 0) {
            throw new MalformedImageException("its interlacing is none of PNG's");
        }
        return new PngStructure(width, height, bitDepth, colorType, orientation);
    }
}
