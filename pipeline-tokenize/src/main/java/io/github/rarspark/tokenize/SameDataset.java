package io.github.rarspark.tokenize;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.kernel.error.DataException;
import java.util.List;

/** The rules by which rows of several generations are one dataset. */
final class SameDataset {
    private SameDataset() {}

    /**
     * Checks that rows can be added to an output.
     *
     * @param directory the output
     * @param there its manifest
     * @param added what the manifest of the new rows will say of tokenizer, crops and classes
     * @throws JobException {@link ExitCode#OUTPUT_EXISTS} if they are of another tokenizer or other crops
     * @throws DataException if their class ids have other meanings
     */
    static void require(String directory, TokenManifest there, TokenManifest added) {
        if (!there.tokenizerSha256().equals(added.tokenizerSha256())) {
            throw another(directory, "its tokens were made with another --tokenizer");
        }
        if (there.imageSize() != added.imageSize()) {
            throw another(directory, "image.size is " + added.imageSize() + ", was " + there.imageSize());
        }
        if (!there.crops().equals(added.crops())) {
            throw another(directory, "image.crops is " + added.crops() + ", was " + there.crops());
        }
        if (!there.classNames().equals(added.classNames())) {
            throw new DataException("Cannot add to " + directory + ": its class ids have other meanings, "
                    + difference(there.classNames(), added.classNames())
                    + "; a new or missing class shifts the others: tokenize all into another output");
        }
    }

    private static JobException another(String directory, String difference) {
        return new JobException(
                ExitCode.OUTPUT_EXISTS, "Cannot add to " + directory + ": " + difference + "; choose another --output");
    }

    private static String difference(List<String> was, List<String> is) {
        int same = 0;
        while (same < was.size() && same < is.size() && was.get(same).equals(is.get(same))) {
            same++;
        }
        return "class " + same + " is " + name(is, same) + ", was " + name(was, same);
    }

    private static String name(List<String> names, int id) {
        return id < names.size() ? "'" + names.get(id) + "'" : "not named";
    }
}
