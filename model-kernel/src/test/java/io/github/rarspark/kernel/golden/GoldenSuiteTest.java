package io.github.rarspark.kernel.golden;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.rar.Conditioning;
import io.github.rarspark.kernel.rar.RarConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class GoldenSuiteTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @TestFactory
    Stream<DynamicTest> everyNumberIsWithinItsTolerance() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<CaseResult> results = GoldenSuite.run(GOLDEN, manager);
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
            for (CaseResult result : GoldenSuite.run(GOLDEN, manager)) {
                List<String> names = result.checks().stream().map(Check::name).toList();
                checks.put(result.name() + " (" + result.kind() + ")", names);
            }
        }
        List<String> plain = Stream.of("logits_raster", "logits_ordered", "targets_ordered", "loss_ordered")
                .collect(Collectors.toCollection(ArrayList::new));
        List<String> small = new ArrayList<>(plain);
        plain.add("guided_logits_ordered_linear");
        small.add("guided_logits");
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
        List<String> metrics = List.of(
                "fid",
                "rank_deficient/fid",
                "inception_score/all",
                "inception_score/split_200",
                "precision",
                "recall",
                "kid_unbiased_all");
        List<String> inception = List.of("pool_64", "pool_192", "pool_768", "pool3", "spatial", "logits_unbiased");
        Map<String, List<String>> required = Map.of(
                "inception (inception)", inception,
                "metrics (metrics)", metrics,
                "orders (orders)", orders,
                "rar-plain (rar)", plain,
                "rar-small (rar)", small,
                "vqgan-f16 (vqgan)", vqgan,
                "vqgan-small (vqgan)", vqgan);
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
    void aCaseWithoutChecksHasNotPassed() {
        assertThat(new CaseResult("x", "rar", List.of()).passed()).isFalse();
        assertThat(Check.within("nan", Double.NaN, 1).passed()).isFalse();
    }
}
