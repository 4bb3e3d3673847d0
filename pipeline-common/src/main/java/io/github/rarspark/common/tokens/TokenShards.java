package io.github.rarspark.common.tokens;

import io.github.rarspark.common.run.Generation;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The finished output of a tokenization. Only what its manifest lists is read, and each shard is checked against it. */
public final class TokenShards implements TokenSource {
    private static final long serialVersionUID = 1L;

    private final Storage storage;
    private final String directory;
    private final TokenManifest manifest;
    private final List<Generation> generations;
    private final String sha256;
    private final TokenShape shape;

    private TokenShards(
            Storage storage,
            String directory,
            TokenManifest manifest,
            List<Generation> generations,
            String sha256,
            TokenShape shape) {
        this.storage = storage;
        this.directory = directory;
        this.manifest = manifest;
        this.generations = List.copyOf(generations);
        this.sha256 = sha256;
        this.shape = shape;
    }

    static TokenShards open(Storage storage, String directory, TokenShape shape) throws IOException {
        return open(storage, directory, Manifest.open(storage, directory), shape);
    }

    private static TokenShards open(Storage storage, String directory, Manifest.Content content, TokenShape shape) {
        TokenManifest manifest = TokenManifest.of(content, directory);
        shape.check(manifest, directory);
        List<Generation> generations = TokenGenerations.listed(content);
        String sha256 = generations.isEmpty() ? content.sha256() : identity(generations, generations.size());
        return new TokenShards(storage, directory, manifest, generations, sha256, shape);
    }

    private static String identity(List<Generation> generations, int first) {
        return Generation.identity(
                generations.subList(0, first).stream().map(Generation::sha256).toList());
    }

    /**
     * Opens an output whatever its shape is.
     *
     * @throws io.github.rarspark.common.JobException {@link io.github.rarspark.common.ExitCode#NO_INPUT} if it has no
     *     manifest
     * @throws DataException if the manifest is damaged
     */
    public static TokenShards open(Storage storage, String directory) throws IOException {
        Manifest.Content content = Manifest.open(storage, directory);
        TokenManifest manifest = TokenManifest.of(content, directory);
        int classes = manifest.classNames().isEmpty()
                ? Integer.MAX_VALUE
                : manifest.classNames().size();
        return open(storage, directory, content, new TokenShape(manifest.tokens(), manifest.codes(), classes));
    }

    /**
     * The first generations alone, if they were what {@code sha256} identified before the output grew; empty if it never
     * identified less than the present content.
     *
     * @throws DataException if the manifest of one of them is damaged
     */
    Optional<TokenShards> before(String sha256) throws IOException {
        for (int first = 1; first < generations.size(); first++) {
            if (identity(generations, first).equals(sha256)) {
                List<Generation> earlier = generations.subList(0, first);
                return Optional.of(new TokenShards(
                        storage,
                        directory,
                        TokenGenerations.together(storage, directory, earlier),
                        earlier,
                        sha256,
                        shape));
            }
        }
        return Optional.empty();
    }

    /** The number of generations. */
    public int generations() {
        return Math.max(1, generations.size());
    }

    /**
     * Checks that the manifest of all generations has what those of each have.
     *
     * @throws DataException if it has not
     */
    public void checkGenerations() throws IOException {
        if (!generations.isEmpty()
                && !TokenGenerations.together(storage, directory, generations).equals(manifest)) {
            throw new DataException("Cannot read " + Storage.child(directory, Manifest.NAME)
                    + ": its shards or totals are not those of the generations that it lists; tokenize again into"
                    + " another output");
        }
    }

    /** What the output says of itself. */
    public TokenManifest manifest() {
        return manifest;
    }

    @Override
    public String sha256() {
        return sha256;
    }

    @Override
    public long rows() {
        return manifest.rows();
    }

    @Override
    public int tokensPerRow() {
        return shape.tokens();
    }

    @Override
    public List<String> classNames() {
        return manifest.classNames();
    }

    @Override
    public int blocks() {
        return manifest.shards().size();
    }

    @Override
    public List<Long> blockRows() {
        return manifest.shards().stream().map(ShardReceipt::rows).toList();
    }

    @Override
    public List<String> warnings() {
        int named = manifest.classNames().size();
        return named == 0 || named == shape.classes()
                ? List.of()
                : List.of("the tokens in " + directory + " are of " + named + " classes, and model.classes="
                        + shape.classes() + ": the model learns nothing about the classes from " + named
                        + " on; set model.classes=" + named + " unless it is to learn them later");
    }

    @Override
    public TokenBlock read(int block) throws IOException {
        ShardReceipt shard = manifest.shards().get(block);
        String path = Storage.child(directory, shard.name());
        byte[] content = shard.content(storage, path, "tokenize again into another output");
        TokenBlock.Builder rows = new TokenBlock.Builder(shape, path, shard.rows());
        TokenFormat.ROWS.read(content, row -> {
            rows.row(row.classId(), row.tokens().length);
            for (long token : row.tokens()) {
                rows.token(token);
            }
        });
        return rows.build();
    }
}
