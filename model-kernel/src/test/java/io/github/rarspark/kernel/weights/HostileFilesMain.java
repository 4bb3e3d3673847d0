package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.weights.format.MappedRanges;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Reads the files 0, 1, 2... of a folder, which are the table's, and prints what became of each. */
final class HostileFilesMain {
    private HostileFilesMain() {}

    public static void main(String[] args) throws IOException {
        List<HostileFile> files = HostileFilesTest.files();
        for (int i = 0; i < files.size(); i++) {
            HostileFile file = files.get(i);
            Path path = Path.of(args[0], Integer.toString(i));
            try {
                MappedRanges.inFile(path, channel -> {
                    file.readWhole(channel, "file");
                    return null;
                });
                System.out.println(i + " was read");
            } catch (RuntimeException | Error e) {
                System.out.println(i + " " + e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }
}
