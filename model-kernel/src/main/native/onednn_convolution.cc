#include "onednn_convolution.h"

#include "onednn_linear.h"
#include "onednn_operation.h"

#include <ATen/Functions.h>

namespace {

constexpr int64_t kGroups = 1;
const std::vector<int64_t> kDilation = {1, 1};

at::Tensor channels_innermost(const at::Tensor& x, const at::Tensor& packed) {
  return x.to(packed.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
}

// A linear layer of each pixel.
at::Tensor pixelwise(const at::Tensor& x, const at::Tensor& packed, const std::optional<at::Tensor>& bias,
                     std::string_view activation) {
  return linear(channels_innermost(x, packed).permute({0, 2, 3, 1}), packed, bias, activation).permute({0, 3, 1, 2});
}

// For even and odd rows (or columns, by `axis`) of an upsampled image, the two weights of its rows before upsampling, of a
// kernel's three: [2, ...]. An even row is the same as the next one, an odd row as the one before.
at::Tensor without_upsampling(const at::Tensor& weight, int64_t axis) {
  auto of = weight.unbind(axis);
  return at::stack({at::stack({of[0], of[1] + of[2]}, axis), at::stack({of[0] + of[1], of[2]}, axis)});
}

}  // namespace

at::Tensor pack_convolution(const at::Tensor& weight, const Window& window, int64_t side) {
  at::NoGradGuard no_grad;
  if (weight.size(2) == 1 && weight.size(3) == 1 && window.stride == 1) {
    return pack_linear(weight.flatten(1));
  }
  using Signature = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t,
                               at::OptionalIntArrayRef);
  static const auto reorder = onednn_operation<Signature>("mkldnn::_reorder_convolution_weight");
  return reorder.call(weight.contiguous(at::MemoryFormat::ChannelsLast), window.padding, window.strides(), kDilation,
                      kGroups, std::vector<int64_t>{1, weight.size(1), side, side});
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       const Window& window, std::string_view activation) {
  if (!weight.is_mkldnn()) {
    auto y = at::conv2d(x, weight, bias, window.strides(), window.padding);
    return activation == "relu" ? at::relu(y) : y;
  }
  if (weight.dim() == 2) {
    return pixelwise(x, weight, bias, activation);
  }
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                               at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, OnednnScalars,
                               std::optional<std::string_view>);
  static const auto convolve = onednn_operation<Signature>("mkldnn::_convolution_pointwise");
  return convolve.call(channels_innermost(x, weight), weight, bias, window.padding, window.strides(), kDilation, kGroups,
                       activation, OnednnScalars(), "none");
}

at::Tensor pack_upsampled_convolution(const at::Tensor& weight, int64_t side) {
  auto rows = without_upsampling(weight.to(at::kDouble), 2);
  auto columns = without_upsampling(rows, 4);
  auto all = columns.reshape({4 * weight.size(0), weight.size(1), 2, 2});
  return pack_convolution(all.to(weight.scalar_type()), {1, {1, 1}}, side);
}

at::Tensor upsampled_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  int64_t height = x.size(2);
  int64_t width = x.size(3);
  Window window{1, {1, 1}};
  if (!weight.is_mkldnn()) {
    return convolution(at::upsample_nearest2d(x, {2 * height, 2 * width}), weight, bias, window, "none");
  }
  // With padding on both sides there is a row and a column more than there are pixels: even ones take the first, odd ones
  // the last.
  auto parts = convolution(x, weight, bias.repeat(4), window, "none").chunk(4, 1);
  auto y = at::empty({x.size(0), bias.size(0), 2 * height, 2 * width}, parts[0].options(), at::MemoryFormat::ChannelsLast);
  for (int64_t column : {0, 1}) {
    for (int64_t row : {0, 1}) {
      auto pixels = y.slice(2, row, std::nullopt, 2).slice(3, column, std::nullopt, 2);
      pixels.copy_(parts[2 * column + row].narrow(2, row, height).narrow(3, column, width));
    }
  }
  return y;
}

at::Tensor add_convolution(const at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight, const Window& window) {
  if (!weight.is_mkldnn() || weight.dim() == 2) {
    return sum + convolution(x, weight, std::nullopt, window, "none");
  }
  using Signature = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                                std::optional<at::Scalar>, std::optional<std::string_view>, OnednnScalars,
                                std::optional<std::string_view>);
  static const auto accumulate = onednn_operation<Signature>("mkldnn::_convolution_pointwise_", "binary");
  auto y = channels_innermost(sum, weight);
  return accumulate.call(y, channels_innermost(x, weight), weight, std::nullopt, window.padding, window.strides(), kDilation,
                         kGroups, "add", at::Scalar(1), std::nullopt, OnednnScalars(), std::nullopt);
}
