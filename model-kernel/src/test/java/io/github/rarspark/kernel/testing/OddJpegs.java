package io.github.rarspark.kernel.testing;

import static io.github.rarspark.kernel.testing.OddImages.bytes;
import static io.github.rarspark.kernel.testing.OddImages.from;
import static io.github.rarspark.kernel.testing.OddImages.hex;
import static io.github.rarspark.kernel.testing.OddImages.imageKind;
import static io.github.rarspark.kernel.testing.OddImages.insert;
import static io.github.rarspark.kernel.testing.OddImages.noise;
import static io.github.rarspark.kernel.testing.OddImages.text;
import static io.github.rarspark.kernel.testing.OddImages.with;

import io.github.rarspark.kernel.testing.OddImages.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Odd JPEG files of 37 x 26 pixels, unless they claim something else. */
final class OddJpegs {
    private static final int QUANTIZATION = 0xdb;
    private static final int FRAME = 0xc0;
    private static final int HUFFMAN = 0xc4;
    private static final int SCAN = 0xda;
    private static final byte[] END = hex("ffd9");

    private OddJpegs() {}

    static List<Kind> all() {
        byte[] jpeg = imageKind("ycc-420.jpg");
        byte[] wide = imageKind("ycc-422.jpg");
        byte[] progressive = imageKind("ycc-progressive.jpg");
        byte[] restarts = imageKind("restarts.jpg");
        int frame = segment(jpeg, FRAME);
        byte[] withoutEnd = Arrays.copyOf(jpeg, jpeg.length - END.length);
        return List.of(
                Kind.usable("JPEG", "37x26 28658edbfdacd04a", jpeg),
                Kind.usable("JPEG grey", "37x26 05aafa5a2369d3a0", imageKind("gray.jpg")),
                Kind.usable("JPEG progressive", "37x26 28658edbfdacd04a", progressive),
                Kind.usable("JPEG RGB", "37x26 9b07bd0b96b15dce", imageKind("adobe-rgb.jpg")),
                Kind.usable("JPEG CMYK", "37x26 d64f97c80ba2cc93", imageKind("cmyk.jpg")),
                Kind.usable("JPEG CMYK without Adobe", "37x26 d64f97c80ba2cc93", imageKind("cmyk-without-adobe.jpg")),
                Kind.usable("JPEG YCCK", "37x26 509916e49b71353f", imageKind("ycck.jpg")),
                Kind.usable("JPEG restart markers", "37x26 79b658a01598d2d9", restarts),
                Kind.usable("JPEG 4-4-0", "37x26 6c216a88603148fb", with(wide, segment(wide, FRAME) + 11, 0x12)),
                Kind.usable("JPEG 4-1-1", "26x37 45b204b5183797a3", with(sized(jpeg, 26, 37), frame + 11, 0x41)),
                Kind.usable(
                        "JPEG chroma of a quarter of the rows", "37x26 88020e2d0b3ce9fd", with(jpeg, frame + 11, 0x14)),
                Kind.usable("JPEG extended", "37x26 28658edbfdacd04a", with(jpeg, frame + 1, 0xc1)),
                Kind.usable("JPEG one pixel", "1x1 955ce49f3f1cbc6f", sized(jpeg, 1, 1)),
                Kind.usable("JPEG one column", "1x26 1369e2afd27e8bf2", sized(jpeg, 1, 26)),
                Kind.usable("JPEG turned by EXIF", "37x26 28658edbfdacd04a", imageKind("exif-rotated.jpg")),
                Kind.usable(
                        "JPEG broken EXIF",
                        "37x26 28658edbfdacd04a",
                        app(jpeg, 0xe1, bytes(text("Exif\0\0"), noise(100)))),
                Kind.usable("JPEG EXIF of nothing", "37x26 28658edbfdacd04a", app(jpeg, 0xe1, text("Exif\0\0"))),
                Kind.usable(
                        "JPEG huge EXIF",
                        "37x26 28658edbfdacd04a",
                        app(
                                app(jpeg, 0xe1, noise(65_533)),
                                0xe1,
                                bytes(text("Exif\0\0MM\0*"), hex("00000008ffff"), noise(65_515)))),
                Kind.usable(
                        "JPEG thumbnail in EXIF",
                        "37x26 28658edbfdacd04a",
                        app(jpeg, 0xe1, bytes(text("Exif\0\0MM\0*"), hex("000000080000"), imageKind("gray.jpg")))),
                Kind.usable(
                        "JPEG broken profile",
                        "37x26 28658edbfdacd04a",
                        app(jpeg, 0xe2, bytes(text("ICC_PROFILE\0\1\1"), noise(300)))),
                Kind.usable(
                        "JPEG half a profile",
                        "37x26 28658edbfdacd04a",
                        app(jpeg, 0xe2, bytes(text("ICC_PROFILE\0\2\3"), noise(300)))),
                Kind.usable("JPEG empty profile", "37x26 28658edbfdacd04a", app(jpeg, 0xe2, text("ICC_PROFILE\0"))),
                Kind.usable("JPEG broken Adobe marker", "37x26 28658edbfdacd04a", app(jpeg, 0xee, text("Adobe"))),
                Kind.usable(
                        "JPEG unknown Adobe transform",
                        "37x26 28658edbfdacd04a",
                        app(jpeg, 0xee, bytes(text("Adobe"), noise(6), hex("07")))),
                Kind.usable(
                        "JPEG two JFIF markers",
                        "37x26 28658edbfdacd04a",
                        app(jpeg, 0xe0, text("JFIF\0\1\1\0\0\1\0\1\0\0"))),
                Kind.usable("JPEG comment", "37x26 28658edbfdacd04a", app(jpeg, 0xfe, noise(1000))),
                Kind.usable("JPEG fill bytes", "37x26 28658edbfdacd04a", insert(jpeg, frame, hex("ffffffffff"))),
                Kind.usable(
                        "JPEG garbage between segments",
                        "37x26 28658edbfdacd04a",
                        insert(jpeg, frame, text("garbage"))),
                Kind.usable("JPEG garbage after its end", "37x26 28658edbfdacd04a", bytes(jpeg, noise(1000))),
                Kind.usable("JPEG two pictures", "37x26 28658edbfdacd04a", bytes(jpeg, imageKind("gray.jpg"))),
                Kind.usable("JPEG zeros after its end", "37x26 28658edbfdacd04a", bytes(jpeg, new byte[5000])),
                Kind.usable("JPEG wrong data", "37x26", with(jpeg, -150, 0x55)),
                Kind.usable("JPEG wrong data between restarts", "37x26 224c15c0eb4911c9", with(restarts, -150, 0x55)),
                Kind.usable("JPEG lost restart marker", "37x26 b514551b85898e80", lostRestart(restarts)),
                Kind.usable(
                        "JPEG progressive ends early",
                        "37x26",
                        bytes(Arrays.copyOf(progressive, progressive.length - 300), END)),
                Kind.usable("JPEG progressive of its first scan", "37x26", firstScan(progressive)),
                Kind.usable(
                        "JPEG ends early",
                        "37x26 e34c86449bcaaccd",
                        bytes(Arrays.copyOf(jpeg, jpeg.length - 200), END)),
                Kind.usable("JPEG claims more rows", "37x500 b35267a93f1be59a", sized(jpeg, 37, 500)),
                Kind.usable("JPEG claims fewer rows", "37x9 da4f44ff19f6c7df", sized(jpeg, 37, 9)),
                Kind.usable("JPEG without Huffman tables", "37x26 28658edbfdacd04a", withoutSegments(jpeg, HUFFMAN)),
                Kind.bad("JPEG start", "it is truncated", Arrays.copyOf(jpeg, 3)),
                Kind.bad("JPEG cut in a segment", "it is truncated", Arrays.copyOf(jpeg, frame + 5)),
                Kind.bad(
                        "JPEG cut behind its header", "it is truncated", Arrays.copyOf(jpeg, segment(jpeg, SCAN) + 14)),
                Kind.bad("JPEG half", "it is truncated", Arrays.copyOf(jpeg, jpeg.length - 120)),
                Kind.bad("JPEG without its end", "it is truncated", withoutEnd),
                Kind.bad("JPEG half an end", "it is truncated", Arrays.copyOf(jpeg, jpeg.length - 1)),
                Kind.bad(
                        "JPEG zeros in its second half",
                        "it is truncated",
                        bytes(Arrays.copyOf(jpeg, jpeg.length - 120), new byte[120])),
                Kind.bad(
                        "JPEG progressive half", "it is truncated", Arrays.copyOf(progressive, progressive.length / 2)),
                Kind.bad(
                        "JPEG converted to text",
                        "it is neither PNG nor JPEG",
                        text(new String(jpeg, StandardCharsets.US_ASCII))),
                Kind.bad("JPEG without frame", "no frame before its first scan", withoutSegments(jpeg, FRAME)),
                Kind.bad("JPEG bomb of scans", "it has 101 scans, more than the limit of 100", manyScans(progressive)),
                Kind.bad("JPEG short frame", "its frame is too short for 3 components", with(jpeg, frame + 3, 15)),
                Kind.bad(
                        "JPEG two frames",
                        "two SOF markers",
                        insert(jpeg, frame, Arrays.copyOfRange(jpeg, frame, frame + 19))),
                Kind.bad(
                        "JPEG without quantization tables",
                        "Quantization table 0x00 was not defined",
                        withoutSegments(jpeg, QUANTIZATION)),
                Kind.bad(
                        "JPEG wrong Huffman table",
                        "Bogus Huffman table definition",
                        with(jpeg, segment(jpeg, HUFFMAN) + 5, 0xff)),
                Kind.bad(
                        "JPEG unknown Huffman table",
                        "Bogus DHT index 15",
                        with(jpeg, segment(jpeg, HUFFMAN) + 4, 0x0f)),
                Kind.bad(
                        "JPEG unknown quantization table",
                        "Bogus DQT index 15",
                        with(jpeg, segment(jpeg, QUANTIZATION) + 4, 0x0f)),
                Kind.bad(
                        "JPEG scan of an unknown component",
                        "Invalid component ID 9 in SOS",
                        with(jpeg, segment(jpeg, SCAN) + 5, 9)),
                Kind.bad(
                        "JPEG chroma of two thirds of the columns",
                        "Fractional sampling",
                        with(with(jpeg, frame + 11, 0x31), frame + 14, 0x21)),
                Kind.bad("JPEG sampling of nothing", "Bogus sampling factors", with(jpeg, frame + 11, 0)),
                Kind.bad("JPEG 12-bit", "it has 12 bits per sample", with(jpeg, frame + 4, 12)),
                Kind.bad("JPEG two components", "it has 2 components", with(jpeg, frame + 9, 2)),
                Kind.bad("JPEG arithmetic", "it has arithmetic coding", with(jpeg, frame + 1, 0xc9)),
                Kind.bad(
                        "JPEG arithmetic progressive",
                        "it has arithmetic coding",
                        with(progressive, segment(progressive, 0xc2) + 1, 0xca)),
                Kind.bad("JPEG lossless", "it has lossless coding", with(jpeg, frame + 1, 0xc3)),
                Kind.bad("JPEG hierarchical", "it has hierarchical coding", with(jpeg, frame + 1, 0xc5)),
                Kind.bad("JPEG without columns", "it claims 0 x 26 pixels", sized(jpeg, 0, 26)),
                Kind.bad("JPEG without rows", "it claims 37 x 0 pixels", sized(jpeg, 37, 0)),
                Kind.bad("JPEG claims 20000 x 20000", "exceed the limit", sized(jpeg, 20_000, 20_000)),
                Kind.bad("JPEG tables only", "it is truncated", bytes(Arrays.copyOf(jpeg, frame), END)));
    }

