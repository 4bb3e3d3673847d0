package io.github.rarspark.kernel.weights.torch;

import static io.github.rarspark.kernel.weights.torch.PickleBuilder.pickle;
import static io.github.rarspark.kernel.weights.torch.PickleBuilder.raw;

import io.github.rarspark.kernel.weights.HostileFile;
import java.nio.ByteBuffer;
import java.util.List;

/** Files of PyTorch before 1.6 that break their format, and the check that refuses each. */
public final class HostileLegacy {
    private static final byte[] VERSION = pickle().op('M', 0xe9, 3).end();
    private static final byte[] MACHINE =
            pickle().op('}').text("little_endian").op(0x88, 's').end();
    private static final byte[] KEYS = keys("0");
    private static final byte[] DATA = raw().int64(4).int64(1).int64(2).bytes();

    private HostileLegacy() {}

    /** All of them. */
    public static List<HostileFile> all() {
        return List.of(
                broken("magic number only", "ends in the middle"),
                broken(
                        "version 1000",
                        "has the version 1000 instead of 1001",
                        pickle().op('M', 0xe8, 3).end()),
                broken(
                        "version of lists",
                        "has the version a list instead",
                        pickle().op(']').end()),
                broken(
                        "storage in the version",
                        "not named by its class",
                        pickle().storage("0", 4).end()),
                broken(
                        "no machine",
                        "not written by a little-endian machine",
                        VERSION,
                        pickle().op('}').end()),
                broken(
                        "big-endian machine",
                        "not written by a little-endian machine",
                        VERSION,
                        pickle().op('}').text("little_endian").op(0x89, 's').end()),
                broken(
                        "call in the object",
                        "'os.system', which",
                        VERSION,
                        MACHINE,
                        pickle().global("os", "system").end()),
                broken("view of a storage", "is a view of another one", VERSION, MACHINE, view()),
                broken("pickle of 16 MB", "is longer than 16777216 bytes", VERSION, MACHINE, endless()),
                broken("no keys", "ends in the middle", VERSION, MACHINE, object()),
                broken(
                        "keys in a tuple",
                        "list of storages is a tuple",
                        VERSION,
                        MACHINE,
                        object(),
                        pickle().op(')').end()),
                broken("foreign key", "names one that no tensor has", VERSION, MACHINE, object(), keys("1"), DATA),
                broken("key twice", "names '0' twice", VERSION, MACHINE, object(), keys("0", "0"), DATA, DATA),
                broken("no key", "has 0 of 1", VERSION, MACHINE, object(), keys(), DATA),
                broken("no data", "does not begin with its length 4", VERSION, MACHINE, object(), KEYS),
                broken(
                        "other length",
                        "does not begin with its length 4",
                        VERSION,
                        MACHINE,
                        object(),
                        KEYS,
                        raw().int64(5).int64(0).int64(0).bytes()),
                broken(
                        "cut data",
                        "has 16 bytes, but only 8 follow",
                        VERSION,
                        MACHINE,
                        object(),
                        KEYS,
                        raw().int64(4).int64(1).bytes()),
                broken(
                        "data left over",
                        "last storage is followed by 1 bytes",
                        VERSION,
                        MACHINE,
                        object(),
                        KEYS,
                        DATA,
                        new byte[1]));
    }

    private static HostileFile broken(String name, String check, byte[]... parts) {
        byte[] magic = {
            (byte) 0x80,
            2,
            (byte) 0x8a,
            10,
            0x6c,
            (byte) 0xfc,
            (byte) 0x9c,
            0x46,
            (byte) 0xf9,
            0x20,
            0x6a,
            (byte) 0xa8,
            0x50,
            0x19,
            '.'
        };
        int length = magic.length;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteBuffer file = ByteBuffer.allocate(length).put(magic);
        for (byte[] part : parts) {
            file.put(part);
        }
        return new HostileFile("before 1.6: " + name, HostileFile.Reader.ofAnyFormat(), file::array, check);
    }

    private static byte[] object() {
        return pickle().op('}')
                .text("w")
                .rebuild()
                .storage("torch", "FloatStorage", "0", 4, true)
                .number(0)
                .numbers(4)
                .numbers(1)
                .endOfTensor()
                .op('s')
                .end();
    }

    private static byte[] view() {
        return pickle().op('(')
                .text("storage")
                .global("torch", "FloatStorage")
                .text("0")
                .text("cpu")
                .number(4)
                .op(')', 't', 'Q')
                .end();
    }

    private static byte[] keys(String... keys) {
        PickleBuilder pickle = pickle().op(']');
        for (String key : keys) {
            pickle.text(key).op('a');
        }
        return pickle.end();
    }

    /** Exactly as long as a pickle may be, in texts, without an end. */
    private static byte[] endless() {
        PickleBuilder pickle = pickle();
        for (int i = 0; i < 15; i++) {
            pickle.text("x".repeat((1 << 20) - 5));
        }
        return pickle.text("x".repeat((1 << 20) - 7)).end();
    }
}
