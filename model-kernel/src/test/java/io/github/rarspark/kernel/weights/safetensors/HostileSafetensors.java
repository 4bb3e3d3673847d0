package io.github.rarspark.kernel.weights.safetensors;

import io.github.rarspark.kernel.weights.HostileFile;
import io.github.rarspark.kernel.weights.format.WeightFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Safetensors files that break the format, and the check that refuses each. */
public final class HostileSafetensors {
    private HostileSafetensors() {}

    /** All of them. */
    public static List<HostileFile> all() {
        return List.of(
                crowded(),
                oversized(),
                broken("empty", new byte[0], "it has only 0 bytes"),
                broken("seven bytes", new byte[7], "it has only 7 bytes"),
                broken("no header", prefix(0), "claims 0 bytes, outside 2 to"),
                broken("negative length", prefix(-1), "claims 18446744073709551615 bytes, outside 2 to 16777216"),
                broken("huge length", prefix(16_777_217), "claims 16777217 bytes, outside"),
                broken("length past the end", prefix(9_999_999), "claims 9999999 bytes, but only 0 follow"),
                broken("not json", file("{oops}", 0), "is not valid json"),
                broken("not an object", file("[]", 0), "does not start with '{'"),
                broken("padding in front", file(" {}", 0), "does not start with '{'"),
                broken("cut json", file("{\"a\":{\"dtype\":\"F32\"", 0), "is not valid json"),
                broken("text behind json", file("{} {}", 0), "continues after the closing brace"),
                broken("zeros behind json", file("{}\0\0", 0), "is not valid json"),
                broken("not UTF-8", file("{\"\u00e9\":1}", 0, StandardCharsets.ISO_8859_1), "is not UTF-8"),
                broken("deep json", file("{\"a\":{\"x\":" + "[".repeat(5000), 0), "unknown field 'x'"),
                broken(
                        "tensor twice",
                        file("{" + tensor("a", "U8", "[1]", 0, 1) + "," + tensor("a", "U8", "[1]", 1, 2) + "}", 2),
                        "Duplicate field 'a'"),
                broken(
                        "field twice",
                        file("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0),
                        "Duplicate field 'dtype'"),
                broken(
                        "metadata twice",
                        file("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
                        "Duplicate field '__metadata__'"),
                broken(
                        "metadata of numbers",
                        file("{\"__metadata__\":{\"a\":1}}", 0),
                        "__metadata__ value 'a' is not a string"),
                broken("metadata no object", file("{\"__metadata__\":\"a\"}", 0), "__metadata__ is not an object"),
                broken("tensor no object", file("{\"a\":3}", 0), "tensor 'a' is not an object"),
                broken("unknown field", file("{\"a\":{\"colour\":3}}", 0), "unknown field 'colour'"),
                broken("no dtype", file("{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", 4), "has no dtype"),
                broken("no shape", file("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4), "has no shape"),
                broken("no offsets", file("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4), "has no data_offsets"),
                broken("unknown dtype", one("F8_E4M3", "[4]", 0, 4), "dtype 'F8_E4M3'; known are [F64, F32,"),
                broken("dtype in lower case", one("f32", "[1]", 0, 4), "dtype 'f32'; known are"),
                broken("numeric dtype", file("{\"a\":{\"dtype\":1}}", 4), "a dtype that is not a string"),
                broken("shape no array", one("U8", "4", 0, 4), "shape is not an array"),
                broken("negative shape", one("U8", "[-4]", 0, 4), "shape holds '-4', which is not a size"),
                broken("fractional shape", one("U8", "[4.0]", 0, 4), "shape holds '4.0', which is not a size"),
                broken("nested shape", one("U8", "[[4]]", 0, 4), "shape holds '[', which is not a size"),
                broken("shape beyond 64 bits", one("U8", "[18446744073709551620]", 0, 4), "which is not a size"),
                broken("shape overflows", one("U8", "[4294967296,4294967296]", 0, 4), "is too large"),
                broken("bytes overflow", one("F64", "[2305843009213693952]", 0, 0), "is too large"),
                broken(
                        "one offset",
                        file("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4]}}", 4),
                        "has 1 data_offsets"),
                broken("backward offsets", one("U8", "[4]", 4, 0), "ends at 0, before it begins at 4"),
                broken("negative offset", one("U8", "[4]", -4, 0), "data_offsets holds '-4'"),
                broken("size too small", one("F32", "[2]", 0, 4), "'a' of F32(2) needs 8 bytes but has 4"),
                broken("size too large", one("F32", "[1]", 0, 8), "'a' of F32(1) needs 4 bytes but has 8"),
                broken(
                        "gap in front",
                        one("U8", "[4]", 4, 8),
                        "begins at byte 4 of the data, but the tensor before it ends at 0"),
                broken(
                        "gap between",
                        two(0, 4, 5, 9),
                        "'b' begins at byte 5 of the data, but the tensor before it ends at 4"),
                broken(
                        "overlap",
                        two(0, 4, 2, 6),
                        "'b' begins at byte 2 of the data, but the tensor before it ends at 4"),
                broken(
                        "shared data",
                        two(0, 4, 0, 4),
                        "begins at byte 0 of the data, but the tensor before it ends at 4"),
                broken(
                        "cut data",
                        file("{" + tensor("a", "U8", "[4]", 0, 4) + "}", 3),
                        "describes 4 bytes of data, but 3 follow"),
                broken(
                        "data missing",
                        file("{" + tensor("a", "U8", "[999999999]", 0, 999_999_999) + "}", 3),
                        "describes 999999999 bytes of data, but 3 follow"),
                broken(
                        "data left over",
                        file("{" + tensor("a", "U8", "[4]", 0, 4) + "}", 5),
                        "describes 4 bytes of data, but 5 follow"),
                broken("line break in name", file("{\"a\\nb\":3}", 0), "tensor 'a?b' is not an object"),
                broken("endless name", file("{\"" + "n".repeat(9999) + "\":3}", 0), "nnn...' is not an object"));
    }

    private static HostileFile broken(String name, byte[] bytes, String check) {
        return new HostileFile("safetensors: " + name, HostileFile.Reader.of(Safetensors.FORMAT), () -> bytes, check);
    }

    private static HostileFile crowded() {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i <= WeightFormat.MOST_TENSORS; i++) {
            header.append(tensor(Integer.toString(i), "U8", "[0]", 0, 0))
                    .append(i < WeightFormat.MOST_TENSORS ? "," : "}");
        }
        return broken("too many tensors", file(header.toString(), 0), "more than 20000 tensors");
    }

    private static HostileFile oversized() {
        long bytes = 3L << 30;
        return broken(
                "tensor of 3 GiB in a small file",
                file("{" + tensor("a", "U8", "[" + bytes + "]", 0, bytes) + "}", 1),
                "describes 3221225472 bytes of data, but 1 follow");
    }

    private static byte[] prefix(long length) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .array();
    }

    private static byte[] file(String header, int dataBytes) {
        return file(header, dataBytes, StandardCharsets.UTF_8);
    }

    private static byte[] file(String header, int dataBytes, java.nio.charset.Charset charset) {
        byte[] json = header.getBytes(charset);
        return ByteBuffer.allocate(8 + json.length + dataBytes)
                .put(prefix(json.length))
                .put(json)
                .array();
    }

    private static byte[] one(String type, String shape, long begin, long end) {
        return file("{" + tensor("a", type, shape, begin, end) + "}", 8);
    }

    private static byte[] two(long begin, long end, long secondBegin, long secondEnd) {
        String header = "{" + tensor("a", "U8", "[4]", begin, end) + ","
                + tensor("b", "U8", "[4]", secondBegin, secondEnd) + "}";
        return file(header, (int) Math.max(end, secondEnd));
    }

    private static String tensor(String name, String type, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + ","
                + end + "]}";
    }
}
