package io.github.rarspark.common.testing;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Weights, images and a recipe with which images of 8 x 8 pixels are generated and scored within milliseconds. */
public record TinyPipeline(Path folder) {
    /** The height and width of the images. */
    public static final int SIDE = 8;

    private static final int IMAGES = 30;
    private static final int CLASSES = 3;

    /** Writes all files. */
    public static TinyPipeline write(Path folder) throws IOException {
        return write(folder, IMAGES);
    }

    /** Writes all files, with {@code images} images of three classes. */
    public static TinyPipeline write(Path folder, int images) throws IOException {
        TinyPipeline tiny = new TinyPipeline(folder);
        Files.writeString(
                tiny.recipe(),
                """
                extends: demo
                image: {size: 8}
                tokenizer: {hidden_channels: 32, channel_mult: [1, 1], res_blocks: 1, z_channels: 8, codes: 16}
                model: {hidden: 16, layers: 2, heads: 2, mlp: 32, tokens: 16, codes: 16, classes: 3}
                generate: {count: 24, batch: 8, shard_images: 12, guidance: constant}
                fid: {batch: 8}
                """);
        Recipe recipe = Recipe.resolve(Recipes.parse(Files.readString(tiny.recipe()), "tiny"));
        TestWeights.write(
                tiny.weights(), Map.of(), KernelSettings.rar(recipe.model()).parameters(), TestWeights.gaussian(0.2));
        TestWeights.write(
                tiny.tokenizer(),
                Map.of(),
                new VqganConfig(32, List.of(1, 1), 1, 8, 16).table(),
                TestWeights.gaussian(0.2));
        ClassifierConfig classifier = new ClassifierConfig(SIDE, List.of(8, 8), 6, CLASSES);
        TestWeights.write(tiny.classifier(), classifier.metadata(), classifier.table());
        Random random = new Random(1);
        for (int i = 0; i < images; i++) {
            byte[] pixels = new byte[RgbImage.CHANNELS * SIDE * SIDE];
            random.nextBytes(pixels);
            Path file = tiny.images().resolve("class-" + i % CLASSES).resolve(i + ".png");
            Files.createDirectories(file.getParent());
            Files.write(file, PngEncoder.encode(new RgbImage(SIDE, SIDE, pixels)));
        }
        return tiny;
    }

    /** The recipe, which extends {@code demo}. */
    public Path recipe() {
        return folder.resolve("recipe.yaml");
    }

    /** Weights of the generator. */
    public Path weights() {
        return folder.resolve("model.safetensors");
    }

    /** Weights of the tokenizer. */
    public Path tokenizer() {
        return folder.resolve("tokenizer.safetensors");
    }

    /** Weights of the classifier whose features score. */
    public Path classifier() {
        return folder.resolve("classifier.safetensors");
    }

    /** The folder of the classes' folders. */
    public Path images() {
        return folder.resolve("images");
    }
}
