package io.github.rarspark.kernel.testing;

import static io.github.rarspark.kernel.testing.OddImages.bytes;
import static io.github.rarspark.kernel.testing.OddImages.flipped;
import static io.github.rarspark.kernel.testing.OddImages.from;
import static io.github.rarspark.kernel.testing.OddImages.hex;
import static io.github.rarspark.kernel.testing.OddImages.imageKind;
import static io.github.rarspark.kernel.testing.OddImages.insert;
import static io.github.rarspark.kernel.testing.OddImages.noise;
import static io.github.rarspark.kernel.testing.OddImages.text;
import static io.github.rarspark.kernel.testing.OddImages.with;

import io.github.rarspark.kernel.testing.OddImages.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Odd PNG files of 37 x 26 pixels, unless they claim something else. */
final class OddPngs {
    private static final int WIDTH = 37;
    private static final int HEIGHT = 26;
    private static final int GREY = 0;
    private static final int RGB = 2;
    private static final int PALETTE = 3;
    private static final int GREY_ALPHA = 4;
    private static final int RGBA = 6;
    private static final int[] CHANNELS = {1, 0, 3, 1, 2, 0, 4};
    private static final byte[] SIGNATURE = hex("89504e470d0a1a0a");
    private static final byte[] END = chunk("IEND", new byte[0]);
    /** First row and column, steps of rows and columns of the seven passes of an interlaced picture. */
    private static final int[][] PASSES = {
        {0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4}, {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}
    };

    private OddPngs() {}

