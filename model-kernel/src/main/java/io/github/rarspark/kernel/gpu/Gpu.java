package io.github.rarspark.kernel.gpu;

import java.util.Locale;

/**
 * A GPU.
 *
 * @param name the model, such as {@code NVIDIA A100-SXM4-80GB}
 * @param memoryBytes all of its memory
 * @param capability its compute capability, such as {@code 8.0}
 * @param bus its place on the PCI bus, as nvidia-smi names it; tells the GPUs of a machine apart, whatever a process
 *     calls them
 */
record Gpu(String name, long memoryBytes, String capability, String bus) {
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "%s (%.1f GB, compute capability %s, at %s)", name, memoryBytes / 1e9, capability, bus);
    }
}
