package io.github.rarspark.kernel.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.Conditioning;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.tensor.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

@Tag("device")
class GoldenSuiteTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @TestFactory
    Stream<DynamicTest> everyNumberIsWithinItsTolerance() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<CaseResult> results = GoldenSuite.run(GOLDEN, GoldenRun.float32(manager));
            assertThat(manager.getManagedArrays()).isEmpty();
            return results.stream().flatMap(result -> result.checks().stream()
                    .map(check -> DynamicTest.dynamicTest(
                            result.name() + ": " + check.name(),
                            () -> assertThat(check.maxError()).isLessThanOrEqualTo(check.tolerance()))));
        }
    }

    /** An array that a case loses is one that nothing is compared with any more. */
    @Test
    void nothingThatTheCasesStateGoesUnchecked() throws IOException {
        Map<String, List<String>> checks = new TreeMap<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (CaseResult result : GoldenSuite.run(GOLDEN, GoldenRun.float32(manager))) {
                List<String> names = result.checks().stream().map(Check::name).toList();
                checks.put(result.name() + " (" + result.kind() + ")", names);
            }
        }
        List<String> plain = Stream.of("logits_raster", "logits_ordered", "targets_ordered", "loss_ordered")
                .collect(Collectors.toCollection(ArrayList::new));
        List<String> small = new ArrayList<>(plain);
        plain.add("guided_logits_ordered_linear");
        small.addAll(List.of("guided_logits", "rar.bin"));
        for (String name : parameters(Conditioning.PLAIN)) {
            plain.add("grad/" + name);
        }
        for (String name : parameters(Conditioning.ADALN)) {
            small.add("grad/" + name);
            if (!name.endsWith("k_norm.bias")) {
                small.add("train/final/" + name);
            }
        }
        for (int step = 0; step < 6; step++) {
            small.addAll(List.of("train/losses/" + step, "train/grad_norms/" + step, "train/lrs/" + step));
        }
        List<String> orders = Stream.of("4", "8")
                .flatMap(side -> Stream.of("row-major", "z-curve", "subsample", "alternate", "spiral-out", "spiral-in")
                        .map(order -> side + "/" + order))
                .toList();
        List<String> vqgan = List.of("latents", "tokens", "decoded_unclamped");
        List<String> crops = Stream.of(
                        "landscape.png",
                        "portrait.png",
                        "large.png",
                        "small.png",
                        "gray.png",
                        "rgba.png",
                        "palette.png",
                        "photo.jpg",
                        "cmyk.jpg",
                        "tall.png",
                        "half.png")
                .flatMap(file -> Stream.of(file + "/center_crop", file + "/ten_crop"))
                .toList();
        List<String> metrics = List.of(
                "fid",
                "mu_reference_sum",
                "sigma_reference_trace",
                "rank_deficient/fid",
                "inception_score/all",
                "inception_score/split_200",
                "precision",
                "recall",
                "kid_unbiased_all");
        List<String> inception = List.of("pool_64", "pool_192", "pool_768", "pool3", "spatial", "logits_unbiased");
        Map<String, List<String>> required = Map.of(
                "crops (crops)", crops,
                "inception (inception)", inception,
                "metrics (metrics)", metrics,
                "orders (orders)", orders,
                "rar-plain (rar)", plain,
                "rar-small (rar)", small,
                "vqgan-f16 (vqgan)", vqgan,
                "vqgan-small (vqgan)", List.of("latents", "tokens", "decoded_unclamped", "vqgan.bin"));
        assertThat(checks.keySet()).containsExactlyInAnyOrderElementsOf(required.keySet());
        required.forEach(
                (name, stated) -> assertThat(checks.get(name)).as(name).containsExactlyInAnyOrderElementsOf(stated));
    }

    private static Set<String> parameters(Conditioning conditioning) {
        return new RarConfig(32, 2, 4, 128, 16, 64, 10, conditioning, true)
                .parameters()
                .byName()
                .keySet();
    }

    @Test
    void inMixedPrecisionEveryModelIsWithinTheWiderTolerances() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            for (CaseResult result : GoldenSuite.run(GOLDEN, new GoldenRun(manager, Precision.BF16))) {
                assertThat(result.checks()).as(result.name()).allMatch(Check::passed);
                if (result.kind().equals("rar")) {
                    assertThat(result.checks())
                            .extracting(Check::name)
                            .contains("logits_raster", "loss_ordered", "grad/lm_head.weight")
                            .noneMatch(name -> name.startsWith("train/"));
                    // Products in bfloat16 are seen in the errors.
                    assertThat(result.checks().get(0).maxError()).isGreaterThan(1e-3);
                }
            }
        }
    }

    @Test
    void whatACaseDoesNotStateIsLeftOut(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("expected.json"), "{\"fid\": 21.309077799948454}");
        Files.copy(GOLDEN.resolve("metrics/features.safetensors"), folder.resolve("features.safetensors"));
        try (NDManager manager = NDManager.newBaseManager()) {
            List<CaseResult> results = GoldenSuite.run(folder, GoldenRun.float32(manager));
            assertThat(results).hasSize(1);
            assertThat(results.get(0).name()).isEqualTo(folder.getFileName().toString());
            assertThat(results.get(0).checks()).extracting(Check::name).containsExactly("fid");
            assertThat(results.get(0).passed()).isTrue();
        }
    }

    @Test
    void aCaseThatCannotBeReadFailsAndTheOthersAreCheckedAllTheSame(@TempDir Path folder) throws IOException {
        Path good = Files.createDirectories(folder.resolve("a/orders"));
        Files.copy(GOLDEN.resolve("orders/orders.json"), good.resolve("orders.json"));
        Path broken = Files.createDirectory(folder.resolve("broken"));
        Files.writeString(broken.resolve("rar.json"), "{");
        Path alone = Files.createDirectory(folder.resolve("alone"));
        Files.copy(GOLDEN.resolve("vqgan-small/vqgan.json"), alone.resolve("vqgan.json"));
        Path lost = Files.createDirectory(folder.resolve("lost"));
        Files.copy(GOLDEN.resolve("crops/crops.safetensors"), lost.resolve("crops.safetensors"));
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, CaseResult> results = GoldenSuite.run(folder, GoldenRun.float32(manager)).stream()
                    .collect(Collectors.toMap(CaseResult::name, result -> result));
            assertThat(results.get("a/orders").passed()).isTrue();
            assertThat(results.get("broken").checks()).singleElement().satisfies(check -> {
                assertThat(check.passed()).isFalse();
                assertThat(check.name()).startsWith("cannot be checked: ").doesNotContain("\n");
            });
            assertThat(results.get("alone").checks())
                    .extracting(Check::name)
                    .containsExactly("cannot be checked: missing vqgan.safetensors");
            assertThat(results.get("lost").checks())
                    .extracting(Check::name)
                    .containsExactly("cannot be checked: missing landscape.png");
            assertThat(manager.getManagedArrays()).isEmpty();
        }
    }

    @Test
    void aFolderWithoutCasesIsBadData(@TempDir Path folder) {
        try (NDManager manager = NDManager.newBaseManager()) {
            assertThatThrownBy(() -> GoldenSuite.run(folder, GoldenRun.float32(manager)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("Cannot find a golden case in " + folder)
                    .hasMessageContaining("rar.json");
        }
    }

    @Test
    void aCaseWithoutChecksHasNotPassed() {
        assertThat(new CaseResult("x", "rar", List.of()).passed()).isFalse();
        assertThat(Check.within("nan", Double.NaN, 1).passed()).isFalse();
        assertThat(Check.within("nan", Double.NaN, 1).maxError()).isEqualTo(Double.MAX_VALUE);
    }
}
