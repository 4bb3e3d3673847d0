package io.github.rarspark.kernel.image;

import static io.github.rarspark.kernel.image.RgbImage.CHANNELS;

import java.util.ArrayList;
import java.util.List;

/** Converts between images and batches: bytes [N, H, W, 3] or floats [N, 3, H, W] in [0, 1]. */
public final class Pixels {
    private Pixels() {}

    /**
     * Images of one size as a batch: each byte divided by 255, row-major [N, 3, H, W].
     *
     * @throws IllegalArgumentException if there are none, or their sizes differ
     */
    public static float[] toFloats(List<RgbImage> images) {
        requireOneSize(images);
        int plane = images.get(0).width() * images.get(0).height();
        float[] floats = new float[Math.multiplyExact(images.size(), CHANNELS * plane)];
        int at = 0;
        for (RgbImage image : images) {
            byte[] bytes = image.pixels();
            for (int c = 0; c < CHANNELS; c++) {
                for (int i = 0; i < plane; i++) {
                    floats[at++] = (bytes[CHANNELS * i + c] & 0xff) / 255f;
                }
            }
        }
        return floats;
    }

    /**
     * Images of one size as a batch of bytes, row-major [N, H, W, 3].
     *
     * @throws IllegalArgumentException if there are none, or their sizes differ
     */
    public static byte[] toBytes(List<RgbImage> images) {
        requireOneSize(images);
        int length = images.get(0).pixels().length;
        byte[] bytes = new byte[Math.multiplyExact(images.size(), length)];
        for (int i = 0; i < images.size(); i++) {
            System.arraycopy(images.get(i).pixels(), 0, bytes, i * length, length);
        }
        return bytes;
    }

    private static void requireOneSize(List<RgbImage> images) {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("Cannot make a batch of 0 images");
        }
        int width = images.get(0).width();
        int height = images.get(0).height();
        for (RgbImage image : images) {
            if (image.width() != width || image.height() != height) {
                throw new IllegalArgumentException("Cannot add to a batch of " + width + " x " + height
                        + " pixels an image of " + image.width() + " x " + image.height());
            }
        }
    }

    /**
     * A batch as images: each value clamped to [0, 1], multiplied by 255 and truncated, as in the published code.
     *
     * @param floats row-major [N, 3, height, width]
     * @throws IllegalArgumentException if the length is not a multiple of an image's
     */
    public static List<RgbImage> toImages(float[] floats, int width, int height) {
        int plane = width * height;
        if (floats.length % (CHANNELS * plane) != 0) {
            throw new IllegalArgumentException(
                    "Cannot split " + floats.length + " values into images of " + width + " x " + height + " pixels");
        }
        List<RgbImage> images = new ArrayList<>();
        for (int start = 0; start < floats.length; start += CHANNELS * plane) {
            byte[] bytes = new byte[CHANNELS * plane];
            for (int c = 0; c < CHANNELS; c++) {
                for (int i = 0; i < plane; i++) {
                    float value = Math.max(0, Math.min(1, floats[start + c * plane + i]));
                    bytes[CHANNELS * i + c] = (byte) (int) (255 * value);
                }
            }
            images.add(new RgbImage(width, height, bytes));
        }
        return images;
    }
}
