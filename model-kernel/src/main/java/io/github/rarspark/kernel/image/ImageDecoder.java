package io.github.rarspark.kernel.image;

import static io.github.rarspark.kernel.image.RgbImage.CHANNELS;

import io.github.rarspark.kernel.error.DataException;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.IntStream;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes PNG and JPEG files to the bytes that Pillow's {@code convert("RGB")} gives: grey is repeated, palettes are
 * looked up, transparency is dropped, CMYK is converted without a profile. Color profiles, gamma and EXIF orientation
 * are ignored, also if they are malformed. The format is detected from the content, not from the name. 16-bit PNG
 * samples are reduced as in Pillow: to their upper byte or, for grey without alpha, clipped to 255, which turns most such
 * images almost white. JPEG files with more than 8 bits per sample, arithmetic coding or more than 100 scans are rejected. A JPEG that is
 * damaged but not truncated is patched up, as in Pillow, by libjpeg, whose versions differ in this.
 *
 * <p>The JDK's decoders are used for the stored samples only: their colour space conversions differ from libjpeg's.
 *
 * @param pixelLimit the maximum number of pixels of an image, if these have up to three bytes, so that a small file
 *     cannot exhaust the memory; decoding takes up to six bytes per pixel of the limit
 */
public record ImageDecoder(long pixelLimit) {
    private static final String JDK_READERS = "com.sun.imageio.plugins.";

    /** Creates a decoder with a limit of 100 megapixels, far above photographs in data sets: 300 MB decoded. */
    public ImageDecoder() {
        this(100_000_000);
    }

    /**
     * Decodes a file.
     *
     * @param file the whole file's bytes
     * @param name what messages call it
     * @throws DataException if it is neither PNG nor JPEG, malformed, too large, or a JPEG of more than 8 bits per sample
     */
    public RgbImage decode(byte[] file, String name) {
        try {
            if (PngStructure.matches(file)) {
                PngStructure png = PngStructure.parse(file);
                check(png.width(), png.height(), png.bytesPerPixel());
                return decodePng(file, png);
            }
            if (JpegStructure.matches(file)) {
                JpegStructure jpeg = JpegStructure.parse(file);
                check(jpeg.width(), jpeg.height(), jpeg.colors().samples());
                if (jpeg.precision() != 8) {
                    throw new MalformedImageException(
                            "it has " + jpeg.precision() + " bits per sample; convert it to 8");
                }
                return decodeJpeg(jpeg);
            }
            throw new MalformedImageException(FileFormat.complaint(file));
        } catch (IOException | RuntimeException e) {
            // The JDK's decoders throw all kinds of exceptions on malformed data.
            throw new DataException("Cannot decode " + name + ": " + e.getMessage(), e);
        }
    }

    /**
     * The EXIF orientation of a file, which {@link #decode} ignores.
     *
     * @param file the whole file's bytes
     * @return 1 (upright) to 8; 1 if the file has none or cannot be decoded
     */
    public static int orientation(byte[] file) {
        try {
            if (PngStructure.matches(file)) {
                return PngStructure.parse(file).orientation();
            }
            return JpegStructure.matches(file) ? JpegStructure.parse(file).orientation() : ExifOrientation.UPRIGHT;
        } catch (MalformedImageException e) {
            return ExifOrientation.UPRIGHT;
        }
    }

    /**
     * The number of pixels that a file claims to have, from its header alone.
     *
     * @param file the whole file's bytes
     * @return 0 if it cannot be decoded
     */
    public static long pixels(byte[] file) {
        try {
            if (PngStructure.matches(file)) {
                PngStructure png = PngStructure.parse(file);
                return png.width() * png.height();
            }
            if (JpegStructure.matches(file)) {
                JpegStructure jpeg = JpegStructure.parse(file);
                return (long) jpeg.width() * jpeg.height();
            }
            return 0;
        } catch (MalformedImageException | RuntimeException e) {
            return 0; // which decode explains
        }
    }

    private void check(long width, long height, int bytesPerPixel) throws MalformedImageException {
        if (width == 0 || height == 0) {
            throw new MalformedImageException("it claims " + width + " x " + height + " pixels");
        }
        // Neither side exceeds 2^32, so that the quotient is compared rather than a product that may overflow.
        if (width > pixelLimit / height) {
            throw new MalformedImageException(width + " x " + height + " pixels exceed the limit of " + pixelLimit);
        }
        if (width * height * bytesPerPixel > CHANNELS * pixelLimit) {
            throw new MalformedImageException(width + " x " + height + " pixels of " + bytesPerPixel
                    + " bytes exceed the limit of " + CHANNELS * pixelLimit + " bytes");
        }
    }

