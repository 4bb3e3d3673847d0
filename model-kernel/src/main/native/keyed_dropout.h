// Dropout whose masks are a function of keys, so that they depend on neither ranks, threads nor the order of evaluation.
#pragma once

#include <ATen/ATen.h>

#include <vector>

// x with elements zeroed with probability p and the others scaled by 1 / (1 - p). Row r (axis 0) draws from the stream
// keys[r].
at::Tensor keyed_dropout(const at::Tensor& x, double p, const std::vector<int64_t>& keys);

// Causal attention of q, k, v [batch, heads, positions, width] with dropout on the attention weights; entry b of the batch
// draws from keys[b].
at::Tensor attention_with_dropout(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double p,
                                  const std::vector<int64_t>& keys);
