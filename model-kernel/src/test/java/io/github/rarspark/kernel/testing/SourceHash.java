package io.github.rarspark.kernel.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The hash of native sources that their build script compiles into a library. */
public final class SourceHash {
    private SourceHash() {}

    /** The SHA-256 of the names and contents of the files in a folder, in the order of their names, in hexadecimal. */
    public static String of(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return of(files.toList());
        }
    }

    /** As {@link #of(Path)}, of the given files. */
    public static String of(List<Path> files) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files.stream()
                    .sorted(Comparator.comparing(Path::getFileName))
                    .toList()) {
                digest.update((file.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
                digest.update(Files.readAllBytes(file));
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
