// The layers of networks, and dropout whose masks are a function of keys.
#include "layer_operations.cc"

#include "check.h"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#define METHOD(name) Java_io_github_rarspark_kernel_tensor_LayerOperations_##name

namespace check {
namespace {

constexpr double kProbability = 0.3;
const std::vector<int64_t> kKeys = {7, -3, int64_t{1} << 62, 0};

// The masks, written down again: element j of a row comes from the low (even j) or high half of word j / 2 of its stream.
at::Tensor masks(at::IntArrayRef shape) {
  at::Tensor mask = at::empty(shape, at::kDouble);
  int64_t width = mask.numel() / shape[0];
  auto* elements = mask.data_ptr<double>();
  for (int64_t i = 0; i < mask.numel(); i++) {
    uint64_t element = i % width;
    uint64_t z = static_cast<uint64_t>(kKeys[i / width]) + (element / 2 + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    auto half = static_cast<uint32_t>(element % 2 == 0 ? z : z >> 32);
    elements[i] = half >= static_cast<uint32_t>(std::llround(kProbability * 4294967296.0)) ? 1 / (1 - kProbability) : 0;
  }
  return mask;
}

at::Tensor gradient(const at::Tensor& y, const at::Tensor& x) {
  return torch::autograd::grad({y}, {x}, {at::ones_like(y)})[0];
}

at::Tensor exact_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal,
                           const at::Tensor& mask) {
  auto scores = at::matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(-1)));
  if (causal) {
    scores = scores.masked_fill(at::ones({q.size(2), k.size(2)}, at::kBool).triu(1), -INFINITY);
  }
  auto weights = at::softmax(scores, -1);
  return at::matmul(mask.defined() ? weights * mask : weights, v);
}

void activations(Report& report, const Place& place) {
  auto x = place.numbers({64, 768});
  report.compare("gelu", place, at::gelu(x.exact), [&] { return tensor_of(METHOD(gelu), x.given); });
  report.compare("silu", place, at::silu(x.exact), [&] { return tensor_of(METHOD(silu), x.given); });
  report.compare("relu", place, at::relu(x.exact), [&] { return tensor_of(METHOD(relu), x.given); });
}

void linear_layers(Report& report, const Place& place) {
  auto x = place.numbers({32, 768});
  auto weight = place.numbers({1024, 768}, 0.05);
  auto bias = place.numbers({1024});
  auto exact = at::linear(x.exact, weight.exact, bias.exact);
  report.compare("linear", place, exact, [&] { return tensor_of(METHOD(linear), x.given, weight.given, bias.given); });
  report.compare("linear and GELU", place, at::gelu(exact),
                 [&] { return tensor_of(METHOD(linearGelu), x.given, weight.given, bias.given); });
  if (place.is_cpu()) {
    auto packed = tensor_of(METHOD(packLinear), weight.given);
    report.compare("linear, packed", place, exact, [&] { return tensor_of(METHOD(linear), x.given, packed, bias.given); });
  }
  auto trained = place.numbers({1024, 768}, 0.05);
  trained.given.set_requires_grad(true);
  trained.exact.set_requires_grad(true);
  report.compare("linear, gradient", place, gradient(at::linear(x.exact, trained.exact, bias.exact), trained.exact),
                 [&] { return gradient(tensor_of(METHOD(linear), x.given, trained.given, bias.given), trained.given); });
}

void norms(Report& report, const Place& place) {
  constexpr double kEps = 1e-6;
  auto x = place.numbers({8, 33, 768});
  auto weight = place.numbers({768});
  auto bias = place.numbers({768});
  report.compare("layer norm", place, at::layer_norm(x.exact, {768}, weight.exact, bias.exact, kEps),
                 [&] { return tensor_of(METHOD(layerNorm), x.given, weight.given, bias.given, kEps); });
  auto image = place.numbers({2, 64, 16, 16});
  auto scale = place.numbers({64});
  auto shift = place.numbers({64});
  auto exact = at::group_norm(image.exact, 32, scale.exact, shift.exact, kEps);
  report.compare("group norm", place, exact,
                 [&] { return tensor_of(METHOD(groupNorm), image.given, 32, scale.given, shift.given, kEps); });
  auto innermost = image.given.contiguous(at::MemoryFormat::ChannelsLast);
  report.compare("group norm and SiLU", place, at::silu(exact),
                 [&] { return tensor_of(METHOD(groupNormSilu), innermost, 32, scale.given, shift.given, kEps); });
}

