package io.github.rarspark.generate;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.ModelSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.content.WeightContent.Kind;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.Serializable;

/**
 * Models and settings that generate the images; sent to the tasks.
 *
 * @param model architecture of the RAR model
 * @param settings settings of sampling
 * @param weights of the RAR model
 * @param tokenizer weights of the tokenizer
 */
record GeneratorSpec(ModelSettings model, GenerateSettings settings, WeightFile weights, WeightFile tokenizer)
        implements Serializable {
    private static final String HEAD = "lm_head.weight";
    /** Metadata of the model's file: the SHA-256 of the tokenizer that produced its training tokens. */
    private static final String TOKENIZER_SHA256 = "tokenizer_sha256";

    /**
     * The recipe's generator; checks that its weight files match the recipe and each other.
     *
     * @throws DataException if they do not match
     */
    static GeneratorSpec of(Storage storage, Recipe recipe) throws IOException {
        GeneratorSpec spec = new GeneratorSpec(
                recipe.model(),
                recipe.generate(),
                WeightFile.of(storage, recipe.generate().weights()),
                WeightFile.of(storage, recipe.generate().tokenizer()));
        spec.check(storage, recipe.tokenizer().downsampling());
        return spec;
    }

    RarConfig config() {
        return KernelSettings.rar(model);
    }

    private void check(Storage storage, int downsampling) throws IOException {
        TensorFile rar = weights.read(storage);
        TensorFile vqgan = tokenizer.read(storage);
        requireNotSwapped(rar, vqgan);
        WeightContent.require(Kind.RAR, rar, "--weights");
        WeightContent.require(Kind.VQGAN, vqgan, "--tokenizer");
        VqganConfig decoder = VqganConfig.of(vqgan);
        long codes = rar.tensor(HEAD).shape().get(0);
        if (codes != decoder.codes()) {
            throw new DataException("Cannot decode tokens of " + weights.path() + ": it predicts " + codes
                    + " codes, but the tokenizer " + tokenizer.path() + " has " + decoder.codes()
                    + "; give the tokenizer that it was trained with");
        }
        String trainedWith = rar.metadata().getOrDefault(TOKENIZER_SHA256, tokenizer.sha256());
        if (!trainedWith.equals(tokenizer.sha256())) {
            throw new DataException("Cannot decode tokens of " + weights.path() + ": it was trained on tokens of the"
                    + " tokenizer with SHA-256 " + trainedWith + ", and that of " + tokenizer.path() + " is "
                    + tokenizer.sha256() + "; give the tokenizer that it was trained with");
        }
        if (decoder.downsampling() != downsampling) {
            throw new DataException("Cannot decode with " + tokenizer.path() + ": its upsampling factor is "
                    + decoder.downsampling() + ", but the recipe's tokenizer.channel_mult gives " + downsampling
                    + "; use the recipe that it was trained with");
        }
        WeightContent.require(config().parameters(), rar);
        MergedPositions.require(
                rar.metadata(), KernelSettings.scanOrder(settings.order()), weights.path(), "generate.order");
    }

    private static void requireNotSwapped(TensorFile weights, TensorFile tokenizer) {
        WeightContent first = WeightContent.of(weights.tensors());
        WeightContent second = WeightContent.of(tokenizer.tensors());
        if (first.kind() == Kind.VQGAN && second.kind() == Kind.RAR) {
            throw new DataException("Cannot generate: --weights and --tokenizer are swapped: " + weights.file() + " is "
                    + first.description() + ", and " + tokenizer.file() + " is " + second.description());
        }
    }
}
