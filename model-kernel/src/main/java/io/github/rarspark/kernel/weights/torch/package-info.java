/**
 * The two formats of {@code torch.save}: a zip archive since PyTorch 1.6, consecutive pickles before. Pickles are read
 * by a restricted interpreter that executes nothing.
 */
package io.github.rarspark.kernel.weights.torch;
