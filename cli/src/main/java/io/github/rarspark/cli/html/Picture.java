package io.github.rarspark.cli.html;

import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.Resampler;
import io.github.rarspark.kernel.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import javax.imageio.ImageIO;

/** Makes pictures part of a page. */
final class Picture {
    /** A grid of 256 pixel images has ten megabytes, and a page may show many. */
    private static final int LARGEST_BYTES = 1 << 19;

    private static final int LARGEST_SIDE = 1000;

    private Picture() {}

    /** The data URI of a PNG file; of a large one, that of a smaller JPEG file. */
    static String uri(byte[] png) throws IOException {
        return png.length <= LARGEST_BYTES ? uri("png", png) : uri("jpeg", smallJpeg(png));
    }

    private static String uri(String type, byte[] file) {
        return "data:image/" + type + ";base64," + Base64.getEncoder().encodeToString(file);
    }

    private static byte[] smallJpeg(byte[] png) throws IOException {
        RgbImage large = new ImageDecoder().decode(png, "a picture of the page");
        double scale = Math.min(1.0, (double) LARGEST_SIDE / Math.max(large.width(), large.height()));
        RgbImage small = Resampler.resize(
                large,
                (int) Math.max(1, Math.round(scale * large.width())),
                (int) Math.max(1, Math.round(scale * large.height())),
                Resampler.Filter.BICUBIC);
        BufferedImage pixels = new BufferedImage(small.width(), small.height(), BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < small.width() * small.height(); i++) {
            int at = RgbImage.CHANNELS * i;
            int rgb = (small.pixels()[at] & 0xff) << 16
                    | (small.pixels()[at + 1] & 0xff) << 8
                    | small.pixels()[at + 2] & 0xff;
            pixels.setRGB(i % small.width(), i / small.width(), rgb);
        }
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        if (!ImageIO.write(pixels, "jpeg", jpeg)) {
            throw new IOException("Cannot write a JPEG file: the JDK has no encoder for it");
        }
        return jpeg.toByteArray();
    }
}