void convolutions(Report& report, const Place& place) {
  auto x = place.numbers({2, 64, 32, 32});
  auto weight = place.numbers({96, 64, 3, 3}, 0.05);
  auto bias = place.numbers({96});
  auto same = place.numbers({2, 96, 32, 32});
  auto exact = at::conv2d(x.exact, weight.exact, bias.exact, 1, 1);
  auto added = same.exact + at::conv2d(x.exact, weight.exact, {}, 1, 1);
  auto doubled = at::conv2d(at::upsample_nearest2d(x.exact, {64, 64}), weight.exact, bias.exact, 1, 1);
  report.compare("convolution", place, exact,
                 [&] { return tensor_of(METHOD(conv2d), x.given, weight.given, bias.given, 1, 1, 1); });
  report.compare("convolution and ReLU", place, at::relu(exact),
                 [&] { return tensor_of(METHOD(conv2dRelu), x.given, weight.given, bias.given, 1, 1, 1); });
  report.compare("convolution, stride 2", place, at::conv2d(x.exact, weight.exact, bias.exact, 2, 1),
                 [&] { return tensor_of(METHOD(conv2d), x.given, weight.given, bias.given, 2, 1, 1); });
  report.compare("convolution of an upsampled image", place, doubled,
                 [&] { return tensor_of(METHOD(upsampledConv2d), x.given, weight.given, bias.given); });
  report.compare("convolution and sum", place, added,
                 [&] { return tensor_of(METHOD(addConv2d), same.given, x.given, weight.given, 1); });
  if (place.is_cpu() && place.type() == at::kFloat) {
    auto packed = tensor_of(METHOD(packConvolution), weight.given, 1, 1, 1, 32);
    auto packed_doubled = tensor_of(METHOD(packUpsampledConvolution), weight.given, 32);
    report.compare("convolution, packed", place, exact,
                   [&] { return tensor_of(METHOD(conv2d), x.given, packed, bias.given, 1, 1, 1); });
    report.compare("upsampled convolution, packed", place, doubled,
                   [&] { return tensor_of(METHOD(upsampledConv2d), x.given, packed_doubled, bias.given); });
    report.compare("convolution and sum, packed", place, added,
                   [&] { return tensor_of(METHOD(addConv2d), same.given, x.given, packed, 1); });
  }
  report.compare("average pool", place, at::avg_pool2d(x.exact, {3, 3}, {1, 1}, {1, 1}, false, false),
                 [&] { return tensor_of(METHOD(averagePool), x.given, 3, 1, 1); });
  report.compare("maximum pool", place, at::max_pool2d(x.exact, {3, 3}, {2, 2}, {0, 0}),
                 [&] { return tensor_of(METHOD(maxPool), x.given, 3, 2, 0); });
}

void attention_layers(Report& report, const Place& place) {
  auto q = place.numbers({4, 8, 65, 48});
  auto k = place.numbers({4, 8, 65, 48});
  auto v = place.numbers({4, 8, 65, 48});
  for (bool causal : {false, true}) {
    report.compare(causal ? "attention, causal" : "attention", place, exact_attention(q.exact, k.exact, v.exact, causal, {}),
                   [&, causal] { return tensor_of(METHOD(attention), q.given, k.given, v.given, causal); });
  }
  auto mask = masks({4, 8, 65, 65});
  q.given.set_requires_grad(true);
  q.exact.set_requires_grad(true);
  auto exact = exact_attention(q.exact, k.exact, v.exact, true, mask);
  auto compute = [&] {
    return tensor_of(METHOD(attentionWithDropout), q.given, k.given, v.given, kProbability, kKeys);
  };
  report.compare("attention with dropout", place, exact.detach(), [&] { return compute().detach(); });
  report.compare("attention with dropout, gradient", place, gradient(exact, q.exact),
                 [&] { return gradient(compute(), q.given); });
}

void dropout_layers(Report& report, const Place& place) {
  auto x = place.numbers({4, 33, 129});
  x.given.set_requires_grad(true);
  auto mask = masks({4, 33, 129});
  auto compute = [&] { return tensor_of(METHOD(dropout), x.given, kProbability, kKeys); };
  report.compare("keyed dropout", place, x.exact * mask, [&] { return compute().detach(); });
  report.compare("keyed dropout, gradient", place, mask, [&] { return gradient(compute(), x.given); });
  report.run("keyed dropout, masks of the CPU", place.label(), [&] {
    auto ones = at::ones({4, 1001}, at::kFloat);
    auto there = tensor_of(METHOD(dropout), ones.to(place.device()), kProbability, kKeys);
    require(at::equal(there.cpu(), tensor_of(METHOD(dropout), ones, kProbability, kKeys)), "other masks than on the CPU");
  });
}

void tokens(Report& report, const Place& place) {
  auto table = place.numbers({100, 64});
  auto logits = place.numbers({16, 100});
  auto ids = at::arange(16, at::kLong) * 5;
  auto there = ids.to(place.device());
  report.compare("embedding", place, at::embedding(table.exact, ids),
                 [&] { return tensor_of(METHOD(embedding), table.given, there); });
  report.compare("cross-entropy", place, at::cross_entropy_loss(logits.exact, ids),
                 [&] { return tensor_of(METHOD(crossEntropy), logits.given, there); }, 2e-6);
}

}  // namespace

void layers(Report& report, const Place& place) {
  activations(report, place);
  linear_layers(report, place);
  norms(report, place);
  convolutions(report, place);
  attention_layers(report, place);
  dropout_layers(report, place);
  tokens(report, place);
}

}  // namespace check
