// Convolutions through oneDNN.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string_view>
#include <vector>

// What a convolution is besides its weight [out, in, height, width]; padding is that of height and width, by zeros.
struct Window {
  int64_t stride;
  std::vector<int64_t> padding;

  std::vector<int64_t> strides() const { return {stride, stride}; }
};

// A weight in the layout of oneDNN's kernels for inputs of about `side` pixels squared; others are computed as well, but
// may take longer. A kernel of one pixel becomes the matrix [out, in] of a linear layer.
at::Tensor pack_convolution(const at::Tensor& weight, const Window& window, int64_t side);

// The convolution of x [batch, in, height, width] plus bias; `activation` is "none" or "relu". If the weight is packed, the
// result has its channels innermost, and nothing is recorded for a backward pass.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       const Window& window, std::string_view activation);

// A weight [out, in, 3, 3] for upsampled_convolution. Each of the four pixels that an input's pixel becomes sees 2 x 2 of the
// input's pixels, some of them more than once: the result is a kernel of 2 x 2 for each of the four, with the weights of
// what is the same pixel added up, [4 * out, in, 2, 2] and packed.
at::Tensor pack_upsampled_convolution(const at::Tensor& weight, int64_t side);

// The convolution with padding 1 of x upsampled by two (nearest neighbour), plus bias. A packed weight takes 4 / 9 of the
// multiplications.
at::Tensor upsampled_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// The convolution of x without bias, plus `sum`, over which the result is written if the weight is packed.
at::Tensor add_convolution(const at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight, const Window& window);
