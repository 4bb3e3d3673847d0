package io.github.rarspark.kernel.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.testing.OddImages;
import io.github.rarspark.kernel.testing.OddImages.Kind;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ImageDecoderTest {
    private static final String EXPECTED = ".expected.png";

    static Stream<String> kinds() throws Exception {
        try (Stream<Path> files = Files.list(folder())) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(EXPECTED))
                    .map(file -> file.substring(0, file.length() - EXPECTED.length()))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyKindIsDecodedAsPillowDoes(String file) throws Exception {
        RgbImage image = decode(bytes(file));
        RgbImage expected = decode(bytes(file + EXPECTED));
        assertThat(image.width()).isEqualTo(37);
        assertThat(image.height()).isEqualTo(26);
        assertThat(image.pixels()).isEqualTo(expected.pixels());
    }

    @Test
    void theOrientationOfExifDataIsToldButNotApplied() throws Exception {
        byte[] jpeg = bytes("ycc-420.jpg");
        byte[] png = bytes("rgba.png");
        for (int orientation = 1; orientation <= 8; orientation++) {
            for (ByteOrder order : List.of(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)) {
                byte[] exif = exif(order, 0x0112, 3, orientation);
                byte[] rotated = jpegWithExif(jpeg, exif);
                assertThat(ImageDecoder.orientation(rotated)).isEqualTo(orientation);
                assertThat(decode(rotated).pixels()).isEqualTo(decode(jpeg).pixels());
                rotated = pngWithExif(png, exif);
                assertThat(ImageDecoder.orientation(rotated)).isEqualTo(orientation);
                assertThat(decode(rotated).pixels()).isEqualTo(decode(png).pixels());
            }
        }
    }

    @Test
    void exifDataWithoutAnOrientationIsUpright() throws Exception {
        byte[] jpeg = bytes("ycc-420.jpg");
        byte[] exif = exif(ByteOrder.BIG_ENDIAN, 0x0112, 3, 6);
        for (int length = 0; length < exif.length - 6; length++) {
            assertThat(ImageDecoder.orientation(jpegWithExif(jpeg, Arrays.copyOf(exif, length))))
                    .as("EXIF data of %d bytes", length)
                    .isEqualTo(1);
        }
        List<byte[]> others = List.of(
                exif(ByteOrder.BIG_ENDIAN, 0x0110, 3, 6),
                exif(ByteOrder.BIG_ENDIAN, 0x0112, 4, 6),
                exif(ByteOrder.BIG_ENDIAN, 0x0112, 3, 9),
                exif(ByteOrder.BIG_ENDIAN, 0x0112, 3, 0),
                with(exif, 4, 0x80),
                with(exif, 7, 200));
        for (byte[] other : others) {
            assertThat(ImageDecoder.orientation(jpegWithExif(jpeg, other))).isEqualTo(1);
        }
        assertThat(ImageDecoder.orientation(jpeg)).isEqualTo(1);
        assertThat(ImageDecoder.orientation(bytes("rgba.png"))).isEqualTo(1);
        assertThat(ImageDecoder.orientation(new byte[5])).isEqualTo(1);
        assertThat(ImageDecoder.orientation(Arrays.copyOf(jpeg, 10))).isEqualTo(1);
    }

    /** A TIFF header and one directory with two entries. */
    private static byte[] exif(ByteOrder order, int tag, int type, int value) {
        ByteBuffer out = ByteBuffer.allocate(8 + 2 + 2 * 12 + 4).order(order);
        out.put(order == ByteOrder.BIG_ENDIAN ? new byte[] {'M', 'M'} : new byte[] {'I', 'I'});
        out.putShort((short) 42).putInt(8).putShort((short) 2);
        out.putShort((short) 0x010e).putShort((short) 2).putInt(4).putInt(0x41414100);
        out.putShort((short) tag).putShort((short) type).putInt(1).putShort((short) value);
        return out.array();
    }

    private static byte[] jpegWithExif(byte[] jpeg, byte[] exif) {
        ByteBuffer out = ByteBuffer.allocate(jpeg.length + 10 + exif.length);
        out.put(jpeg, 0, 2).putShort((short) 0xffe1).putShort((short) (8 + exif.length));
        out.put("Exif\0\0".getBytes(StandardCharsets.US_ASCII)).put(exif);
        return out.put(jpeg, 2, jpeg.length - 2).array();
    }

    private static byte[] pngWithExif(byte[] png, byte[] exif) {
        int header = 33;
        CRC32 crc = new CRC32();
        ByteBuffer out = ByteBuffer.allocate(png.length + 12 + exif.length);
        out.put(png, 0, header).putInt(exif.length);
        out.put("eXIf".getBytes(StandardCharsets.US_ASCII)).put(exif);
        crc.update(out.array(), header + 4, 4 + exif.length);
        return out.putInt((int) crc.getValue())
                .put(png, header, png.length - header)
                .array();
    }

    static List<Kind> oddImages() {
        return OddImages.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("oddImages")
    void oddFilesAreDecodedAsPillowDoesOrSayWhyNot(Kind kind) throws Exception {
        ImageDecoder decoder = new ImageDecoder();
        if (kind.isUsable()) {
            RgbImage image = decoder.decode(kind.file(), "a/b.JPEG");
            String sha256 = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(image.pixels()));
            assertThat(image.width() + "x" + image.height() + " " + sha256).startsWith(kind.pixels());
        } else {
            assertThatThrownBy(() -> decoder.decode(kind.file(), "a/b.JPEG"))
                    .isInstanceOf(DataException.class)
                    .hasMessageStartingWith("Cannot decode a/b.JPEG: ")
                    .hasMessageContaining(kind.reason());
        }
    }

    @Test
    void oddKindsHaveNamesOfTheirOwn() {
        assertThat(OddImages.all())
                .extracting(Kind::name)
                .doesNotHaveDuplicates()
                .hasSizeGreaterThan(140);
    }

    @Test
    void pixelLimitIsASetting() throws Exception {
        assertThat(new ImageDecoder(37 * 26)
                        .decode(bytes("palette-200.png"), "x")
                        .width())
                .isEqualTo(37);
        assertThatThrownBy(() -> new ImageDecoder(37 * 26 - 1).decode(bytes("ycc-420.jpg"), "x"))
                .hasMessage("Cannot decode x: 37 x 26 pixels exceed the limit of 961");
        // A pixel may take three bytes in memory, as one of the limit's RGB pixels; this one takes four.
        assertThatThrownBy(() -> new ImageDecoder(37 * 26).decode(bytes("rgba.png"), "x"))
                .hasMessage("Cannot decode x: 37 x 26 pixels of 4 bytes exceed the limit of 2886 bytes");
    }

    @Test
    void encodedImagesDecodeToTheSamePixels() throws Exception {
        RgbImage image = decode(bytes("ycc-420.jpg"));
        assertThat(decode(PngEncoder.encode(image)).pixels()).isEqualTo(image.pixels());
        assertThat(PngEncoder.encode(image)).isEqualTo(PngEncoder.encode(image));
        RgbImage gray = decode(PngEncoder.encodeGray(2, 1, new byte[] {3, -3}));
        assertThat(gray.pixels()).containsExactly(3, 3, 3, -3, -3, -3);
    }

    private static RgbImage decode(byte[] file) {
        return new ImageDecoder().decode(file, "test image");
    }

    private static byte[] with(byte[] file, int at, int value) {
        byte[] changed = file.clone();
        changed[at] = (byte) value;
        return changed;
    }

    private static byte[] bytes(String file) throws IOException, URISyntaxException {
        return Files.readAllBytes(folder().resolve(file));
    }

    private static Path folder() throws URISyntaxException {
        return Path.of(ImageDecoderTest.class.getResource("/image-kinds").toURI());
    }
}
