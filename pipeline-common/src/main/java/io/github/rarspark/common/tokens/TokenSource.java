package io.github.rarspark.common.tokens;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Tokens to read: the output of a tokenization, which is a manifest and shards, or one file of lines. A small handle
 * that can be sent to the tasks.
 */
public sealed interface TokenSource extends Serializable permits TokenShards, TokenLines {
    /**
     * Opens the tokens at {@code path}: an output directory, or a {@code .jsonl} file in the public format.
     *
     * @param option the option that names it, such as {@code --tokens}, for messages
     * @param shape the expected shape of the rows
     * @throws JobException {@link ExitCode#NO_INPUT} if it does not exist or is not a finished output
     * @throws DataException if the output is corrupt, does not match {@code shape} or has no rows
     */
    static TokenSource open(Storage storage, String option, String path, TokenShape shape) throws IOException {
        PreFlight.requireInput(storage, option, path);
        TokenSource source = path.endsWith(".jsonl")
                ? TokenLines.open(storage, path, shape)
                : TokenShards.open(storage, path, shape);
        if (source.rows() == 0) {
            throw new DataException("Cannot use the tokens in " + path + ": it has no rows; give tokens of images");
        }
        return source;
    }

    /**
     * Opens the tokens at {@code path} as {@link #open} does, for a job that writes {@code output}: what its plan began
     * with, even if the tokens have grown by generations since.
     *
     * @param output an output whose plan, if there is one, names the tokens {@value #INPUT}
     * @param notices receives a line if there are more generations than the job reads
     */
    static TokenSource openPinned(
            Storage storage, String option, String path, TokenShape shape, String output, Consumer<String> notices)
            throws IOException {
        TokenSource source = open(storage, option, path, shape);
        String begun = RunOutput.lastPlan(storage, output)
                .map(plan -> plan.inputs().get(INPUT))
                .orElse(null);
        if (!(source instanceof TokenShards all) || begun == null) {
            return source;
        }
        Optional<TokenShards> earlier = all.before(begun);
        earlier.ifPresent(pinned -> notices.accept("of the " + all.generations() + " generations in " + path + ", "
                + output + " has the first " + (pinned.generations() == 1 ? "" : pinned.generations() + " ")
                + "only, which it began with; choose another --output for all"));
        return earlier.isPresent() ? earlier.get() : source;
    }

    /** The name that plans give tokens. */
    String INPUT = "tokens";

    /** Identifies the content, for the plan of a job that reads it. */
    String sha256();

    /** The number of rows. */
    long rows();

    /** The number of tokens of each row. */
    int tokensPerRow();

    /** The class names by class id; empty if they are not known. */
    List<String> classNames();

    /** The number of blocks of rows. */
    int blocks();

    /** How many rows each block has, from what was read when the source was opened. */
    List<Long> blockRows();

    /** What a model that is trained on the tokens will lack, one line each. */
    default List<String> warnings() {
        return List.of();
    }

    /**
     * Reads one block, whole and in its order; reads its bytes once.
     *
     * @throws DataException if it is corrupt, has changed since the source was opened, or a row does not match
     */
    TokenBlock read(int block) throws IOException;
}
