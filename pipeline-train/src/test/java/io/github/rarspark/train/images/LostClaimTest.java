package io.github.rarspark.train.images;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.image.PngEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class LostClaimTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(1);

    @TempDir
    private Path folder;

    @Test
    void aTrainingWhoseClaimIsLostEndsAtTheNextStep() throws Exception {
        Path image = folder.resolve("images/dark/0.png");
        Files.createDirectories(image.getParent());
        Files.write(image, PngEncoder.encodeGray(8, 8, new byte[64]));
        Path output = folder.resolve("out");
        Recipe recipe = Recipes.load("demo")
                .with(Map.of(
                        "image.size",
                        "8",
                        "model.tokens",
                        "4",
                        "train_tokenizer.images",
                        image.getParent().getParent().toString(),
                        "train_tokenizer.output",
                        output.toString()));
        ImageTraining.Settings settings = new ImageTraining.Settings(
                "train-tokenizer",
                "tokenizer",
                recipe.trainTokenizer().images(),
                recipe.trainTokenizer().output(),
                2,
                1,
                recipe.trainTokenizer().maxBad(),
                Labels.ANY);
        List<String> steps = new ArrayList<>();
        ImageTraining.Model model = run -> {
            run.step("one");
            steps.add("one");
            Files.delete(output.resolve("_plan.json"));
            assertFails(ExitCode.TEMPORARY, run.claim()::check);
            run.step("two");
            steps.add("two");
            throw new IllegalStateException("The training went on");
        };
        assertFails(ExitCode.TEMPORARY, () -> ImageTraining.run(SPARK.context(recipe), settings, source -> {}, model))
                .contains("_plan.json is gone");
        assertThat(steps).containsExactly("one");
    }
}
