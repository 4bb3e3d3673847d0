package io.github.rarspark.common.npz;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The header of an array in NumPy's format: magic, version, the length of a Python dictionary and the dictionary, padded
 * so that the data begins at a multiple of 64 bytes.
 *
 * @param type the element type in NumPy's notation, such as {@code |u1} or {@code <f8}
 * @param shape the extents; the elements follow row-major
 */
public record NpyHeader(String type, List<Long> shape) {
    /** Unsigned bytes. */
    public static final String UINT8 = "|u1";

    /** Little-endian 32-bit floats. */
    public static final String FLOAT32 = "<f4";

    /** Little-endian 64-bit floats. */
    public static final String FLOAT64 = "<f8";

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int ALIGNMENT = 64;
    private static final int MAX_LENGTH = 1 << 16;
    private static final Pattern TYPE = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
    private static final Pattern COLUMN_MAJOR = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9,\\sL]*)\\)");

    /** Copies the shape. */
    public NpyHeader {
        shape = List.copyOf(shape);
    }

    /** A header for an array of this type and shape. */
    public static NpyHeader of(String type, long... shape) {
        return new NpyHeader(type, Arrays.stream(shape).boxed().toList());
    }

    /** The number of elements. */
    public long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    /** The bytes of the header, format version 1.0. */
    public byte[] bytes() {
        String extents = shape.stream().map(String::valueOf).collect(Collectors.joining(", "));
        String dictionary = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + extents
                + (shape.size() == 1 ? ",), }" : "), }");
        int prefix = MAGIC.length + 4;
        int padding = ALIGNMENT - (prefix + dictionary.length() + 1) % ALIGNMENT;
        byte[] text = (dictionary + " ".repeat(padding % ALIGNMENT) + "\n").getBytes(StandardCharsets.US_ASCII);
        byte[] head = Arrays.copyOf(MAGIC, prefix + text.length);
        head[MAGIC.length] = 1;
        head[MAGIC.length + 2] = (byte) text.length;
        head[MAGIC.length + 3] = (byte) (text.length >>> 8);
        System.arraycopy(text, 0, head, prefix, text.length);
        return head;
    }

    /**
     * Reads a header, leaving the stream at the first element.
     *
     * @param source the array's name in messages
     * @throws DataException if it is not an array, or in column-major (Fortran) order
     */
    public static NpyHeader read(InputStream in, String source) throws IOException {
        byte[] start = in.readNBytes(MAGIC.length + 2);
        if (start.length < MAGIC.length + 2 || !Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new DataException("Cannot read " + source + ": it is not an array in NumPy's format");
        }
        int lengthBytes = start[MAGIC.length] == 1 ? 2 : 4;
        byte[] lengthField = in.readNBytes(lengthBytes);
        long length = 0;
        for (int i = lengthField.length - 1; i >= 0; i--) {
            length = length << 8 | lengthField[i] & 0xff;
        }
        if (lengthField.length < lengthBytes || length > MAX_LENGTH) {
            throw new DataException("Cannot read " + source + ": its header claims " + length + " bytes");
        }
        String dictionary = new String(in.readNBytes((int) length), StandardCharsets.UTF_8);
        if (find(COLUMN_MAJOR, dictionary, source).equals("True")) {
            throw new DataException(
                    "Cannot read " + source + ": it is in column-major order; save it with numpy.ascontiguousarray");
        }
        try {
            List<Long> shape = Arrays.stream(
                            find(SHAPE, dictionary, source).replace("L", "").split(","))
                    .map(String::strip)
                    .filter(extent -> !extent.isEmpty())
                    .map(Long::valueOf)
                    .toList();
            return new NpyHeader(find(TYPE, dictionary, source), shape);
        } catch (NumberFormatException e) {
            throw new DataException("Cannot read " + source + ": its shape is not a list of numbers", e);
        }
    }

    private static String find(Pattern pattern, String dictionary, String source) {
        Matcher matcher = pattern.matcher(dictionary);
        if (!matcher.find()) {
            throw new DataException("Cannot read " + source + ": its header does not state type, order and shape");
        }
        return matcher.group(1);
    }
}
