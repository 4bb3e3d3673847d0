#include "group_norm.h"

#include "cpu_kernels.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

namespace {

// Pixels whose sums a thread takes at a time: not a share of the threads', so that the order of sums is always the same.
constexpr int64_t kPixels = 1024;

// A group normalization as a scale and a shift of each image's channels, [batch, channels] each.
struct Affine {
  at::Tensor scale;
  at::Tensor shift;
};

// The sums [batch, blocks of kPixels, 2, channels] of the values and of their squares.
at::Tensor block_sums(const at::Tensor& x, int64_t batch, int64_t pixels, int64_t channels) {
  int64_t blocks = (pixels + kPixels - 1) / kPixels;
  auto sums = at::zeros({batch, blocks, 2, channels}, at::kDouble);
  const auto* in = x.const_data_ptr<float>();
  auto* out = sums.mutable_data_ptr<double>();
  at::parallel_for(0, batch * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t first = i % blocks * kPixels;
      double* values = out + i * 2 * channels;
      cpu::kernels<float>().channel_sums(in + (i / blocks * pixels + first) * channels, std::min(kPixels, pixels - first),
                                         channels, values, values + channels);
    }
  });
  return sums;
}

Affine affine_of(const at::Tensor& sums, int64_t pixels, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                 double eps) {
  int64_t batch = sums.size(0);
  int64_t blocks = sums.size(1);
  int64_t channels = sums.size(3);
  int64_t width = channels / groups;
  Affine affine{at::empty({batch, channels}, at::kFloat), at::empty({batch, channels}, at::kFloat)};
  const auto* in = sums.const_data_ptr<double>();
  const auto* weights = weight.const_data_ptr<float>();
  const auto* biases = bias.const_data_ptr<float>();
  auto* scales = affine.scale.mutable_data_ptr<float>();
  auto* shifts = affine.shift.mutable_data_ptr<float>();
  for (int64_t image = 0; image < batch; image++) {
    for (int64_t group = 0; group < groups; group++) {
      double sum = 0;
      double squares = 0;
      for (int64_t block = 0; block < blocks; block++) {
        const double* values = in + (image * blocks + block) * 2 * channels;
        for (int64_t c = group * width; c < (group + 1) * width; c++) {
          sum += values[c];
          squares += values[channels + c];
        }
      }
      auto count = static_cast<double>(pixels * width);
      double mean = sum / count;
      double variance = std::max(0.0, squares / count - mean * mean);
      double inverse_deviation = 1 / std::sqrt(variance + eps);
      for (int64_t c = group * width; c < (group + 1) * width; c++) {
        double scale = weights[c] * inverse_deviation;
        scales[image * channels + c] = static_cast<float>(scale);
        shifts[image * channels + c] = static_cast<float>(biases[c] - mean * scale);
      }
    }
  }
  return affine;
}

at::Tensor on_cpu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  int64_t batch = x.size(0);
  int64_t channels = x.size(1);
  int64_t pixels = x.size(2) * x.size(3);
  TORCH_CHECK(weight.numel() == channels && bias.numel() == channels && channels % groups == 0, "cannot normalize ",
              x.sizes(), " in ", groups, " groups with weights ", weight.sizes());
  auto affine = affine_of(block_sums(x, batch, pixels, channels), pixels, groups, weight, bias, eps);
  auto y = at::empty_like(x);
  const auto* in = x.const_data_ptr<float>();
  const auto* scale = affine.scale.const_data_ptr<float>();
  const auto* shift = affine.shift.const_data_ptr<float>();
  auto* out = y.mutable_data_ptr<float>();
  int64_t blocks = (pixels + kPixels - 1) / kPixels;
  at::parallel_for(0, batch * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t image = i / blocks;
      int64_t first = i % blocks * kPixels;
      int64_t at = (image * pixels + first) * channels;
      cpu::kernels<float>().scaled_silu(in + at, scale + image * channels, shift + image * channels, out + at,
                                        std::min(kPixels, pixels - first), channels);
    }
  });
  return y;
}

// Whether x is what the kernels read: float32 on the CPU, channels innermost and a multiple of their registers.
bool has_kernels(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 && x.size(1) % 16 == 0 &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                           double eps) {
  bool recorded = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() || bias.requires_grad());
  if (!recorded && has_kernels(x)) {
    return on_cpu(x, groups, weight.contiguous(), bias.contiguous(), eps);
  }
  return at::silu(at::group_norm(x, groups, weight, bias, eps));
}