    /** Where the first segment of a marker begins. */
    private static int segment(byte[] jpeg, int marker) {
        int at = 2;
        while ((jpeg[at + 1] & 0xff) != marker) {
            at += 2 + length(jpeg, at);
        }
        return at;
    }

    private static int length(byte[] jpeg, int segment) {
        return ByteBuffer.wrap(jpeg).getShort(segment + 2) & 0xffff;
    }

    private static byte[] withoutSegments(byte[] jpeg, int marker) {
        byte[] rest = jpeg;
        int at = 2;
        while ((rest[at + 1] & 0xff) != SCAN) {
            int end = at + 2 + length(rest, at);
            if ((rest[at + 1] & 0xff) == marker) {
                rest = bytes(Arrays.copyOf(rest, at), from(rest, end));
            } else {
                at = end;
            }
        }
        return rest;
    }

    /** The file with another segment behind its first one. */
    private static byte[] app(byte[] jpeg, int marker, byte[] content) {
        ByteBuffer head = ByteBuffer.allocate(4).putShort((short) (0xff00 | marker));
        head.putShort((short) (2 + content.length));
        return insert(jpeg, 4 + length(jpeg, 2), bytes(head.array(), content));
    }

    private static byte[] sized(byte[] jpeg, int width, int height) {
        byte[] sized = jpeg.clone();
        ByteBuffer.wrap(sized)
                .putShort(segment(jpeg, FRAME) + 5, (short) height)
                .putShort(segment(jpeg, FRAME) + 7, (short) width);
        return sized;
    }

