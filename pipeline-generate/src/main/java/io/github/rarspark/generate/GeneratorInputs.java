package io.github.rarspark.generate;

import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenOrder;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.content.WeightContent.Kind;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.RarCost;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.vqgan.VqganCost;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.util.Map;

/**
 * The weights that a run generates with, checked. Driver only.
 *
 * @param spec for the tasks
 * @param metadata of the model's file
 * @param names of the classes, as far as the model's file or the recipe says
 * @param flopPerImage the floating-point operations to sample and decode an image
 */
record GeneratorInputs(GeneratorSpec spec, Map<String, String> metadata, ClassNames names, double flopPerImage) {
    private static final String HEAD = "lm_head.weight";
    /** Metadata of the model's file: the SHA-256 of the tokenizer that produced its training tokens. */
    private static final String TOKENIZER_SHA256 = "tokenizer_sha256";

    /**
     * The inputs of the recipe's section {@code generate}; reads each file twice, for its hash and its tensors' shapes.
     *
     * @throws DataException if weights, tokenizer and recipe do not match
     */
    static GeneratorInputs open(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        Storage storage = context.storage();
        GeneratorSpec spec = new GeneratorSpec(
                recipe.model(),
                recipe.generate(),
                WeightFile.of(storage, recipe.generate().weights()),
                WeightFile.of(storage, recipe.generate().tokenizer()),
                context.device());
        TensorFile rar = spec.weights().read(storage);
        TensorFile vqgan = spec.tokenizer().read(storage);
        check(spec, rar, vqgan, recipe.tokenizer().downsampling());
        String namesFile = recipe.generate().classNames();
        ClassNames names = namesFile.isEmpty()
                ? ClassNames.of(rar.metadata(), rar.file())
                : ClassNames.read(storage, namesFile, recipe.model().classes());
        boolean guided = recipe.generate().guidanceScale() != 0;
        double sampling = new RarCost(spec.config()).flopPerImage(guided);
        double decoding =
                new VqganCost(VqganConfig.of(vqgan)).decodeFlop(recipe.image().size());
        GeneratorInputs inputs = new GeneratorInputs(spec, rar.metadata(), names, sampling + decoding);
        inputs.requireOrder(spec.settings().order());
        return inputs;
    }

    /**
     * Checks that the model's positions are those of an order.
     *
     * @throws DataException if they are merged for another one
     */
    void requireOrder(TokenOrder order) {
        MergedPositions.require(
                metadata, KernelSettings.scanOrder(order), spec.weights().path(), "generate.order");
    }

    private static void check(GeneratorSpec spec, TensorFile rar, TensorFile vqgan, int downsampling) {
        WeightFile weights = spec.weights();
        WeightFile tokenizer = spec.tokenizer();
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
        WeightContent.require(spec.config().parameters(), rar);
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
