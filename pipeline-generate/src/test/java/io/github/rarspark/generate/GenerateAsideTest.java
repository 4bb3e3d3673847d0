package io.github.rarspark.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Tasks of two cores: with one thread of sampling, the other core decodes. */
class GenerateAsideTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2, 2);

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @Test
    void imagesThatAreDecodedWhileTheNextAreSampledAreTheSame() throws IOException {
        TinyModels tiny = TinyModels.write(folder);
        String aside = generate(tiny, "aside", Map.of("generate.threads", "1", "generate.batch", "3"));
        assertThat(generate(tiny, "between", Map.of("generate.threads", "2", "generate.batch", "3")))
                .isEqualTo(aside);
        assertThat(generate(tiny, "other", Map.of("generate.seed", "1"))).isNotEqualTo(aside);
    }

    private String generate(TinyModels tiny, String name, Map<String, String> settings) throws IOException {
        Path output = folder.resolve(name);
        GenerateJob.run(SPARK.context(tiny.recipe(output, settings)));
        return storage.sha256(output.resolve(SampleSet.NPZ).toString());
    }
}
