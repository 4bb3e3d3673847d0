package io.github.rarspark.kernel.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Encodes PNG files in memory. The same image gives the same bytes on the same JDK version. */
public final class PngEncoder {
    private PngEncoder() {}

    /** Encodes a colour image. */
    public static byte[] encode(RgbImage image) {
        return encode(view(image));
    }

    /**
     * Encodes a grey image.
     *
     * @param pixels {@code height x width} bytes, unsigned, 0 for black
     */
    public static byte[] encodeGray(int width, int height, byte[] pixels) {
        return encode(view(width, height, 1, ColorSpace.CS_GRAY, pixels));
    }

    /** The image for Java's own classes, with the same pixels. */
    static BufferedImage view(RgbImage image) {
        return view(image.width(), image.height(), RgbImage.CHANNELS, ColorSpace.CS_sRGB, image.pixels());
    }

    private static BufferedImage view(int width, int height, int channels, int colorSpace, byte[] pixels) {
        int[] offsets = new int[channels];
        for (int c = 0; c < channels; c++) {
            offsets[c] = c;
        }
        WritableRaster raster = Raster.createInterleavedRaster(
                new DataBufferByte(pixels, pixels.length), width, height, channels * width, channels, offsets, null);
        ComponentColorModel colors = new ComponentColorModel(
                ColorSpace.getInstance(colorSpace), false, false, ComponentColorModel.OPAQUE, DataBuffer.TYPE_BYTE);
        return new BufferedImage(colors, raster, false, null);
    }

    private static byte[] encode(BufferedImage image) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        // In memory: by default, ImageIO would use a cache file in the temporary folder.
        try (ImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(image);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
