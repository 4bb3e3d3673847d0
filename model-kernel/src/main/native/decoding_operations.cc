// DecodingOperations: the parts of a decoding step that a CPU computes faster in one pass over memory than as a sequence
// of libtorch's operations. Each stands beside that sequence, which other devices compute.
#include "bridge.h"
#include "cpu_dispatch.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#define NATIVE(result, name) RAR_NATIVE(result, tensor_DecodingOperations, name)

using namespace bridge;

namespace {

// Elements that a thread should have to compute at least.
constexpr int64_t kGrain = 4096;

int64_t grain(int64_t elements_each) {
  return std::max<int64_t>(1, kGrain / elements_each);
}

// The elements of a contiguous tensor whose type is checked; null for none.
template <typename T>
T* elements(const std::optional<at::Tensor>& x, at::ScalarType type) {
  if (!x) {
    return nullptr;
  }
  TORCH_CHECK(x->scalar_type() == type && x->is_contiguous() && x->is_cpu(), "expected a contiguous ", type,
              " tensor on the CPU, not ", x->toString(), x->sizes());
  return static_cast<T*>(x->data_ptr());
}

cpu::Norm norm_of(const std::optional<at::Tensor>& weight, const std::optional<at::Tensor>& bias, double eps,
                  int64_t width) {
  TORCH_CHECK(weight.has_value() == bias.has_value() && (!weight || (weight->numel() == width && bias->numel() == width)),
              "a normalization needs weight and bias of width ", width, ", or none");
  return {elements<float>(weight, at::kFloat), elements<float>(bias, at::kFloat), static_cast<float>(eps)};
}

// The modulations [conditions, positions, chunks * width] of a branch, and which condition each row has; no table in a
// model without modulation.
struct Modulations {
  std::optional<at::Tensor> table;
  std::optional<at::Tensor> condition_of_row;
  int64_t position;

  // The given chunk for all rows: [rows, 1, width].
  at::Tensor chunk(int64_t index, int64_t width) const {
    auto at_position = table->select(1, position).narrow(1, index * width, width);
    return at_position.index_select(0, *condition_of_row).unsqueeze(1);
  }

  void check(int64_t rows, int64_t chunks_end, int64_t width) const {
    if (table) {
      TORCH_CHECK(table->dim() == 3 && position >= 0 && position < table->size(1) && chunks_end * width <= table->size(2) &&
                      condition_of_row && condition_of_row->numel() == rows,
                  "modulations ", table->sizes(), " have no position ", position, " for ", rows, " rows of width ", width);
    }
  }
};

// The modulations of single rows on the CPU.
template <typename T>
class ModulationRows {
 public:
  ModulationRows(const Modulations& m, at::ScalarType type, int64_t width)
      : table_(elements<const T>(m.table, type)),
        condition_of_row_(elements<const int64_t>(m.condition_of_row, at::kLong)),
        width_(width) {
    if (table_ != nullptr) {
      stride_ = m.table->stride(0);
      table_ += m.position * m.table->stride(1);
      for (int64_t row = 0; row < m.condition_of_row->numel(); row++) {
        TORCH_CHECK(condition_of_row_[row] >= 0 && condition_of_row_[row] < m.table->size(0), "row ", row,
                    " has no modulations");
      }
    }
  }

  const T* chunk(int64_t row, int64_t index) const {
    return table_ == nullptr ? nullptr : table_ + condition_of_row_[row] * stride_ + index * width_;
  }

 private:
  const T* table_;
  const int64_t* condition_of_row_;
  int64_t width_;
  int64_t stride_ = 0;
};

at::Tensor norm_on_cpu(const at::Tensor& x, const cpu::Norm& norm, at::ScalarType type, const Modulations& m,
                       int64_t shift, int64_t scale) {
  int64_t width = x.size(-1);
  int64_t rows = x.numel() / width;
  at::Tensor y = at::empty(x.sizes(), type);
  const auto* in = elements<float>(x, at::kFloat);
  cpu::with_type(type, [&](auto element) {
    using T = decltype(element);
    ModulationRows<T> modulation(m, type, width);
    auto* out = elements<T>(y, type);
    at::parallel_for(0, rows, grain(width), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        cpu::kernels<T>().norm(in + row * width, out + row * width, width, norm, modulation.chunk(row, shift),
                                    modulation.chunk(row, scale));
      }
    });
  });
  return y;
}

