// Linear layers through oneDNN.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string_view>

// A weight [out, in] in the layout of oneDNN's kernels.
at::Tensor pack_linear(const at::Tensor& weight);

// x times the transposed weight, plus bias; `activation` is "none", "relu" or "gelu", the exact one. If the weight is packed, x is
// converted to its type, and nothing is recorded for a backward pass.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                  std::string_view activation);
