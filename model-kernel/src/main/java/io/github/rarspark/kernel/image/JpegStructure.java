package io.github.rarspark.kernel.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.plugins.jpeg.JPEGHuffmanTable;

/**
 * The properties of a JPEG file, from its markers, before anything is decoded (ITU-T T.81, annex B).
 *
 * @param width pixels in a row
 * @param height rows
 * @param precision bits per sample
 * @param colors how to interpret the samples
 * @param orientation of its EXIF data, 1 to 8
 * @param rowDoubled by component, whether it has half of the picture's rows and all of its columns (4:4:0)
 * @param parts what is needed to decode it: the segments of tables and frame, and all from the first scan on
 */
record JpegStructure(
        int width,
        int height,
        int precision,
        Colors colors,
        int orientation,
        List<Boolean> rowDoubled,
        List<ByteBuffer> parts) {
    private static final int START_OF_SCAN = 0xda;
    private static final int PROGRESSIVE = 0xc2;
    private static final int LONGEST_CODE = 16;
    /** Encoders make 10 or so; this many take half a minute in a picture of 100 megapixels, even if they are empty. */
    private static final int MOST_SCANS = 100;

    private static final int FRAME_COMPONENT_BYTES = 3;
    private static final int APP0 = 0xe0;
    private static final int APP1 = 0xe1;
    private static final String EXIF = "Exif\0\0";
    private static final int APP14 = 0xee;
    private static final int ADOBE_TRANSFORM_AT = 11;

    /** The meaning of a pixel's samples. */
    enum Colors {
        /** One sample of brightness. */
        GRAY(1),
        /** Red, green, blue. */
        RGB(3),
        /** Luma and two chroma samples. */
        YCC(3),
        /** Cyan, magenta, yellow, black. */
        CMYK(4),
        /** Cyan, magenta and yellow as luma and chroma, and black. */
        YCCK(4);

        private final int samples;

        Colors(int samples) {
            this.samples = samples;
        }

        int samples() {
            return samples;
        }
    }

    static boolean matches(byte[] file) {
        return file.length >= 3 && (file[0] & 0xff) == 0xff && (file[1] & 0xff) == 0xd8 && (file[2] & 0xff) == 0xff;
    }

    /**
     * Reads the markers up to the first scan. The colour space is determined as in libjpeg: JFIF means YCC; otherwise
     * Adobe's marker decides, then the component identifiers.
     *
     * @throws MalformedImageException if there is no frame before the first scan
     */
    static JpegStructure parse(byte[] file) throws MalformedImageException {
        ByteBuffer in = ByteBuffer.wrap(file).position(2);
        boolean jfif = false;
        int adobeTransform = -1;
        int orientation = ExifOrientation.UPRIGHT;
        ByteBuffer frame = null;
        List<ByteBuffer> parts = new ArrayList<>();
        try {
            while (true) {
                int marker = nextMarker(in);
                int start = in.position() - 2;
                if (marker == START_OF_SCAN) {
                    parts.add(in.slice(start, file.length - start));
                    requireFewScans(file, start);
                    break;
                }
                if (marker == 0x01 || marker >= 0xd0 && marker <= 0xd8) {
                    continue;
                }
                int length = in.getShort() & 0xffff;
                if (length < 2 || length - 2 > in.remaining()) {
                    throw new MalformedImageException("it is truncated");
                }
                ByteBuffer segment = in.slice(in.position(), length - 2);
                in.position(in.position() + length - 2);
                if (marker == APP0 && startsWith(segment, "JFIF\0")) {
                    jfif = true;
                } else if (marker == APP1 && startsWith(segment, EXIF)) {
                    orientation = ExifOrientation.of(segment.position(EXIF.length()));
                } else if (marker == APP14 && startsWith(segment, "Adobe") && segment.limit() > ADOBE_TRANSFORM_AT) {
                    adobeTransform = segment.get(ADOBE_TRANSFORM_AT) & 0xff;
                } else if (isFrame(marker)) {
                    requireDecodable(marker);
                    frame = segment;
                }
                if (marker < APP0) {
                    parts.add(in.slice(start, in.position() - start));
                }
            }
            if (frame == null) {
                throw new MalformedImageException("it has no frame before its first scan");
            }
            return of(frame, jfif, adobeTransform, orientation, parts);
        } catch (BufferUnderflowException e) {
            throw new MalformedImageException("it is truncated");
        }
    }

    private static int nextMarker(ByteBuffer in) {
        int b = in.get() & 0xff;
        while (true) {
            while (b != 0xff) {
                b = in.get() & 0xff;
            }
            while (b == 0xff) {
                b = in.get() & 0xff;
            }
            if (b != 0) {
                return b;
            }
        }
    }

    private static boolean isFrame(int marker) {
        // SOF0 to SOF15, except DHT (c4), JPG (c8) and DAC (cc), which lie in that range.
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }

    /** Accepts what every build of the JDK decodes: sequential and progressive Huffman coding. */
    private static void requireDecodable(int marker) throws MalformedImageException {
        if (marker > PROGRESSIVE) {
            String coding =
                    switch (marker) {
                        case 0xc9, 0xca -> "arithmetic coding";
                        case 0xc3, 0xcb -> "lossless coding";
                        default -> "hierarchical coding";
                    };
            throw new MalformedImageException("it has " + coding + "; convert it to a baseline or progressive JPEG");
        }
    }

    /** Each scan may go through all of a large picture, whatever its few bytes. */
    private static void requireFewScans(byte[] file, int start) throws MalformedImageException {
        int scans = 0;
        for (int i = start; i + 1 < file.length; i++) {
            // Compressed data do not contain this pair of bytes.
            scans += file[i] == (byte) 0xff && file[i + 1] == (byte) START_OF_SCAN ? 1 : 0;
        }
        if (scans > MOST_SCANS) {
            throw new MalformedImageException("it has " + scans + " scans, more than the limit of " + MOST_SCANS);
        }
    }

    /**
     * The file without metadata and with the standard's tables before its own, so that a decoder neither fails on a
     * profile or thumbnail that nothing depends on nor lacks the tables that frames of Motion JPEG omit.
     */
    byte[] withoutMetadata() {
        int length = parts.stream().mapToInt(ByteBuffer::limit).sum();
        ByteBuffer out = ByteBuffer.allocate(length + 1024).putShort((short) 0xffd8);
        putTable(out, 0x00, JPEGHuffmanTable.StdDCLuminance);
        putTable(out, 0x10, JPEGHuffmanTable.StdACLuminance);
        putTable(out, 0x01, JPEGHuffmanTable.StdDCChrominance);
        putTable(out, 0x11, JPEGHuffmanTable.StdACChrominance);
        parts.forEach(part -> out.put(part.duplicate()));
        return Arrays.copyOf(out.array(), out.position());
    }

    private static void putTable(ByteBuffer out, int id, JPEGHuffmanTable table) {
        short[] lengths = table.getLengths();
        short[] values = table.getValues();
        out.putShort((short) 0xffc4).putShort((short) (3 + LONGEST_CODE + values.length));
        out.put((byte) id);
        for (int bits = 0; bits < LONGEST_CODE; bits++) {
            out.put((byte) (bits < lengths.length ? lengths[bits] : 0));
        }
        for (short value : values) {
            out.put((byte) value);
        }
    }

    private static boolean startsWith(ByteBuffer segment, String text) {
        byte[] expected = text.getBytes(StandardCharsets.US_ASCII);
        return segment.limit() >= expected.length
                && segment.slice(0, expected.length).equals(ByteBuffer.wrap(expected));
    }

    private static JpegStructure of(
            ByteBuffer frame, boolean jfif, int adobeTransform, int orientation, List<ByteBuffer> parts)
            throws MalformedImageException {
        int precision = frame.get() & 0xff;
        int height = frame.getShort() & 0xffff;
        int width = frame.getShort() & 0xffff;
        int components = frame.get() & 0xff;
        if (frame.remaining() < FRAME_COMPONENT_BYTES * components) {
            throw new MalformedImageException("its frame is too short for " + components + " components");
        }
        Colors colors =
                switch (components) {
                    case 1 -> Colors.GRAY;
                    case 3 -> threeComponents(frame, jfif, adobeTransform);
                    case 4 -> adobeTransform == -1 || adobeTransform == 0 ? Colors.CMYK : Colors.YCCK;
                    default -> throw new MalformedImageException("it has " + components + " components");
                };
        return new JpegStructure(width, height, precision, colors, orientation, rowDoubled(frame, components), parts);
    }

    private static List<Boolean> rowDoubled(ByteBuffer frame, int components) {
        int mostColumns = 0;
        int mostRows = 0;
        for (int c = 0; c < components; c++) {
            mostColumns = Math.max(mostColumns, sampling(frame, c) >> 4);
            mostRows = Math.max(mostRows, sampling(frame, c) & 0xf);
        }
        List<Boolean> doubled = new ArrayList<>();
        for (int c = 0; c < components; c++) {
            doubled.add(sampling(frame, c) >> 4 == mostColumns && 2 * (sampling(frame, c) & 0xf) == mostRows);
        }
        return doubled;
    }

    /** A component's sampling factors: that of its columns in the upper four bits, of its rows in the lower ones. */
    private static int sampling(ByteBuffer frame, int component) {
        return frame.get(frame.position() + FRAME_COMPONENT_BYTES * component + 1) & 0xff;
    }

    private static Colors threeComponents(ByteBuffer frame, boolean jfif, int adobeTransform) {
        if (jfif) {
            return Colors.YCC;
        }
        if (adobeTransform >= 0) {
            return adobeTransform == 0 ? Colors.RGB : Colors.YCC;
        }
        // After the component count, three bytes per component; the first is its identifier.
        int at = frame.position();
        return frame.get(at) == 'R' && frame.get(at + 3) == 'G' && frame.get(at + 6) == 'B' ? Colors.RGB : Colors.YCC;
    }
}
