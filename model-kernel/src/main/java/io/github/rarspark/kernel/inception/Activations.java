package io.github.rarspark.kernel.inception;

import ai.djl.ndarray.NDArray;

/**
 * The network's activations for B images; float32.
 *
 * @param pool64 means of the map after the first max pool [B, 64]
 * @param pool192 means of the map after the second max pool [B, 192]
 * @param pool768 means of the map after Mixed_6e [B, 768]
 * @param pool3 means of the last map [B, 2048]: the features for FID, precision and recall
 * @param spatial the first 7 channels of the branch 1x1 of Mixed_6d, 17 x 17 each [B, 2023], channels innermost: the
 *     features for sFID (Nash et al., "Generating images with sparse representations", 2021)
 * @param logits class scores without the bias [B, 1008], for the Inception Score
 */
public record Activations(
        NDArray pool64, NDArray pool192, NDArray pool768, NDArray pool3, NDArray spatial, NDArray logits) {}
