package io.github.rarspark.tokenize;

import ai.djl.Device;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.common.weights.WeightsCache;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.Serializable;

/**
 * The weights of a tokenizer, by location and content. Executors load them from there and check the content.
 *
 * @param file the weight file
 * @param config the architecture of the network
 */
record TokenizerFile(WeightFile file, VqganConfig config) implements Serializable {
    /**
     * Inspects the file at {@code path}.
     *
     * @throws DataException if it is not a tokenizer's
     */
    static TokenizerFile inspect(Storage storage, String path) throws IOException {
        WeightFile weights = WeightFile.given(storage, "--tokenizer", path);
        TensorFile file = weights.read(storage);
        WeightContent.require(WeightContent.Kind.VQGAN, file, "--tokenizer");
        VqganConfig config = VqganConfig.of(file);
        WeightContent.require(config.table(), file);
        return new TokenizerFile(weights, config);
    }

    /**
     * Checks that the tokenizer matches the recipe.
     *
     * @throws DataException if it does not
     */
    void requireFits(Recipe recipe) {
        if (config.downsampling() != recipe.tokenizer().downsampling()) {
            throw new DataException("Cannot use --tokenizer " + file.path() + ": its downsampling factor is "
                    + config.downsampling() + ", but that of tokenizer.channel_mult="
                    + recipe.get("tokenizer.channel_mult") + " is "
                    + recipe.tokenizer().downsampling() + "; use the recipe it was trained with");
        }
        if (config.codes() != recipe.tokenizer().codes()) {
            throw new DataException("Cannot use --tokenizer " + file.path() + ": it has " + config.codes()
                    + " codes, but tokenizer.codes=" + recipe.tokenizer().codes()
                    + "; use the recipe it was trained with");
        }
    }

    /** Leases the weights that the executor's tasks share; the first task loads them. */
    WeightsCache.Lease<LoadedTokenizer> lease(Storage storage, Device device) {
        return LoadedTokenizer.lease(file, storage, device);
    }
}
