package io.github.rarspark.common.testing;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local file system, of which some files cannot be opened. One test at a time. */
public final class FaultyFiles extends LocalFileSystem {
    private static final String LIKE_AN_OBJECT_STORE = "rarspark.test.like_an_object_store";
    private static final Set<Fault> FAULTS = ConcurrentHashMap.newKeySet();

    /** Throws if opening {@code path} is to fail. */
    @FunctionalInterface
    public interface Fault {
        /** Called whenever a file is opened. */
        void open(Path path) throws IOException;
    }

    /** Made by Hadoop. */
    public FaultyFiles() {
        super(new Raw());
    }

    /** A configuration with only this fault. */
    public static Configuration with(Fault fault) {
        FAULTS.clear();
        FAULTS.add(fault);
        Configuration configuration = new Configuration();
        configuration.set("fs.file.impl", FaultyFiles.class.getName());
        configuration.setBoolean("fs.file.impl.disable.cache", true);
        return configuration;
    }

    /** A configuration with only this fault, of a storage that says of itself what an object store says. */
    public static Configuration likeAnObjectStore(Fault fault) {
        Configuration configuration = with(fault);
        configuration.setBoolean(LIKE_AN_OBJECT_STORE, true);
        return configuration;
    }

    /** A configuration whose files of such names fail with the exception of this text. */
    public static Configuration failing(Predicate<String> names, String text) {
        return with(path -> {
            if (names.test(path.getName())) {
                throw new IOException(text);
            }
        });
    }

    private static final class Raw extends RawLocalFileSystem {
        @Override
        public boolean hasPathCapability(Path path, String capability) throws IOException {
            boolean abortable = capability.equals(CommonPathCapabilities.ABORTABLE_STREAM);
            return abortable && getConf().getBoolean(LIKE_AN_OBJECT_STORE, false)
                    || super.hasPathCapability(path, capability);
        }

        @Override
        public FSDataInputStream open(Path path, int bufferSize) throws IOException {
            for (Fault fault : FAULTS) {
                fault.open(path);
            }
            return super.open(path, bufferSize);
        }
    }
}
