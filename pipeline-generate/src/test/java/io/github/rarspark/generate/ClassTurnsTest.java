package io.github.rarspark.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClassTurnsTest {
    private static ClassTurns turns(Map<String, String> values) {
        Path nowhere = Path.of("nowhere");
        return ClassTurns.of(new TinyModels(nowhere, nowhere).recipe(nowhere, values));
    }

    private static List<Request> requests(ClassTurns turns, int first, int count, int batch) {
        return turns.batches(first, count, batch).stream()
                .flatMap(Arrays::stream)
                .toList();
    }

    @Test
    void classesTakeTurns() {
        ClassTurns turns = turns(Map.of("generate.classes", "2,0", "generate.count", "5"));
        assertThat(turns.counts()).containsExactly(3, 2);
        assertThat(requests(turns, 0, 5, 5))
                .containsExactly(
                        new Request(2, 0), new Request(0, 1), new Request(2, 2), new Request(0, 3), new Request(2, 4));
    }

    @Test
    void noClassesMeanAll() {
        assertThat(turns(Map.of()).classes()).containsExactly(0, 1, 2);
        assertThat(turns(Map.of("generate.count", "2")).counts()).containsExactly(1, 1);
    }

    @Test
    void eachClassHasAsManySamples() {
        ClassTurns turns = turns(Map.of("generate.samples_per_class", "4", "generate.classes", "1,2"));
        assertThat(turns.counts()).containsExactly(4, 4);
        assertThat(turns.images()).isEqualTo(8);
    }

    @Test
    void aClassThatHasAllItsImagesDropsOut() {
        ClassTurns turns = turns(Map.of("generate.class_counts", "1,0,3"));
        assertThat(turns.classes()).containsExactly(0, 2);
        assertThat(turns.images()).isEqualTo(4);
        assertThat(requests(turns, 0, 4, 4))
                .containsExactly(new Request(0, 0), new Request(2, 1), new Request(2, 2), new Request(2, 3));
    }

    @Test
    void requestsAreTheSameHoweverShardsAndBatchesAreCut() {
        ClassTurns turns = turns(Map.of("generate.class_counts", "9,13,7"));
        List<Request> all = requests(turns, 0, 29, 29);
        assertThat(all).hasSize(29).doesNotHaveDuplicates();
        assertThat(requests(turns, 0, 29, 5)).isEqualTo(all);
        assertThat(requests(turns, 12, 12, 5)).isEqualTo(all.subList(12, 24));
        assertThat(turns.batches(0, 12, 5)).extracting(batch -> batch.length).containsExactly(5, 5, 2);
        assertThatThrownBy(() -> turns.batches(20, 10, 5)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void countsThatDoNotFitAreRefused() {
        assertRefused(
                Map.of("generate.class_counts", "1,2"),
                "Cannot use generate.class_counts=1,2: it has 2 numbers for 3 classes; give one for each class of"
                        + " generate.classes");
        assertRefused(
                Map.of("generate.class_counts", "1,2,-1"),
                "Cannot use generate.class_counts=1,2,-1: give numbers of at least 0");
        assertRefused(
                Map.of("generate.class_counts", "0,0,0"),
                "Cannot use generate.class_counts: it asks for 0 images; ask for 1 to 2147483647");
        assertRefused(
                Map.of("generate.samples_per_class", "1000000000"),
                "Cannot use generate.samples_per_class: it asks for 3000000000 images; ask for 1 to 2147483647");
    }

    private static void assertRefused(Map<String, String> settings, String message) {
        assertThatThrownBy(() -> turns(settings))
                .isInstanceOf(RecipeException.class)
                .hasMessage(message);
    }
}
