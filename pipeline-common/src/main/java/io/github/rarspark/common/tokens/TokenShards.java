package io.github.rarspark.common.tokens;

import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.List;

/** The finished output of a tokenization. Only what its manifest lists is read, and each shard is checked against it. */
public final class TokenShards implements TokenSource {
    private static final long serialVersionUID = 1L;

    private final Storage storage;
    private final String directory;
    private final TokenManifest manifest;
    private final String sha256;
    private final TokenShape shape;

    private TokenShards(Storage storage, String directory, TokenManifest manifest, String sha256, TokenShape shape) {
        this.storage = storage;
        this.directory = directory;
        this.manifest = manifest;
        this.sha256 = sha256;
        this.shape = shape;
    }

    static TokenShards open(Storage storage, String directory, TokenShape shape) throws IOException {
        TokenManifest manifest = TokenManifest.read(storage, directory);
        shape.check(manifest, directory);
        return new TokenShards(storage, directory, manifest, Manifest.sha256(storage, directory), shape);
    }

    /**
     * Opens an output whatever its shape is.
     *
     * @throws io.github.rarspark.common.JobException {@link io.github.rarspark.common.ExitCode#NO_INPUT} if it has no
     *     manifest
     * @throws DataException if the manifest is damaged
     */
    public static TokenShards open(Storage storage, String directory) throws IOException {
        TokenManifest manifest = TokenManifest.read(storage, directory);
        int classes = manifest.classNames().isEmpty()
                ? Integer.MAX_VALUE
                : manifest.classNames().size();
        return open(storage, directory, new TokenShape(manifest.tokens(), manifest.codes(), classes));
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
