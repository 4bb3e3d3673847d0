/**
 * The MaskGIT-VQGAN tokenizer: images to a grid of codebook indices and back (Chang et al., MaskGIT, CVPR 2022; Esser et
 * al., VQGAN, CVPR 2021), and the training of small ones.
 */
package io.github.rarspark.kernel.vqgan;
