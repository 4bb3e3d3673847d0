package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Runs every golden case below a folder. */
public final class GoldenSuite {
    private static final List<GoldenCase> KINDS =
            List.of(new RarGolden(), new VqganGolden(), new InceptionGolden(), new MetricsGolden(), new OrdersGolden());

    private GoldenSuite() {}

    /**
     * Checks {@code folder} itself and its sub-folders, in the order of their names; a folder of no known kind is passed
     * over.
     *
     * @throws DataException if there is no case at all
     */
    public static List<CaseResult> run(Path folder, NDManager manager) throws IOException {
        List<CaseResult> results = new ArrayList<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(Files::isDirectory).sorted().toList()) {
                for (GoldenCase kind : KINDS) {
                    if (kind.isIn(path)) {
                        String name = path.getFileName().toString();
                        results.add(new CaseResult(name, kind.kind(), kind.check(path, manager)));
                    }
                }
            }
        }
        if (results.isEmpty()) {
            throw new DataException("No golden case of a known kind in " + folder);
        }
        return results;
    }
}
