package io.github.rarspark.kernel.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The {@code Orientation} tag of EXIF data: how the camera was held (EXIF 2.32, section 4.6.4). */
final class ExifOrientation {
    /** Rows are stored as they are displayed: top to bottom, left to right. */
    static final int UPRIGHT = 1;

    private static final int LAST = 8;
    private static final short LITTLE_ENDIAN = 0x4949;
    private static final int TAG = 0x0112;
    private static final int SHORT = 3;
    private static final int ENTRY_BYTES = 12;

    private ExifOrientation() {}

    /**
     * The orientation in EXIF data.
     *
     * @param exif the EXIF block of an image file, a TIFF file without a picture
     * @return 1 to 8; 1 if the data does not say or is malformed, because no pixel depends on it
     */
    static int of(ByteBuffer exif) {
        try {
            ByteBuffer in = exif.slice();
            in.order(in.getShort(0) == LITTLE_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            int directory = in.getInt(4);
            int entries = in.getShort(directory) & 0xffff;
            for (int i = 0; i < entries; i++) {
                int entry = directory + Short.BYTES + i * ENTRY_BYTES;
                if ((in.getShort(entry) & 0xffff) == TAG && in.getShort(entry + 2) == SHORT) {
                    int value = in.getShort(entry + 8);
                    return value >= UPRIGHT && value <= LAST ? value : UPRIGHT;
                }
            }
            return UPRIGHT;
        } catch (IndexOutOfBoundsException e) {
            return UPRIGHT;
        }
    }
}
