package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** One kind of golden case: numbers computed with a public implementation, in a folder. */
public interface GoldenCase {
    /** The kind's name. */
    String kind();

    /** Whether the folder holds a case of this kind, told by its file names. */
    boolean isIn(Path folder);

    /** Computes what the case states and compares; tensors are made below {@code manager}. */
    List<Check> check(Path folder, NDManager manager) throws IOException;
}
