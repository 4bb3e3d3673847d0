package io.github.rarspark.kernel.jni;

import ai.djl.engine.Engine;
import io.github.rarspark.kernel.error.NativeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Loads the prebuilt bridge, after DJL has loaded the libtorch that it links against. */
final class BridgeLibrary {
    private static final String RESOURCE = "/native/linux-x86_64/librarspark.so";

    private BridgeLibrary() {}

    /**
     * Loads DJL's libtorch, then the bridge from a private copy of the resource, which is deleted once mapped.
     *
     * @throws NativeException if the library is not in the jar or does not load
     */
    static void load() {
        Engine.getEngine("PyTorch");
        try (InputStream resource = BridgeLibrary.class.getResourceAsStream(RESOURCE)) {
            if (resource == null) {
                throw new NativeException("Cannot load the native bridge: " + RESOURCE + " is not in the jar");
            }
            Path copy = Files.createTempFile("librarspark", ".so");
            try {
                Files.copy(resource, copy, StandardCopyOption.REPLACE_EXISTING);
                System.load(copy.toString());
            } finally {
                Files.delete(copy);
            }
        } catch (IOException | UnsatisfiedLinkError e) {
            throw new NativeException("Cannot load the native bridge: " + e.getMessage(), e);
        }
    }
}
