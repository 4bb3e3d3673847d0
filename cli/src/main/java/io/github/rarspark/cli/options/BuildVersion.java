package io.github.rarspark.cli.options;

import io.github.rarspark.common.run.Version;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
public final class BuildVersion implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"rar-spark " + Version.CURRENT};
    }
}
