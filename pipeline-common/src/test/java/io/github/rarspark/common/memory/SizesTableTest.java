package io.github.rarspark.common.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * deploy/sizes.tsv is made from {@link MemoryNeeds}: {@code mvn -pl pipeline-common -am test -Dtest=SizesTableTest
 * -Dwrite.docs=true -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class SizesTableTest {
    private static final Path TABLE = Path.of("..", "deploy", "sizes.tsv");

    private static final String HEAD =
            """
            # Executors and drivers by model, command and device, made by SizesTableTest from MemoryNeeds. Columns, separated
            # by tabs: cores of an executor; spark.executor.memory and spark.executor.memoryOverhead; spark.driver.memory and
            # spark.driver.memoryOverhead; the settings that the sizes are for, separated by spaces. Tensors live in the
            # overhead. An executor for GPUs has one; its host memory is an estimate.
            """;

    /**
     * The shape of an executor.
     *
     * @param tasks at the same time
     * @param settings beside its size
     */
    private record Shape(int cores, int tasks, int heap, Map<String, String> settings) {
        int coresPerTask() {
            return cores / tasks;
        }
    }

    @Test
    void tableHasTheNeedsAsTheyAre() throws IOException {
        String table = table();
        if (Boolean.getBoolean("write.docs")) {
            Files.writeString(TABLE, table);
        }
        assertThat(Files.readString(TABLE))
                .as("deploy/sizes.tsv; write it anew with -Dwrite.docs=true")
                .isEqualTo(table);
    }

    @Test
    void everyShippedRecipeHasARowForEachCommandAndDevice() throws IOException {
        List<String> keys = Files.readAllLines(TABLE).stream()
                .filter(line -> !line.startsWith("#"))
                .skip(1)
                .map(line -> Stream.of(line.split("\t")).limit(3).collect(Collectors.joining(" ")))
                .toList();
        assertThat(keys)
                .hasSize(Recipes.names().size() * Workload.values().length * 2)
                .doesNotHaveDuplicates()
                .contains("rar-xl train gpu", "rar-b fid cpu");
    }

    private static String table() {
        List<String> lines = new ArrayList<>();
        lines.add("model\tcommand\tdevice\tcores\theap\toverhead\tdriver_heap\tdriver_overhead\tsettings");
        for (String model : Recipes.names()) {
            for (Workload workload : Workload.values()) {
                for (boolean gpu : new boolean[] {false, true}) {
                    lines.add(row(model, workload, gpu));
                }
            }
        }
        return HEAD + String.join("\n", lines) + "\n";
    }

    private static String row(String model, Workload workload, boolean gpu) {
        Shape shape = shape(workload, gpu);
        boolean isDemo = model.equals("demo");
        Map<String, String> keys = new LinkedHashMap<>(Map.of("fid.features", isDemo ? "classifier:" : "inception:"));
        shape.settings().forEach((name, value) -> {
            if (name.startsWith(Layer.SPARK_PREFIX)) {
                keys.put(name.substring(Layer.SPARK_PREFIX.length()), value);
            }
        });
        Recipe recipe = Recipe.resolve(Layer.commandLine(keys), Recipes.layer(model));
        MemoryNeeds executor = MemoryNeeds.ofExecutor(
                recipe, workload, new MemoryNeeds.Load(gpu, shape.tasks(), shape.coresPerTask()));
        MemoryNeeds driver = MemoryNeeds.ofDriver(recipe, workload);
        return String.join(
                "\t",
                model,
                workload.command(),
                gpu ? "gpu" : "cpu",
                Integer.toString(shape.cores()),
                shape.heap() + "g",
                Sizes.setting(executor.bytes()),
                "4g",
                Sizes.setting(driver.bytes()),
                shape.settings().entrySet().stream()
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .collect(Collectors.joining(" ")));
    }

    private static Shape shape(Workload workload, boolean gpu) {
        if (gpu) {
            // Spark gives the one task all cores: they prepare what the GPU computes.
            return new Shape(
                    8, 1, workload == Workload.TOKENIZE ? 6 : 4, workload == Workload.TRAIN ? micro("16") : Map.of());
        }
        return switch (workload) {
            case TOKENIZE -> new Shape(8, 8, 6, Map.of("spark.task.cpus", "1"));
            case FID -> new Shape(8, 8, 4, Map.of("spark.task.cpus", "1"));
            case TRAIN -> {
                Map<String, String> settings = new LinkedHashMap<>(threads("train", 8));
                settings.putAll(micro("8"));
                yield new Shape(8, 1, 4, settings);
            }
            case GENERATE -> new Shape(8, 2, 4, threads("generate", 4));
        };
    }

    private static Map<String, String> micro(String samples) {
        return Map.of(Layer.SPARK_PREFIX + "train.micro_batch", samples);
    }

    private static Map<String, String> threads(String section, int threads) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("spark.task.cpus", Integer.toString(threads));
        settings.put(Layer.SPARK_PREFIX + section + ".threads", Integer.toString(threads));
        return settings;
    }
}
