// What the files of gpu-check share: calls of the bridge's native methods, numbers to compute with, and the table of what
// was compared.
#pragma once

#include "jni.h"

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace check {

// ---- calls ----

// The one environment; all checks run on one thread.
extern JNIEnv environment;

inline jlong argument(const at::Tensor& x) {
  return x.defined() ? reinterpret_cast<jlong>(&x) : 0;
}

inline jlongArray argument(const std::vector<int64_t>& numbers) {
  return environment.make<_jnumbers<jlong>>(numbers);
}

inline jlongArray argument(const std::vector<at::Tensor>& tensors) {
  std::vector<jlong> handles;
  for (const auto& x : tensors) {
    handles.push_back(argument(x));
  }
  return environment.make<_jnumbers<jlong>>(handles);
}

inline jstring argument(const char* text) {
  return environment.make<_jtext>(text);
}

template <typename T>
std::enable_if_t<std::is_arithmetic_v<T>, T> argument(T number) {
  return number;
}

inline at::Tensor adopt(jlong handle) {
  std::unique_ptr<at::Tensor> owned(reinterpret_cast<at::Tensor*>(handle));
  return *owned;
}

// Calls a native method. Its exception becomes a C++ exception.
template <typename Result, typename... Parameters, typename... Arguments>
Result call(Result (*native)(JNIEnv*, jclass, Parameters...), const Arguments&... arguments) {
  if constexpr (std::is_void_v<Result>) {
    native(&environment, nullptr, argument(arguments)...);
    environment.throw_pending();
  } else {
    Result result = native(&environment, nullptr, argument(arguments)...);
    environment.throw_pending();
    return result;
  }
}

// Calls a native method that gives Java a tensor.
template <typename... Parameters, typename... Arguments>
at::Tensor tensor_of(jlong (*native)(JNIEnv*, jclass, Parameters...), const Arguments&... arguments) {
  return adopt(call(native, arguments...));
}

// Calls a native method that gives Java several tensors.
template <typename... Parameters, typename... Arguments>
std::vector<at::Tensor> tensors_of(jlongArray (*native)(JNIEnv*, jclass, Parameters...), const Arguments&... arguments) {
  std::vector<at::Tensor> tensors;
  for (jlong handle : call(native, arguments...)->values) {
    tensors.push_back(adopt(handle));
  }
  return tensors;
}

// ---- numbers ----

// The same numbers on the device in a type, and on the CPU in float64, for a result that the device's is compared with.
struct Numbers {
  at::Tensor given;
  at::Tensor exact;
};

// The device and the type that a group of checks computes in.
class Place {
 public:
  Place(at::Device device, at::ScalarType type) : device_(device), type_(type) {}

  // Normally distributed, the same in every process.
  Numbers numbers(at::IntArrayRef shape, double deviation = 1) const;
  // On the device in the place's type.
  at::Tensor on(const at::Tensor& x) const { return x.to(device_, type_); }

  at::Device device() const { return device_; }
  at::ScalarType type() const { return type_; }
  bool is_cpu() const { return device_.is_cpu(); }
  const char* label() const { return type_ == at::kBFloat16 ? "bf16" : "fp32"; }
  // The maximum error, relative to the largest number of a result, of sums of a thousand products. Products that are
  // rounded to TF32 exceed it.
  double tolerance() const { return type_ == at::kBFloat16 ? 2e-2 : 2e-5; }

 private:
  at::Device device_;
  at::ScalarType type_;
};

// ---- results ----

struct Row {
  std::string name;
  std::string type;
  double error = 0;
  double tolerance = 0;
  double milliseconds = 0;
  std::string failure;  // empty if it passed
};

class Report {
 public:
  explicit Report(at::Device device) : device_(device) {}

  // Compares what `compute` returns with the exact result.
  void compare(const std::string& name, const Place& place, const at::Tensor& exact,
               const std::function<at::Tensor()>& compute, std::optional<double> tolerance = std::nullopt);
  // Runs a check that throws where something is wrong.
  void run(const std::string& name, const std::string& type, const std::function<void()>& body);
  void skip(const std::string& what, const std::string& reason) { skipped_.push_back(what + ": " + reason); }

  void print() const;
  void write_json(const std::string& file) const;
  bool passed() const;

 private:
  double timed(const std::function<void()>& body) const;

  at::Device device_;
  std::vector<Row> rows_;
  std::vector<std::string> skipped_;
};

inline void require(bool condition, const std::string& otherwise) {
  if (!condition) {
    throw std::runtime_error(otherwise);
  }
}

// Each includes the bridge's sources whose methods it calls, so that a changed signature does not compile.
void layers(Report& report, const Place& place);
void decoding(Report& report, const Place& place);
void tensors(Report& report, const Place& place);
void training(Report& report, const Place& place);
void settings(Report& report, const Place& place);
void groups(Report& report, const Place& place, const std::string& nccl_library);

}  // namespace check
