package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.FuzzInput;
import io.github.rarspark.kernel.weights.HostileFile;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * The target of {@link FuzzingTest}: any bytes as a PyTorch file, of either format. An archive's pickle has a CRC that
 * mutations do not hit, so inputs are also put into an archive as its pickle: with the one storage that the hostile
 * pickles name, or with those of a good file.
 */
public final class FuzzTorch {
    /** Selects how an input is used. */
    public static final byte FILE = 0;
    /** As above. */
    public static final byte PICKLE = 1;
    /** As above. */
    public static final byte PICKLE_OF_GOOD = 2;

    static final Path GOOD = Path.of("src/test/resources/weights/zip.pth");

    private static final Map<String, byte[]> STORAGES = storages();

    private FuzzTorch() {}

    /** Called by the fuzzer; what it throws is a finding. */
    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        if (data.length > 0) {
            byte[] rest = Arrays.copyOfRange(data, 1, data.length);
            byte[] file =
                    switch (Math.floorMod(data[0], 3)) {
                        case PICKLE -> HostileZips.archive(rest);
                        case PICKLE_OF_GOOD -> HostileZips.archive(rest, STORAGES);
                        default -> rest;
                    };
            FuzzInput.read(HostileFile.Reader.ofAnyFormat(), file);
        }
    }

    /** The pickle of an archive. */
    public static byte[] pickle(byte[] archive) throws IOException {
        Path path = Files.write(Files.createTempFile("seed", ".pth"), archive);
        try {
            return MappedRanges.inFile(path, channel -> {
                StoredZip.Entry entry = StoredZip.read(channel, "seed").values().stream()
                        .filter(one -> one.name().endsWith("/data.pkl"))
                        .findFirst()
                        .orElseThrow();
                return MappedRanges.read(
                        channel, entry.data().begin(), (int) entry.data().length());
            });
        } finally {
            Files.delete(path);
        }
    }

    private static Map<String, byte[]> storages() {
        Map<String, byte[]> storages = new TreeMap<>();
        try {
            MappedRanges.inFile(GOOD, channel -> {
                for (StoredZip.Entry entry : StoredZip.read(channel, "storages").values()) {
                    String[] path = entry.name().split("/");
                    if (path.length == 3 && path[1].equals("data")) {
                        storages.put(
                                path[2], MappedRanges.read(channel, entry.data().begin(), (int)
                                        entry.data().length()));
                    }
                }
                return null;
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.copyOf(storages);
    }
}