    /** A progressive file that ends behind its first scan. */
    private static byte[] firstScan(byte[] jpeg) {
        int at = segment(jpeg, SCAN) + 2;
        while ((jpeg[at] & 0xff) != 0xff || (jpeg[at + 1] & 0xff) == 0) {
            at++;
        }
        return bytes(Arrays.copyOf(jpeg, at), END);
    }

    /** A file whose first scan is repeated. */
    private static byte[] manyScans(byte[] jpeg) {
        byte[] first = firstScan(jpeg);
        byte[] scan = Arrays.copyOfRange(first, segment(jpeg, SCAN), first.length - END.length);
        byte[] all = Arrays.copyOf(first, first.length - END.length + 100 * scan.length);
        for (int i = 1; i <= 100; i++) {
            System.arraycopy(scan, 0, all, all.length - i * scan.length, scan.length);
        }
        return bytes(all, END);
    }

    /** The file without its second restart marker. */
    private static byte[] lostRestart(byte[] jpeg) {
        int at = segment(jpeg, SCAN);
        while ((jpeg[at] & 0xff) != 0xff || (jpeg[at + 1] & 0xff) != 0xd1) {
            at++;
        }
        return bytes(Arrays.copyOf(jpeg, at), from(jpeg, at + 2));
    }
}