    static List<Kind> all() {
        byte[] png = imageKind("rgba.png");
        byte[] rgb = plain(8, RGB);
        byte[] data = rows(8, RGB);
        byte[] entries = noise(3 * 256);
        return List.of(
                Kind.usable("PNG 1-bit", "37x26 384e9f8c54668a66", plain(1, GREY)),
                Kind.usable("PNG 2-bit", "37x26 6bb493488a08c2ec", plain(2, GREY)),
                Kind.usable("PNG 4-bit", "37x26 17442c90ef33f107", plain(4, GREY)),
                Kind.usable("PNG grey", "37x26 0c3ce5f1598057fa", plain(8, GREY)),
                Kind.usable("PNG 16-bit grey", "37x26 6645183f946a2fe9", plain(16, GREY)),
                Kind.usable("PNG grey with alpha", "37x26 137dd638da0908cc", plain(8, GREY_ALPHA)),
                Kind.usable("PNG 16-bit grey with alpha", "37x26 7dbdb90b5678cc6b", plain(16, GREY_ALPHA)),
                Kind.usable("PNG of all filters", "37x26 97ec3dfbb64bd780", rgb),
                Kind.usable("PNG 16-bit", "37x26 7eafcc57536a36c8", plain(16, RGB)),
                Kind.usable("PNG with alpha", "37x26 b3d7c1bf527bf67a", plain(8, RGBA)),
                Kind.usable("PNG 16-bit with alpha", "37x26 8ed67138d5b8774f", plain(16, RGBA)),
                Kind.usable("PNG 1-bit palette", "37x26 d442fb02b55b4fc1", plain(1, PALETTE, chunk("PLTE", noise(6)))),
                Kind.usable("PNG 2-bit palette", "37x26 94f2299b14a6fd8c", plain(2, PALETTE, chunk("PLTE", noise(12)))),
                Kind.usable("PNG 4-bit palette", "37x26 85cdf81632bbbecc", plain(4, PALETTE, chunk("PLTE", noise(48)))),
                Kind.usable("PNG palette", "37x26 319c855d6d93c2df", plain(8, PALETTE, chunk("PLTE", entries))),
                Kind.usable(
                        "PNG transparent palette",
                        "37x26 319c855d6d93c2df",
                        plain(8, PALETTE, chunk("PLTE", entries), chunk("tRNS", noise(200)))),
                Kind.usable(
                        "PNG 2-bit palette of 3 colours",
                        "37x26 4b9bc2d34c5d0b33",
                        plain(2, PALETTE, chunk("PLTE", noise(9)))),
                Kind.usable(
                        "PNG palette of 10 colours",
                        "37x26 4a0d5650da54e0fd",
                        plain(8, PALETTE, chunk("PLTE", noise(30)))),
                Kind.usable(
                        "PNG transparent colour",
                        "37x26 97ec3dfbb64bd780",
                        plain(8, RGB, chunk("tRNS", hex("000100020003")))),
                Kind.usable(
                        "PNG transparent grey", "37x26 6645183f946a2fe9", plain(16, GREY, chunk("tRNS", hex("0001")))),
                Kind.usable("PNG interlaced", "37x26 a71277937a790ae5", interlaced(8, RGB)),
                Kind.usable("PNG interlaced 1-bit", "37x26 ae4ce66df03b0e75", interlaced(1, GREY)),
                Kind.usable("PNG interlaced 16-bit with alpha", "37x26 21c45686fe23a4d2", interlaced(16, RGBA)),
                Kind.usable(
                        "PNG interlaced 4-bit palette",
                        "37x26 cf1125dc896cc0f6",
                        interlaced(4, PALETTE, chunk("PLTE", noise(48)))),
                Kind.usable("PNG suggested palette", "37x26 97ec3dfbb64bd780", plain(8, RGB, chunk("PLTE", noise(48)))),
                Kind.usable(
                        "PNG gamma and profile",
                        "37x26 97ec3dfbb64bd780",
                        plain(
                                8,
                                RGB,
                                chunk("gAMA", hex("000186a0")),
                                chunk("iCCP", bytes(text("x\0\0"), deflate(noise(500)))))),
                Kind.usable(
                        "PNG broken profile",
                        "37x26 97ec3dfbb64bd780",
                        plain(8, RGB, chunk("iCCP", text("no profile")))),
                Kind.usable("PNG broken EXIF", "37x26 97ec3dfbb64bd780", plain(8, RGB, chunk("eXIf", noise(50)))),
                Kind.usable(
                        "PNG long text",
                        "37x26 97ec3dfbb64bd780",
                        plain(8, RGB, chunk("tEXt", bytes(text("a\0"), noise(500_000))))),
                Kind.usable(
                        "PNG animated",
                        "37x26 97ec3dfbb64bd780",
                        bytes(
                                SIGNATURE,
                                header(WIDTH, HEIGHT, 8, RGB, 0),
                                chunk("acTL", hex("0000000200000000")),
                                chunk("fcTL", frame(0)),
                                chunk("IDAT", deflate(data)),
                                chunk("fcTL", frame(1)),
                                chunk("fdAT", bytes(hex("00000002"), deflate(new byte[data.length]))),
                                END)),
                Kind.usable("PNG in many pieces", "37x26 97ec3dfbb64bd780", inPieces(deflate(data))),
                Kind.usable("PNG garbage after its end", "37x26 97ec3dfbb64bd780", bytes(rgb, noise(1000))),
                Kind.usable("PNG too many rows", "37x26 97ec3dfbb64bd780", png(8, RGB, 0, bytes(data, data))),
                Kind.usable(
                        "PNG one pixel",
                        "1x1 039058c6f2c0cb49",
                        bytes(SIGNATURE, header(1, 1, 8, RGB, 0), data(hex("00010203")), END)),
                Kind.usable(
                        "PNG one row of 3000",
                        "3000x1 1631d7a5072e5527",
                        bytes(SIGNATURE, header(3000, 1, 8, GREY, 0), data(new byte[3001]), END)),
                Kind.bad("PNG signature", "it is truncated", SIGNATURE),
                Kind.bad("PNG cut in its header", "it is truncated", Arrays.copyOf(png, 20)),
                Kind.bad("PNG header", "it is truncated", Arrays.copyOf(png, 33)),
                Kind.bad("PNG half", "it is truncated", Arrays.copyOf(png, png.length / 2)),
                Kind.bad("PNG without its end", "it is truncated", Arrays.copyOf(png, png.length - 12)),
                Kind.bad("PNG half an end", "it is truncated", Arrays.copyOf(png, png.length - 1)),
                Kind.bad("PNG zeros in its second half", "checksum", zeroed(png)),
                Kind.bad("PNG endless chunk", "it is truncated", with(png, 33, 0x7f)),
                Kind.bad("PNG negative chunk", "it is truncated", with(png, 33, 0xff)),
                Kind.bad("PNG without header", "its first chunk is not IHDR", bytes(SIGNATURE, from(png, 33))),
                Kind.bad(
                        "PNG converted to text",
                        "it is neither PNG nor JPEG",
                        text(new String(png, StandardCharsets.ISO_8859_1).replace("\r\n", "\n"))),
                Kind.bad("PNG of a wrong header checksum", "checksum", flipped(png, 32)),
                Kind.usable("PNG of a wrong checksum of its data", "37x26 97ec3dfbb64bd780", flipped(rgb, -13)),
                Kind.bad("PNG flipped bit", "incorrect data check", flipped(rgb, 500)),
                Kind.bad(
                        "PNG without data",
                        "it has no picture data",
                        bytes(SIGNATURE, header(WIDTH, HEIGHT, 8, RGB, 0), END)),
                Kind.bad(
                        "PNG too few rows",
                        "its picture ends early",
                        png(8, RGB, 0, Arrays.copyOf(data, data.length / 2))),
                Kind.bad("PNG not deflated", "incorrect header check", raw(8, data)),
                Kind.bad("PNG wrong sum of its rows", "incorrect data check", raw(8, flipped(deflate(data), -1))),
                Kind.bad("PNG unknown filter", "Unknown row filter type", png(8, RGB, 0, with(data, 0, 5))),
                Kind.bad("PNG palette is missing", "its palette is missing", plain(8, PALETTE)),
                Kind.bad("PNG 3-bit", "there is no PNG of colour type 2 and 3 bits per sample", raw(3, deflate(data))),
                Kind.bad(
                        "PNG unknown colour type",
                        "there is no PNG of colour type 1",
                        ofHeader(header(WIDTH, HEIGHT, 8, 1, 0))),
                Kind.bad(
                        "PNG unknown interlacing",
                        "its interlacing is none of PNG's",
                        ofHeader(header(WIDTH, HEIGHT, 8, RGB, 2))),
                Kind.bad(
                        "PNG unknown compression",
                        "its compression is none of PNG's",
                        ofHeader(chunk("IHDR", hex("000000250000001a0802010000")))),
                Kind.bad("PNG without rows", "it claims 37 x 0 pixels", ofHeader(header(WIDTH, 0, 8, RGB, 0))),
                Kind.bad(
                        "PNG of 2^31 columns",
                        "it claims 2147483648 x 26 pixels",
                        ofHeader(header(1 << 31, HEIGHT, 8, RGB, 0))),
                Kind.bad("PNG claims 20000 x 20000", "exceed the limit", ofHeader(header(20_000, 20_000, 8, RGB, 0))),
                Kind.bad(
                        "PNG bomb of 20000 x 20000",
                        "exceed the limit",
                        bytes(SIGNATURE, header(20_000, 20_000, 1, GREY, 0), data(new byte[20_000 * 2501]), END)));
    }

