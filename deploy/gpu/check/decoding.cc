// The parts of a decoding step.
#include "decoding_operations.cc"

#include "check.h"

#define METHOD(name) Java_io_github_rarspark_kernel_tensor_DecodingOperations_##name

namespace check {
namespace {

constexpr int64_t kRows = 6;
constexpr int64_t kHeads = 4;
constexpr int64_t kHeadWidth = 48;
constexpr int64_t kWidth = kHeads * kHeadWidth;
constexpr int64_t kPosition = 2;
constexpr double kEps = 1e-6;

// Norms, biases and the residual stream are in float32 in every precision.
Numbers exact_numbers(const Place& place, at::IntArrayRef shape) {
  return Place(place.device(), at::kFloat).numbers(shape);
}

void modulated(Report& report, const Place& place) {
  auto type = static_cast<jint>(place.type());
  auto x = exact_numbers(place, {kRows, 1, kWidth});
  auto weight = exact_numbers(place, {kWidth});
  auto bias = exact_numbers(place, {kWidth});
  auto table = place.numbers({3, 5, 6 * kWidth}, 0.5);
  auto condition = at::tensor({0, 2, 1, 1, 0, 2}, at::kLong);
  auto condition_there = condition.to(place.device());
  auto chunk = [&](int64_t index) {
    return table.exact.index_select(0, condition).select(1, kPosition).narrow(1, index * kWidth, kWidth).unsqueeze(1);
  };
  auto normed = at::layer_norm(x.exact, {kWidth}, weight.exact, bias.exact, kEps);
  report.compare("norm", place, normed, [&] {
    return tensor_of(METHOD(modulatedNorm), x.given, weight.given, bias.given, kEps, type, at::Tensor(), at::Tensor(),
                     int64_t{0}, int64_t{0}, int64_t{0});
  });
  report.compare("modulated norm", place, normed * (1 + chunk(1)) + chunk(0), [&] {
    return tensor_of(METHOD(modulatedNorm), x.given, weight.given, bias.given, kEps, type, table.given, condition_there,
                     kPosition, int64_t{0}, int64_t{1});
  });
  auto branch = place.numbers({kRows, 1, kWidth});
  report.compare("modulated residual", place, x.exact + chunk(2) * branch.exact, [&] {
    return tensor_of(METHOD(modulatedResidual), x.given, branch.given, table.given, condition_there, kPosition, int64_t{2});
  });
  auto conditions = exact_numbers(place, {3, kWidth});
  auto positions = exact_numbers(place, {5, kWidth});
  report.compare("activated sums", place, at::silu(conditions.exact.unsqueeze(1) + positions.exact), [&] {
    return tensor_of(METHOD(activatedSums), conditions.given, positions.given, type);
  });
}

void cached_attention(Report& report, const Place& place) {
  constexpr int64_t kLength = 7;
  auto qkv = place.numbers({kRows, 1, 3 * kWidth});
  auto keys = place.numbers({kRows, kHeads, 16, kHeadWidth});
  auto values = place.numbers({kRows, kHeads, 16, kHeadWidth});
  std::vector<Numbers> norms;
  for (int i = 0; i < 4; i++) {
    norms.push_back(exact_numbers(place, {kHeadWidth}));
  }
  auto parts = qkv.exact.view({kRows, 3, kHeads, 1, kHeadWidth}).unbind(1);
  auto q = at::layer_norm(parts[0], {kHeadWidth}, norms[0].exact, norms[1].exact, kEps);
  auto k = at::layer_norm(parts[1], {kHeadWidth}, norms[2].exact, norms[3].exact, kEps);
  auto all_keys = at::cat({keys.exact.narrow(2, 0, kLength), k}, 2);
  auto all_values = at::cat({values.exact.narrow(2, 0, kLength), parts[2]}, 2);
  auto weights = at::softmax(at::matmul(q, all_keys.transpose(-2, -1)) / std::sqrt(double{kHeadWidth}), -1);
  auto exact = at::matmul(weights, all_values).reshape({kRows, 1, kWidth});
  report.compare("attention to cached positions", place, exact, [&] {
    return tensor_of(METHOD(attendCached), qkv.given, norms[0].given, norms[1].given, norms[2].given, norms[3].given, kEps,
                     keys.given, values.given, kLength);
  });
  report.compare("key of the new position", place, k, [&] { return keys.given.narrow(2, kLength, 1); });
  report.compare("value of the new position", place, parts[2], [&] { return values.given.narrow(2, kLength, 1); });
}

}  // namespace

void decoding(Report& report, const Place& place) {
  modulated(report, place);
  cached_attention(report, place);
}

}  // namespace check