at::Tensor activated_sums_on_cpu(const at::Tensor& a, const at::Tensor& b, at::ScalarType type) {
  int64_t width = a.size(-1);
  int64_t columns = b.size(0);
  at::Tensor y = at::empty({a.size(0), columns, width}, type);
  const auto* rows = elements<float>(a, at::kFloat);
  const auto* added = elements<float>(b, at::kFloat);
  cpu::with_type(type, [&](auto element) {
    using T = decltype(element);
    auto* out = elements<T>(y, type);
    at::parallel_for(0, a.size(0) * columns, grain(width), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        cpu::kernels<T>().activated_sum(rows + i / columns * width, added + i % columns * width, out + i * width,
                                             width);
      }
    });
  });
  return y;
}

at::Tensor residual_on_cpu(const at::Tensor& x, const at::Tensor& branch, const Modulations& m, int64_t gate) {
  int64_t width = x.size(-1);
  int64_t rows = x.numel() / width;
  at::Tensor y = at::empty_like(x);
  const auto* in = elements<float>(x, at::kFloat);
  auto* out = elements<float>(y, at::kFloat);
  cpu::with_type(branch.scalar_type(), [&](auto element) {
    using T = decltype(element);
    ModulationRows<T> modulation(m, branch.scalar_type(), width);
    const auto* added = elements<T>(branch, branch.scalar_type());
    at::parallel_for(0, rows, grain(width), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        cpu::kernels<T>().residual(in + row * width, modulation.chunk(row, gate), added + row * width,
                                        out + row * width, width);
      }
    });
  });
  return y;
}

// The queries, keys and values of all heads at one position: q, k, v [rows, heads, 1, width].
std::vector<at::Tensor> heads_of(const at::Tensor& qkv, int64_t heads) {
  int64_t rows = qkv.size(0);
  return qkv.view({rows, 3, heads, 1, -1}).unbind(1);
}

at::Tensor attend_on_cpu(const at::Tensor& qkv, const cpu::Norm& q_norm, const cpu::Norm& k_norm,
                         const at::Tensor& keys, const at::Tensor& values, int64_t length) {
  int64_t rows = keys.size(0);
  int64_t heads = keys.size(1);
  int64_t capacity = keys.size(2);
  int64_t width = keys.size(3);
  auto type = qkv.scalar_type();
  at::Tensor y = at::empty({rows, 1, heads * width}, type);
  cpu::with_type(type, [&](auto element) {
    using T = decltype(element);
    const T* in = elements<T>(qkv, type);
    T* all_keys = elements<T>(keys, type);
    T* all_values = elements<T>(values, type);
    T* out = elements<T>(y, type);
    at::parallel_for(0, rows * heads, grain((length + 1) * width), [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(2 * width + length + 1);
      for (int64_t i = begin; i < end; i++) {
        const T* q = in + (i / heads * 3 * heads + i % heads) * width;
        cpu::Cache<T> cache{all_keys + i * capacity * width, all_values + i * capacity * width, length};
        cpu::kernels<T>().attend(q, q + heads * width, q + 2 * heads * width, q_norm, k_norm, cache,
                                      out + i * width, width, scratch.data());
      }
    });
  });
  return y;
}

}  // namespace

// Normalizes x [rows, 1, width] and modulates it; the result has the type `type`.
NATIVE(jlong, modulatedNorm)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jdouble eps, jint type, jlong table,
                             jlong condition_of_row, jlong position, jlong shift, jlong scale) {
  return guarded(env, [&] {
    const auto& input = tensor(x);
    auto target = static_cast<at::ScalarType>(type);
    Modulations m{optional_tensor(table), optional_tensor(condition_of_row), position};
    int64_t width = input.size(-1);
    m.check(input.numel() / width, std::max(shift, scale) + 1, width);
    if (input.is_cpu()) {
      auto norm = norm_of(optional_tensor(weight), optional_tensor(bias), eps, width);
      return give(norm_on_cpu(input.contiguous(), norm, target, m, shift, scale));
    }
    auto normed = at::layer_norm(input, {width}, optional_tensor(weight), optional_tensor(bias), eps);
    if (m.table) {
      normed = at::addcmul(m.chunk(shift, width), normed, m.chunk(scale, width) + 1);
    }
    return give(normed.to(target));
  });
}

