// oneDNN's operations in libtorch.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

// libtorch has these operations for its compiler and declares no functions for them.
template <typename Signature>
auto onednn_operation(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

// The parameters of activations that have some.
using OnednnScalars = c10::List<std::optional<at::Scalar>>;