    private static RgbImage decodePng(byte[] file, PngStructure png) throws IOException {
        BufferedImage image = read("png", file, reader -> reader.read(0));
        Raster raster = image.getRaster();
        if (raster.getNumBands() == CHANNELS && png.bitDepth() == Byte.SIZE) {
            return new RgbImage(image.getWidth(), image.getHeight(), samples(raster));
        }
        byte[] pixels = new byte[Math.multiplyExact(CHANNELS * image.getWidth(), image.getHeight())];
        byte[][] palette = image.getColorModel() instanceof IndexColorModel colors ? palette(colors) : null;
        int bands = raster.getNumBands();
        int[] row = new int[bands * image.getWidth()];
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            raster.getPixels(0, y, image.getWidth(), 1, row);
            for (int x = 0; x < row.length; x += bands) {
                for (int c = 0; c < CHANNELS; c++) {
                    // One band is grey or a palette index, two are grey and alpha; the fourth of four is alpha.
                    int sample = row[bands < CHANNELS ? x : x + c];
                    pixels[at++] = palette == null ? (byte) png.toByte(sample) : palette[c][sample];
                }
            }
        }
        return new RgbImage(image.getWidth(), image.getHeight(), pixels);
    }

    private static byte[][] palette(IndexColorModel colors) {
        byte[][] palette = new byte[CHANNELS][256];
        colors.getReds(palette[0]);
        colors.getGreens(palette[1]);
        colors.getBlues(palette[2]);
        return palette;
    }

    private static RgbImage decodeJpeg(JpegStructure jpeg) throws IOException {
        Raster raster = read("jpeg", jpeg.withoutMetadata(), reader -> reader.readRaster(0, null));
        int width = raster.getWidth();
        int height = raster.getHeight();
        int bands = jpeg.colors().samples();
        if (raster.getNumBands() != bands) {
            throw new MalformedImageException("its frames differ");
        }
        byte[] samples = samples(raster);
        ChromaRows.smooth(samples, width, jpeg.rowDoubled());
        byte[] pixels = bands == CHANNELS ? samples : new byte[Math.multiplyExact(CHANNELS * width, height)];
        JpegColors.toRgb(jpeg.colors(), samples, pixels);
        return new RgbImage(width, height, pixels);
    }

    /** The samples of each pixel in turn; the raster's own array if it has this layout, because large ones fill a heap. */
    private static byte[] samples(Raster raster) {
        int bands = raster.getNumBands();
        if (raster.getSampleModel() instanceof PixelInterleavedSampleModel layout
                && raster.getDataBuffer() instanceof DataBufferByte data
                && layout.getPixelStride() == bands
                && layout.getScanlineStride() == bands * raster.getWidth()
                && Arrays.equals(
                        layout.getBandOffsets(), IntStream.range(0, bands).toArray())
                && data.getData().length == bands * raster.getWidth() * raster.getHeight()) {
            return data.getData();
        }
        return (byte[]) raster.getDataElements(0, 0, raster.getWidth(), raster.getHeight(), null);
    }

    private interface Read<T> {
        T from(ImageReader reader) throws IOException;
    }

    private static <T> T read(String format, byte[] file, Read<T> read) throws IOException {
        ImageReader reader = reader(format);
        Truncation truncation = new Truncation();
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            reader.addIIOReadWarningListener(truncation);
            reader.setInput(in, true, true);
            T image = read.from(reader);
            truncation.check();
            return image;
        } catch (IIOException e) {
            truncation.check();
            if (e.getCause() instanceof EOFException) {
                throw new MalformedImageException("its picture ends early", e);
            }
            // Of a PNG, the message only tells what was being read.
            throw e.getCause() == null
                    ? e
                    : new MalformedImageException(
                            e.getMessage() + ": " + e.getCause().getMessage(), e);
        } finally {
            reader.dispose();
        }
    }

    private static ImageReader reader(String format) throws IOException {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getName().startsWith(JDK_READERS)) {
                return reader;
            }
            reader.dispose();
        }
        throw new IOException("this JDK has no " + format + " decoder; module java.desktop is needed");
    }

    /**
     * Listens for the warning that a JPEG is truncated; the missing part of its picture is grey. Pillow rejects such
     * files, but reads those that have an end marker and are corrupt before it.
     */
    private static final class Truncation implements IIOReadWarningListener {
        private boolean found;

        @Override
        public void warningOccurred(ImageReader source, String warning) {
            found |= warning.contains("Missing EOI");
        }

        void check() throws MalformedImageException {
            if (found) {
                throw new MalformedImageException("it is truncated");
            }
        }
    }
}
