package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.conf.Recipe;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizePlanTest {
    @TempDir
    Path temp;

    private TokenizeFixture fixture;
    private NewFiles images;
    private TokenizerFile tokenizer;

    @BeforeEach
    void list() throws Exception {
        fixture = new TokenizeFixture(temp);
        images = NewFiles.all(ImageSources.open(fixture.storage, "--input", fixture.input.toString()));
        tokenizer = TokenizerFile.inspect(fixture.storage, fixture.tokenizer.toString());
    }

    @Test
    void eachUnitOfImagesBecomesAShard() {
        TokenizePlan plan = plan(fixture.recipe());
        assertThat(plan.shardNames())
                .containsExactly(
                        "part-000-00000.parquet",
                        "part-000-00001.parquet",
                        "part-000-00002.parquet",
                        "part-000-00003.parquet");
        assertThat(plan.shards())
                .extracting(shard -> shard.images().images().orElseThrow())
                .containsExactly(3L, 3L, 3L, 1L);
        List<TokenizePlan.Shard> missing = plan.shards(Set.of("part-000-00003.parquet", "part-000-00001.parquet"));
        assertThat(missing)
                .extracting(TokenizePlan.Shard::name)
                .containsExactly("part-000-00001.parquet", "part-000-00003.parquet");
        assertThat(plan.sentence(missing)).isEqualTo("tokenize 2 of 4 shards (10 images in all)");
    }

    @Test
    void theHashCoversWhatAltersTheBytesAndNothingElse() {
        String hash = plan(fixture.recipe()).plan().sha256();
        assertThat(plan(fixture.recipe("tokenize.max_bad", "5", "tokenize.output", "elsewhere", "train.lr", "1"))
                        .plan()
                        .sha256())
                .isEqualTo(hash);
        assertThat(plan(fixture.recipe("tokenize.batch", "2", "tokenize.threads", "2"))
                        .plan()
                        .sha256())
                .isEqualTo(hash);
        assertThat(plan(fixture.recipe("tokenize.shard_images", "2")).plan().sha256())
                .isNotEqualTo(hash);
        assertThat(plan(fixture.recipe("image.crops", "center")).plan().sha256())
                .isNotEqualTo(hash);
    }

    @Test
    void theFirstAttemptDecidesTheBatchOnGpusAlone() {
        JobDevice gpu = new JobDevice(true, false);
        TokenizePlan four = TokenizePlan.of(fixture.recipe(), images, tokenizer, gpu);
        TokenizePlan two = TokenizePlan.of(fixture.recipe("tokenize.batch", "2"), images, tokenizer, gpu);
        assertThat(four.plan().sha256()).isNotEqualTo(two.plan().sha256());
        assertThat(four.batch(2, gpu)).isEqualTo(4);
        assertThat(plan(fixture.recipe()).batch(2, JobDevice.CPU)).isEqualTo(2);
    }

    private TokenizePlan plan(Recipe recipe) {
        return TokenizePlan.of(recipe, images, tokenizer, JobDevice.CPU);
    }
}
