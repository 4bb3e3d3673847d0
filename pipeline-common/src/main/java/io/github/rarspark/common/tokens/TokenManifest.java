package io.github.rarspark.common.tokens;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.kernel.error.DataException;
import java.io.Serializable;
import java.util.List;

/**
 * The body of a token output's {@code _manifest.json}.
 *
 * @param planSha256 the hash that each shard's footer carries
 * @param tokenizerSha256 the hash of the tokenizer's weight file; empty if it is not known
 * @param imageSize the side of a crop in pixels
 * @param grid the side of the token grid
 * @param codes how many codes a token can be
 * @param crops which crops were made, in the recipe's notation
 * @param classNames the class names by class id; empty if the images had only numbers
 * @param images how many images were tokenized
 * @param rows how many rows all shards have: images times crops
 * @param quarantined how many images could not be used; {@code quarantine.jsonl} lists them
 * @param shards the shards, by name
 * @param statistics what the rows are like; null if the version that wrote them did not count
 */
public record TokenManifest(
        String planSha256,
        String tokenizerSha256,
        int imageSize,
        int grid,
        int codes,
        String crops,
        List<String> classNames,
        long images,
        long rows,
        long quarantined,
        List<ShardReceipt> shards,
        @JsonInclude(JsonInclude.Include.NON_NULL) TokenStatistics statistics)
        implements Serializable {

    /** What {@link #crops} is if the rows are not of crops, or nobody knows of which. */
    public static final String NO_CROPS = "none";

    /** Copies the lists. */
    public TokenManifest {
        classNames = List.copyOf(classNames);
        shards = List.copyOf(shards);
    }

    /**
     * The manifest of the tokens in {@code directory}.
     *
     * @throws DataException if it is another kind of output's
     */
    static TokenManifest of(Manifest.Content content, String directory) {
        if (content.as(Grid.class).grid() == null) {
            throw new DataException("Cannot read tokens from " + directory + ": it is not an output of tokenize; what"
                    + " generate --tokens keeps is in the folder tokens of its output");
        }
        return content.as(TokenManifest.class);
    }

    /** The manifest of several generations, whose plan is that of the last. */
    static TokenManifest together(List<TokenManifest> generations) {
        TokenManifest last = generations.get(generations.size() - 1);
        return new TokenManifest(
                last.planSha256,
                last.tokenizerSha256,
                last.imageSize,
                last.grid,
                last.codes,
                last.crops,
                last.classNames,
                generations.stream().mapToLong(TokenManifest::images).sum(),
                generations.stream().mapToLong(TokenManifest::rows).sum(),
                generations.stream().mapToLong(TokenManifest::quarantined).sum(),
                generations.stream()
                        .flatMap(generation -> generation.shards.stream())
                        .toList(),
                generations.stream().anyMatch(generation -> generation.statistics == null)
                        ? null
                        : TokenStatistics.together(generations.stream()
                                .map(TokenManifest::statistics)
                                .toList()));
    }

    /** What only manifests of tokens have. */
    private record Grid(Integer grid) {}

    /** Whether the tokens can be of the tokenizer whose file has this hash. */
    public boolean canBeOf(String sha256) {
        return tokenizerSha256.isEmpty() || tokenizerSha256.equals(sha256);
    }

    /** How many tokens an image has. */
    public int tokens() {
        return grid * grid;
    }
}
