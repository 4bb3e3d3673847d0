package io.github.rarspark.train.images;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.classifier.Classifier;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.vqgan.Vqgan;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class SmallModelJobsTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(1);

    @TempDir
    private Path folder;

    @Test
    void aTokenizerIsTrainedAndPublishedOnce() throws IOException {
        Recipe recipe = recipe("train_tokenizer", Map.of("train_tokenizer.restart_every", "2"));
        JobResult result = TrainTokenizerJob.run(SPARK.context(recipe));
        assertThat(result.command()).isEqualTo("train-tokenizer");
        assertThat(result.counts()).containsEntry("images", 12L).containsEntry("steps", 45L);
        assertThat(result.metrics()).containsKeys("psnr", "codes_used", "commitment");
        TensorFile file = TensorFile.open(folder.resolve("out/model.safetensors"));
        assertThat(file.metadata()).containsEntry("kind", "vqgan").containsEntry("command", "train-tokenizer");
        assertThat(file.metadata().get("training")).contains("steps=45", "restartEvery=2", "1 threads");
        try (NDManager manager = NDManager.newBaseManager();
                Vqgan vqgan = Vqgan.load(file, manager)) {
            assertThat(vqgan.config()).isEqualTo(new VqganConfig(32, List.of(1, 1, 2), 1, 16, 8));
        }
        assertThat(TrainTokenizerJob.run(SPARK.context(recipe))).isEqualTo(result);
        Recipe other = recipe.with(Map.of("train_tokenizer.batch", "3"));
        assertFails(ExitCode.OUTPUT_EXISTS, () -> TrainTokenizerJob.run(SPARK.context(other)));
    }

    @Test
    void aClassifierIsTrainedAndPublishedOnce() throws IOException {
        Recipe recipe = recipe("train_classifier", Map.of());
        JobResult result = TrainClassifierJob.run(SPARK.context(recipe));
        assertThat(result.command()).isEqualTo("train-classifier");
        assertThat(result.counts()).containsEntry("images", 12L).containsEntry("steps", 45L);
        assertThat(result.metrics().get("training_accuracy")).isGreaterThan(0.9);
        TensorFile file = TensorFile.open(folder.resolve("out/model.safetensors"));
        assertThat(file.metadata()).containsEntry("kind", "classifier").containsEntry("command", "train-classifier");
        try (NDManager manager = NDManager.newBaseManager();
                Classifier classifier = Classifier.load(file, manager)) {
            assertThat(classifier.config()).isEqualTo(ClassifierConfig.small(8, 2));
        }
        assertThat(TrainClassifierJob.run(SPARK.context(recipe))).isEqualTo(result);
    }

    @Test
    void imagesThatCannotBeUsedAreQuarantinedUpToTheLimit() throws IOException {
        Recipe recipe = recipe("train_tokenizer", Map.of("train_tokenizer.max_bad", "0", "train_tokenizer.steps", "2"));
        Files.writeString(folder.resolve("images/dark/0.png"), "not an image");
        assertFails(ExitCode.DATA, () -> TrainTokenizerJob.run(SPARK.context(recipe)))
                .startsWith("Cannot train a tokenizer on "
                        + folder.resolve("images").toUri() + ": 1 image cannot be used, more than --max-bad 0; ")
                .contains("the first is dark/0.png (Cannot decode dark/0.png: it is neither PNG nor JPEG)");
        assertThat(folder.resolve("out/result.json")).content().contains("\"failed\"", "dark/0.png");
        assertThat(folder.resolve("out/model.safetensors")).doesNotExist();
        List<String> bad = List.of(
                "{\"path\":\"dark/0.png\",\"reason\":" + "\"Cannot decode dark/0.png: it is neither PNG nor JPEG\"}");
        assertThat(folder.resolve("out/quarantine.jsonl")).content().isEqualTo(bad.get(0) + "\n");

        Recipe lenient = recipe.with(Map.of("train_tokenizer.max_bad", "1"));
        Files.writeString(folder.resolve("images/beside.txt"), "no class");
        JobResult result = TrainTokenizerJob.run(SPARK.context(lenient));
        assertThat(result.counts()).containsEntry("images", 11L).containsEntry("bad", 1L);
        assertThat(result.warnings())
                .containsExactly(
                        "beside.txt is left out, because it is not in a class folder",
                        "1 image could not be used; quarantine.jsonl lists it");
        assertThat(folder.resolve("out/quarantine.jsonl")).content().isEqualTo(bad.get(0) + "\n");
    }

    @Test
    void nothingIsTrainedOnImagesThatAreAllBad() throws IOException {
        Recipe recipe = recipe("train_tokenizer", Map.of());
        for (int i = 0; i < 12; i++) {
            Files.writeString(folder.resolve("images/" + (i % 2 == 0 ? "dark/" : "bright/") + i + ".png"), "none");
        }
        assertFails(ExitCode.DATA, () -> TrainTokenizerJob.run(SPARK.context(recipe)))
                .contains("none of its 12 images can be used");
    }

    @Test
    void aFinishedOutputIsAnsweredWithoutReadingTheImages() throws IOException {
        Recipe recipe = recipe("train_tokenizer", Map.of("train_tokenizer.steps", "2"));
        JobResult result = TrainTokenizerJob.run(SPARK.context(recipe));
        Path image = folder.resolve("images/dark/0.png");
        byte[] unreadable = new byte[Math.toIntExact(Files.size(image))];
        Files.write(image, unreadable);
        assertThat(TrainTokenizerJob.run(SPARK.context(recipe))).isEqualTo(result);
    }

    @Test
    void moreClassesThanTheRecipesAreRefusedBeforeAnythingIsWritten() throws IOException {
        Recipe recipe = recipe("train_classifier", Map.of());
        Path third = Files.createDirectories(folder.resolve("images/gray"));
        Files.write(third.resolve("0.png"), PngEncoder.encodeGray(8, 8, new byte[64]));
        assertFails(ExitCode.DATA, () -> TrainClassifierJob.run(SPARK.context(recipe)))
                .contains("it has 3 class folders with images, and model.classes=2; class ids number")
                .contains("set model.classes=3");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void aLossThatIsNotFiniteIsMendedByWhatItsMessageAdvises() throws IOException {
        Recipe tokenizer = recipe("train_tokenizer", Map.of("train_tokenizer.steps", "4"));
        Recipe wild = tokenizer.with(Map.of("train_tokenizer.lr", "1e30"));
        assertFails(ExitCode.DATA, () -> TrainTokenizerJob.run(SPARK.context(wild)))
                .matches("The (tokenizer's loss|gradient) .*; lower train_tokenizer\\.lr");
        assertThat(TrainTokenizerJob.run(SPARK.context(tokenizer)).status())
                .as("in the same output")
                .isEqualTo(JobResult.Status.DONE);
    }

    @Test
    void aClassifiersLossThatIsNotFiniteNamesTheSettingToLower() throws IOException {
        Recipe classifier = recipe("train_classifier", Map.of("train_classifier.lr", "1e30"));
        assertFails(ExitCode.DATA, () -> TrainClassifierJob.run(SPARK.context(classifier)))
                .matches("The (classifier's loss|gradient) .*; lower train_classifier\\.lr");
    }

    /** A recipe for images of 8 x 8 pixels, dark ones and bright ones. */
    private Recipe recipe(String section, Map<String, String> more) throws IOException {
        for (int i = 0; i < 12; i++) {
            byte[] gray = new byte[64];
            Arrays.fill(gray, (byte) (i % 2 == 0 ? 20 + i : 200 + i));
            Path image = folder.resolve("images/" + (i % 2 == 0 ? "dark/" : "bright/") + i + ".png");
            Files.createDirectories(image.getParent());
            Files.write(image, PngEncoder.encodeGray(8, 8, gray));
        }
        Map<String, String> values = new LinkedHashMap<>(Map.of(
                "image.size", "8",
                "model.tokens", "4",
                "model.codes", "8",
                "model.classes", "2",
                "tokenizer.codes", "8"));
        values.put(section + ".images", folder.resolve("images").toUri().toString());
        values.put(section + ".output", folder.resolve("out").toUri().toString());
        values.put(section + ".steps", "45");
        values.put(section + ".batch", "4");
        values.put(section + ".threads", "1");
        values.putAll(more);
        return Recipes.load("demo").with(values);
    }
}