// silu(a + b) of each row of a [rows, width] and of b [columns, width]: [rows, columns, width] of type `type`.
NATIVE(jlong, activatedSums)(JNIEnv* env, jclass, jlong a, jlong b, jint type) {
  return guarded(env, [&] {
    const auto& rows = tensor(a);
    const auto& added = tensor(b);
    auto target = static_cast<at::ScalarType>(type);
    TORCH_CHECK(rows.dim() == 2 && added.dim() == 2 && rows.size(1) == added.size(1), "cannot add rows ", rows.sizes(),
                " and ", added.sizes());
    if (rows.is_cpu()) {
      return give(activated_sums_on_cpu(rows.contiguous(), added.contiguous(), target));
    }
    return give(at::silu(rows.unsqueeze(1) + added).to(target));
  });
}

// x + gate * branch, all [rows, 1, width].
NATIVE(jlong, modulatedResidual)(JNIEnv* env, jclass, jlong x, jlong branch, jlong table, jlong condition_of_row,
                                 jlong position, jlong gate) {
  return guarded(env, [&] {
    const auto& input = tensor(x);
    const auto& added = tensor(branch);
    Modulations m{optional_tensor(table), optional_tensor(condition_of_row), position};
    int64_t width = input.size(-1);
    TORCH_CHECK(input.sizes() == added.sizes(), "cannot add a branch ", added.sizes(), " to ", input.sizes());
    m.check(input.numel() / width, gate + 1, width);
    if (input.is_cpu()) {
      return give(residual_on_cpu(input.contiguous(), added.contiguous(), m, gate));
    }
    return give(m.table ? at::addcmul(input, m.chunk(gate, width), added) : input + added);
  });
}

// Appends a position to the cache and attends to all: qkv [rows, 1, 3 * heads * width], keys and values [rows, heads,
// capacity, width], of which `length` positions are written; returns [rows, 1, heads * width].
NATIVE(jlong, attendCached)(JNIEnv* env, jclass, jlong qkv, jlong q_weight, jlong q_bias, jlong k_weight, jlong k_bias,
                            jdouble eps, jlong keys, jlong values, jlong length) {
  return guarded(env, [&] {
    at::NoGradGuard no_grad;
    const auto& input = tensor(qkv);
    auto all_keys = tensor(keys);
    auto all_values = tensor(values);
    TORCH_CHECK(all_keys.dim() == 4 && all_values.sizes() == all_keys.sizes() && length >= 0 &&
                    length < all_keys.size(2) && input.numel() == 3 * all_keys.numel() / all_keys.size(2),
                "a cache ", all_keys.sizes(), " has no position ", length, " for heads ", input.sizes());
    int64_t heads = all_keys.size(1);
    int64_t width = all_keys.size(3);
    if (input.is_cpu()) {
      auto q_norm = norm_of(optional_tensor(q_weight), optional_tensor(q_bias), eps, width);
      auto k_norm = norm_of(optional_tensor(k_weight), optional_tensor(k_bias), eps, width);
      return give(attend_on_cpu(input.contiguous(), q_norm, k_norm, all_keys, all_values, length));
    }
    auto parts = heads_of(input, heads);
    // In float32, the type of the weights: CUDA's kernel does not take another for what it normalizes.
    auto q = at::layer_norm(parts[0].to(at::kFloat), {width}, optional_tensor(q_weight), optional_tensor(q_bias), eps);
    auto k = at::layer_norm(parts[1].to(at::kFloat), {width}, optional_tensor(k_weight), optional_tensor(k_bias), eps);
    all_keys.narrow(2, length, 1).copy_(k);
    all_values.narrow(2, length, 1).copy_(parts[2]);
    auto y = at::scaled_dot_product_attention(q.to(input.scalar_type()), all_keys.narrow(2, 0, length + 1),
                                              all_values.narrow(2, 0, length + 1));
    return give(y.reshape({input.size(0), 1, heads * width}));
  });
}

// The instruction set of the kernels on this machine.
NATIVE(jstring, nativeInstructionSet)(JNIEnv* env, jclass) {
  return env->NewStringUTF(cpu::instruction_set());
}
