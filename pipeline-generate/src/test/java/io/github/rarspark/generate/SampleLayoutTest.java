package io.github.rarspark.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SampleLayoutTest {
    private static SampleLayout layout(Map<String, String> values) {
        Path nowhere = Path.of("nowhere");
        return SampleLayout.of(new TinyModels(nowhere, nowhere).recipe(nowhere, values));
    }

    @Test
    void classesTakeTurns() {
        SampleLayout layout = new SampleLayout(7, List.of(5, 2), 4);
        assertThat(layout.batches(0, 4).get(0))
                .containsExactly(new Request(5, 0), new Request(2, 1), new Request(5, 2), new Request(2, 3));
        assertThat(layout.batches(1, 4).get(0))
                .containsExactly(new Request(5, 4), new Request(2, 5), new Request(5, 6));
    }

    @Test
    void requestsAreTheSameHoweverShardsAndBatchesAreCut() {
        List<Request> requests = requests(new SampleLayout(29, List.of(0, 1, 2), 12), 5);
        assertThat(requests).hasSize(29).doesNotHaveDuplicates();
        assertThat(requests(new SampleLayout(29, List.of(0, 1, 2), 4), 32)).isEqualTo(requests);
    }

    @Test
    void shardBoundsDoNotDependOnTheBatch() {
        SampleLayout layout = layout(Map.of("generate.batch", "5", "generate.shard_images", "12"));
        assertThat(layout.shardNames())
                .containsExactly(
                        "shard-00000-of-00003.parquet", "shard-00001-of-00003.parquet", "shard-00002-of-00003.parquet");
        assertThat(layout.batches(0, 5)).extracting(batch -> batch.length).containsExactly(5, 5, 2);
    }

    @Test
    void noClassesMeanAll() {
        assertThat(layout(Map.of()).classes()).containsExactly(0, 1, 2);
        assertThat(layout(Map.of("generate.classes", "2,0")).classes()).containsExactly(2, 0);
    }

    private static List<Request> requests(SampleLayout layout, int batch) {
        List<Request> all = new ArrayList<>();
        for (int shard = 0; shard < layout.shards(); shard++) {
            layout.batches(shard, batch).forEach(requests -> all.addAll(Arrays.asList(requests)));
        }
        return all;
    }
}
