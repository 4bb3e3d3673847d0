package io.github.rarspark.kernel.golden;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs every golden case below a folder. */
public final class GoldenSuite {
    private static final Logger LOG = LoggerFactory.getLogger(GoldenSuite.class);
    private static final List<GoldenCase> KINDS = List.of(
            new RarGolden(),
            new VqganGolden(),
            new CropsGolden(),
            new InceptionGolden(),
            new MetricsGolden(),
            new OrdersGolden());

    private GoldenSuite() {}

    /**
     * Checks {@code folder} itself and its sub-folders, in the order of their paths; a folder of unknown kind is
     * skipped. A case that cannot be read or computed yields one failed check that says why, and the other cases are
     * still checked.
     *
     * @throws DataException if there is no golden case
     * @throws IOException if a folder cannot be listed
     */
    public static List<CaseResult> run(Path folder, GoldenRun run) throws IOException {
        List<CaseResult> results = new ArrayList<>();
        try (Stream<Path> paths = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            for (Path path : paths.filter(Files::isDirectory).sorted().toList()) {
                for (GoldenCase kind : KINDS) {
                    if (kind.isIn(path)) {
                        results.add(new CaseResult(name(folder, path), kind.kind(), checks(kind, path, run)));
                    }
                }
            }
        }
        if (results.isEmpty()) {
            String files = KINDS.stream()
                    .flatMap(kind -> kind.files().stream().limit(1))
                    .collect(Collectors.joining(", "));
            throw new DataException("Cannot find a golden case in " + folder + ": give a folder that contains one of "
                    + files + ", directly or in a subfolder");
        }
        return results;
    }

    /** The case's folder relative to the root, or the root's own name. */
    private static String name(Path root, Path folder) {
        return root.equals(folder)
                ? folder.toAbsolutePath().normalize().getFileName().toString()
                : root.relativize(folder).toString();
    }

    private static List<Check> checks(GoldenCase kind, Path folder, GoldenRun run) {
        try {
            return kind.check(folder, run);
        } catch (NoSuchFileException e) {
            return failed(folder, "missing " + Path.of(e.getFile()).getFileName(), e);
        } catch (IOException | RuntimeException e) {
            // A broken case must not hide the results of the others.
            return failed(
                    folder, String.valueOf(e.getMessage()).lines().findFirst().orElse(""), e);
        }
    }

    private static List<Check> failed(Path folder, String reason, Exception e) {
        LOG.debug("Cannot check the golden case in {}", folder, e);
        return List.of(Check.failed("cannot be checked: " + reason));
    }
}
