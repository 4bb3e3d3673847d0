import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * Adds the classes to a copy of libtorch's jar: {@code JobJar NATIVE_JAR CLASSES_JAR JOB_JAR}. The zip file system
 * copies entries that it does not change as they are: 2 s, where compressing 450 MB of libraries once more takes 12.
 */
final class JobJar {

    public static void main(String[] args) throws IOException {
        Path job = Path.of(args[2]);
        Path unfinished = job.resolveSibling(job.getFileName() + ".tmp");
        Files.copy(Path.of(args[0]), unfinished, StandardCopyOption.REPLACE_EXISTING);
        try (FileSystem classes = FileSystems.newFileSystem(Path.of(args[1]));
                FileSystem jar = FileSystems.newFileSystem(unfinished)) {
            Path root = classes.getPath("/");
            List<Path> entries;
            try (Stream<Path> tree = Files.walk(root)) {
                entries = tree.filter(path -> !path.equals(root)).toList();
            }
            for (Path entry : entries) {
                Path target = jar.getPath(entry.toString());
                if (Files.isDirectory(entry)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(
                            entry, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
        Files.move(unfinished, job, StandardCopyOption.ATOMIC_MOVE);
    }
}
