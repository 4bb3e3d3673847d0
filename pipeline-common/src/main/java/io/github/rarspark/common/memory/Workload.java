package io.github.rarspark.common.memory;

import io.github.rarspark.conf.Recipe;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The jobs that compute on executors, by what they compute. */
public enum Workload {
    /** Encodes images to tokens. */
    TOKENIZE,
    /** Trains a RAR model. */
    TRAIN,
    /** Samples tokens and decodes them. */
    GENERATE,
    /** Computes features. */
    FID;

    /** The name of its command, which is the section of its keys. */
    public String command() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The workload of a command; empty if the command is none. */
    public static Optional<Workload> of(String command) {
        return Arrays.stream(values())
                .filter(workload -> workload.command().equals(command))
                .findFirst();
    }

    /** The libtorch threads of a task. */
    public int threads(Recipe recipe) {
        return switch (this) {
            case TOKENIZE -> recipe.tokenize().threads();
            case TRAIN -> recipe.train().threads();
            case GENERATE -> recipe.generate().threads();
            case FID -> recipe.fid().threads();
        };
    }

    /** The output of the job; empty if the recipe names none. */
    public String output(Recipe recipe) {
        return switch (this) {
            case TOKENIZE -> recipe.tokenize().output();
            case TRAIN -> recipe.train().output();
            case GENERATE -> recipe.generate().output();
            case FID -> recipe.fid().output();
        };
    }

    /** What to change in the recipe for less memory. */
    public String lessMemory(Recipe recipe) {
        return switch (this) {
            case TOKENIZE -> "lower tokenize.batch";
            case TRAIN -> recipe.train().activationCheckpointing()
                    ? "lower train.micro_batch"
                    : "lower train.micro_batch, set train.activation_checkpointing=true";
            case GENERATE -> "lower generate.batch";
            case FID -> "lower fid.batch";
        };
    }
}
