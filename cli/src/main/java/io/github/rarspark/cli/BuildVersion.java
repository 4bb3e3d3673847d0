package io.github.rarspark.cli;

import io.github.rarspark.common.run.Version;
import picocli.CommandLine;

/** What {@code --version} prints. */
final class BuildVersion implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"rar-spark " + Version.CURRENT};
    }
}
