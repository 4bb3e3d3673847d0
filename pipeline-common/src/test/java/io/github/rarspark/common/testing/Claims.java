package io.github.rarspark.common.testing;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.ClaimSettings;
import java.io.IOException;

/** Claims of outputs that are not finished, with leases that outlast a test. */
public final class Claims {
    private static final ClaimSettings SETTINGS = new ClaimSettings(60, 120);

    private Claims() {}

    /** The output at {@code directory} before it is claimed; notices go nowhere. */
    public static RunOutput output(Storage storage, String directory) {
        return new RunOutput(storage, directory, SETTINGS, notice -> {});
    }

    /** Claims the output at {@code directory} for {@code plan}; the caller closes the claim. */
    public static OutputClaim claim(Storage storage, String directory, Plan plan) throws IOException {
        return output(storage, directory).claim(plan).orElseThrow();
    }
}
