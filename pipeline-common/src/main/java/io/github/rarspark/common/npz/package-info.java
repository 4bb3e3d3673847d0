/** NumPy's {@code .npz} files, a zip archive of arrays: the layout of samples and reference statistics of ADM's suite. */
package io.github.rarspark.common.npz;
