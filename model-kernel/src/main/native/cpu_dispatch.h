// From the type of a tensor to that of the kernels.
#pragma once

#include "cpu_kernels.h"

#include <ATen/ATen.h>

namespace cpu {

// Whether there are kernels for tensors like x.
inline bool has_kernels(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

// Calls `body` with a value of the kernels' type for `type`.
template <typename Body>
void with_type(at::ScalarType type, Body body) {
  if (type == at::kFloat) {
    body(float{});
  } else {
    TORCH_CHECK(type == at::kBFloat16, "the kernels compute in float32 or bfloat16, not in ", type);
    body(Bfloat16{});
  }
}

}  // namespace cpu
