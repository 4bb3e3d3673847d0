// What CUDA's kernels check and a CPU's do not.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

namespace fake {

using Arguments = c10::ArrayRef<c10::IValue>;

// Fails as CUDA's kernel would, or as a test has told it to.
void check(const c10::OperatorHandle& op, Arguments arguments);

// Fails if a test has had the context of this process broken.
void check_context();

// Whether CUDA would round the operands to TF32.
bool rounds_to_tf32(const std::string& name);

}  // namespace fake
