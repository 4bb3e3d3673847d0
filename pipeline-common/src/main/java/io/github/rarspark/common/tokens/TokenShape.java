package io.github.rarspark.common.tokens;

import io.github.rarspark.kernel.error.DataException;
import java.io.Serializable;

/**
 * The shape that a reader of tokens expects.
 *
 * @param tokens how many tokens a row has
 * @param codes tokens are less than this
 * @param classes class ids are less than this
 */
public record TokenShape(int tokens, int codes, int classes) implements Serializable {
    /**
     * Checks the manifest of an output.
     *
     * @throws DataException if it does not match
     */
    void check(TokenManifest manifest, String path) {
        if (manifest.tokens() != tokens) {
            throw new DataException("Cannot use the tokens in " + path + ": images have " + manifest.tokens()
                    + " tokens, but model.tokens=" + tokens + "; use the recipe they were made with");
        }
        if (manifest.codes() != codes) {
            throw new DataException("Cannot use the tokens in " + path + ": their tokenizer has " + manifest.codes()
                    + " codes, but model.codes=" + codes + "; use the recipe they were made with");
        }
        if (manifest.classNames().size() > classes) {
            throw new DataException("Cannot use the tokens in " + path + ": they have "
                    + manifest.classNames().size() + " classes, but model.classes=" + classes
                    + "; set model.classes=" + manifest.classNames().size());
        }
    }
}
