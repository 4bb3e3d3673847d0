package io.github.rarspark.kernel.tensor;

import ai.djl.engine.Engine;
import io.github.rarspark.kernel.error.NativeLoadException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Function;

/**
 * The native bridge to libtorch, a prebuilt library among the resources. Every path to a native method calls {@link
 * #load}, in the method's class or where its arguments are created.
 */
public final class NativeLibrary {
    private static final String RESOURCE = "/native/linux-x86_64/librarspark.so";

    /** Why the library could not be loaded; null if it was. */
    private static final Throwable FAILURE = tryToLoad();

    private NativeLibrary() {}

    /**
     * Ensures that the library is loaded; the first call loads DJL's libtorch and then the bridge.
     *
     * @throws NativeLoadException if it cannot be loaded, in every call
     */
    public static void load() {
        if (FAILURE != null) {
            throw new NativeLoadException("Cannot load the native bridge to libtorch: " + reason(FAILURE), FAILURE);
        }
    }

    /** Of a library that is missing, what is said last, because DJL wraps its name; else all that is said, once. */
    static String reason(Throwable failure) {
        StringBuilder all = new StringBuilder();
        String last = "";
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            last = said(cause);
            if (cause instanceof UnsatisfiedLinkError && cause.getCause() == null) {
                return last;
            }
            if (all.indexOf(last) < 0) {
                all.append(all.isEmpty() ? "" : ": ").append(last);
            }
        }
        return all.toString();
    }

    /** A word alone, such as the name of a host or a class, says nothing without the type. */
    private static String said(Throwable failure) {
        String type = failure.getClass().getSimpleName();
        String line = String.valueOf(failure.getMessage())
                .lines()
                .findFirst()
                .orElse("")
                .strip();
        if (failure.getMessage() == null || line.isEmpty()) {
            return type;
        }
        return line.contains(" ") ? line : type + ": " + line;
    }

    /** The SHA-256 of the sources that the library was built from, in hexadecimal. */
    static String builtFrom() {
        load();
        return sourceHash();
    }

    private static native String sourceHash();

    /**
     * Returns failures instead of throwing them: thrown from a static initializer, they would reach only the first
     * caller.
     */
    private static Throwable tryToLoad() {
        try {
            Engine.getEngine("PyTorch");
            return withCopy(RESOURCE, path -> {
                System.load(path);
                return null;
            });
        } catch (IOException | RuntimeException | LinkageError e) {
            return e;
        }
    }

    /** Loads a library from a copy of its resource, whose path {@code load} gets; then the copy is deleted. */
    public static <R> R withCopy(String library, Function<String, R> load) throws IOException {
        try (InputStream resource = NativeLibrary.class.getResourceAsStream(library)) {
            if (resource == null) {
                throw new IOException(library + " is not in the jar");
            }
            Path copy = Files.createTempFile("librarspark", ".so");
            try {
                Files.copy(resource, copy, StandardCopyOption.REPLACE_EXISTING);
                return load.apply(copy.toString());
            } finally {
                Files.delete(copy);
            }
        }
    }
}
