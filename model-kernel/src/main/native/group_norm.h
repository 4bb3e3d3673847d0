// Group normalization of images.
#pragma once

#include <ATen/ATen.h>

// SiLU of the group normalization of x [batch, channels, height, width]; weight and bias [channels]. On a CPU in float32,
// with channels innermost and without a backward pass, it takes two passes over x and gives each image the same bits
// whatever the others and the number of threads.
at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps);