    private static byte[] plain(int depth, int type, byte[]... chunks) {
        return png(depth, type, 0, rows(depth, type), chunks);
    }

    private static byte[] png(int depth, int type, int interlacing, byte[] rows, byte[]... chunks) {
        return bytes(SIGNATURE, header(WIDTH, HEIGHT, depth, type, interlacing), bytes(chunks), data(rows), END);
    }

    private static byte[] ofHeader(byte[] header) {
        return bytes(SIGNATURE, header, data(rows(8, RGB)), END);
    }

    /** An RGB picture of these compressed rows. */
    private static byte[] raw(int depth, byte[] compressed) {
        return bytes(SIGNATURE, header(WIDTH, HEIGHT, depth, RGB, 0), chunk("IDAT", compressed), END);
    }

    private static byte[] interlaced(int depth, int type, byte[]... chunks) {
        byte[][] passes = new byte[PASSES.length][];
        for (int i = 0; i < passes.length; i++) {
            int[] pass = PASSES[i];
            int height = (HEIGHT - pass[0] + pass[2] - 1) / pass[2];
            int width = (WIDTH - pass[1] + pass[3] - 1) / pass[3];
            passes[i] = rows(width, height, depth, type);
        }
        return png(depth, type, 1, bytes(passes), chunks);
    }

    private static byte[] rows(int depth, int type) {
        return rows(WIDTH, HEIGHT, depth, type);
    }

    /** Filtered rows, in turn by each of the five filters. */
    private static byte[] rows(int width, int height, int depth, int type) {
        int stride = 1 + (width * CHANNELS[type] * depth + 7) / 8;
        byte[] rows = noise(height * stride);
        for (int y = 0; y < height; y++) {
            rows[y * stride] = (byte) (y % 5);
        }
        return rows;
    }

    private static byte[] header(int width, int height, int depth, int type, int interlacing) {
        ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
        header.put((byte) depth).put((byte) type).putShort((short) 0).put((byte) interlacing);
        return chunk("IHDR", header.array());
    }

    private static byte[] frame(int number) {
        ByteBuffer frame = ByteBuffer.allocate(26).putInt(number).putInt(WIDTH).putInt(HEIGHT);
        return frame.putInt(0)
                .putInt(0)
                .putShort((short) 1)
                .putShort((short) 10)
                .array();
    }

    private static byte[] data(byte[] rows) {
        return chunk("IDAT", deflate(rows));
    }

    private static byte[] inPieces(byte[] compressed) {
        ByteArrayOutputStream pieces = new ByteArrayOutputStream();
        for (byte b : compressed) {
            pieces.writeBytes(chunk("IDAT", new byte[0]));
            pieces.writeBytes(chunk("IDAT", new byte[] {b}));
        }
        return bytes(SIGNATURE, header(WIDTH, HEIGHT, 8, RGB, 0), pieces.toByteArray(), END);
    }

    private static byte[] zeroed(byte[] png) {
        byte[] zeroed = png.clone();
        Arrays.fill(zeroed, png.length / 2, png.length, (byte) 0);
        return zeroed;
    }

    private static byte[] chunk(String type, byte[] content) {
        byte[] checked = bytes(text(type), content);
        CRC32 sum = new CRC32();
        sum.update(checked);
        return insert(
                ByteBuffer.allocate(8)
                        .putInt(content.length)
                        .putInt((int) sum.getValue())
                        .array(),
                4,
                checked);
    }

    private static byte[] deflate(byte[] content) {
        Deflater deflater = new Deflater();
        try {
            deflater.setInput(content);
            deflater.finish();
            byte[] compressed = new byte[content.length + 100];
            return Arrays.copyOf(compressed, deflater.deflate(compressed));
        } finally {
            deflater.end();
        }
    }
}
