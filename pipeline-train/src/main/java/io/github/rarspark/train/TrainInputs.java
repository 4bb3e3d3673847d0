package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What the ranks read, apart from checkpoints. Driver only.
 *
 * @param tokens the samples
 * @param init the weights to start from, if not from random ones
 * @param tokenizer draws samples, if wanted
 */
record TrainInputs(TokenSource tokens, Optional<WeightFile> init, Optional<WeightFile> tokenizer) {
    /**
     * Opens the inputs of {@code recipe.train()}.
     *
     * @param notices receives a line if a training that resumes leaves out tokens that came later
     * @throws JobException {@link ExitCode#NO_INPUT} if something is missing, {@link ExitCode#DATA} if the tokenizer is
     *     not that of the tokens
     * @throws DataException if tokens or weights do not match the model
     */
    static TrainInputs open(Storage storage, Recipe recipe, Consumer<String> notices) throws IOException {
        TokenSource tokens = TokenSource.openPinned(
                storage,
                "--tokens",
                recipe.train().tokens(),
                shape(recipe),
                recipe.train().output(),
                notices);
        Optional<WeightFile> tokenizer = tokenizer(storage, recipe, tokens);
        return new TrainInputs(tokens, init(storage, recipe), tokenizer);
    }

    /** The tokens alone. */
    static TokenSource tokens(Storage storage, Recipe recipe) throws IOException {
        return TokenSource.open(storage, "--tokens", recipe.train().tokens(), shape(recipe));
    }

    private static TokenShape shape(Recipe recipe) {
        return new TokenShape(
                recipe.model().tokens(), recipe.model().codes(), recipe.model().classes());
    }

    /** The hashes of the inputs that determine the weights, for the plan. */
    Map<String, String> sha256() {
        Map<String, String> hashes = new LinkedHashMap<>();
        hashes.put(TokenSource.INPUT, tokens.sha256());
        init.ifPresent(weights -> hashes.put("init", weights.sha256()));
        return hashes;
    }

    private static Optional<WeightFile> init(Storage storage, Recipe recipe) throws IOException {
        TrainSettings settings = recipe.train();
        if (settings.init().isEmpty()) {
            return Optional.empty();
        }
        WeightFile weights = WeightFile.given(storage, "--init", settings.init());
        TensorFile file = weights.read(storage);
        WeightContent.require(WeightContent.Kind.RAR, file, "--init");
        WeightContent.require(KernelSettings.rar(recipe.model()).parameters(), file);
        if (MergedPositions.order(file.metadata()).isPresent()) {
            throw new DataException("Cannot train from " + settings.init() + ": its positions are merged for the order "
                    + MergedPositions.order(file.metadata()).get().label() + "; give the weights before merging");
        }
        return Optional.of(weights);
    }

    /** The tokenizer decodes the samples, so it must be the one that produced the training tokens. */
    private static Optional<WeightFile> tokenizer(Storage storage, Recipe recipe, TokenSource tokens)
            throws IOException {
        TrainSettings settings = recipe.train();
        if (settings.tokenizer().isEmpty()) {
            return Optional.empty();
        }
        WeightFile tokenizer = WeightFile.given(storage, "--tokenizer", settings.tokenizer());
        TensorFile file = tokenizer.read(storage);
        WeightContent.require(WeightContent.Kind.VQGAN, file, "--tokenizer");
        int codes = VqganConfig.of(file).codes();
        boolean another =
                tokens instanceof TokenShards shards && !shards.manifest().canBeOf(tokenizer.sha256());
        if (codes != recipe.model().codes() || another) {
            throw new JobException(
                    ExitCode.DATA,
                    "Cannot use the tokenizer " + settings.tokenizer() + " (" + codes + " codes): the tokens in "
                            + settings.tokens() + " (" + recipe.model().codes()
                            + " codes) were made with another one; give that one or omit --tokenizer");
        }
        return Optional.of(tokenizer);
    }
}
