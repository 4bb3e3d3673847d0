// AdamW and the moving average of weights.
#include "adamw.cc"
#undef NATIVE
#include "moving_average.cc"

#include "check.h"

#include <cmath>

#define ADAMW(name) Java_io_github_rarspark_kernel_optim_AdamW_##name
#define AVERAGE(name) Java_io_github_rarspark_kernel_optim_MovingAverage_##name

namespace check {
namespace {

constexpr double kRate = 1e-2, kBeta1 = 0.9, kBeta2 = 0.96, kEps = 1e-8, kDecay = 0.03, kDivisor = 2;

// A parameter with its moments, in one type and on one device.
struct Trained {
  at::Tensor weight, average, square;
};

// AdamW as its paper has it (arXiv 1711.05101), with the gradient divided by `kDivisor`.
void exact_update(Trained& p, const at::Tensor& gradient, int64_t step) {
  auto g = gradient / kDivisor;
  p.weight.mul_(1 - kRate * kDecay);
  p.average.mul_(kBeta1).add_(g, 1 - kBeta1);
  p.square.mul_(kBeta2).add_(g * g, 1 - kBeta2);
  auto deviation = (p.square / (1 - std::pow(kBeta2, step))).sqrt() + kEps;
  p.weight.sub_(p.average / deviation * (kRate / (1 - std::pow(kBeta1, step))));
}

}  // namespace

void training(Report& report, const Place& place) {
  const std::vector<std::vector<int64_t>> shapes = {{768, 96}, {96}, {1}};
  std::vector<at::Tensor> weights, averages, squares;
  std::vector<Numbers> gradients;
  std::vector<Trained> exact;
  for (const auto& shape : shapes) {
    auto weight = place.numbers(shape);
    auto gradient = place.numbers(shape);
    weights.push_back(weight.given);
    averages.push_back(at::zeros_like(weight.given));
    squares.push_back(at::zeros_like(weight.given));
    gradients.push_back(gradient);
    exact.push_back({weight.exact.clone(), at::zeros_like(weight.exact), at::zeros_like(weight.exact)});
  }
  report.run("AdamW, 3 updates", place.label(), [&] {
    for (int64_t step = 1; step <= 3; step++) {
      // The kernel divides the gradients in place, and a training step drops them.
      for (size_t i = 0; i < weights.size(); i++) {
        weights[i].mutable_grad() = gradients[i].given.clone();
      }
      call(ADAMW(update), weights, averages, squares, step, kDivisor, kRate, kBeta1, kBeta2, kEps, kDecay);
      for (size_t i = 0; i < exact.size(); i++) {
        exact_update(exact[i], gradients[i].exact, step);
      }
    }
  });
  for (size_t i = 0; i < exact.size(); i++) {
    auto name = "AdamW, tensor " + std::to_string(i);
    report.compare(name + ", weight", place, exact[i].weight, [&] { return weights[i].detach(); });
    report.compare(name + ", moments", place, at::stack({exact[i].average, exact[i].square}),
                   [&] { return at::stack({averages[i], squares[i]}); });
  }
  report.run("norm of gradients", place.label(), [&] {
    auto all = at::cat({gradients[0].exact.flatten(), gradients[1].exact, gradients[2].exact});
    for (size_t i = 0; i < weights.size(); i++) {
      weights[i].mutable_grad() = gradients[i].given;
    }
    auto norm = call(ADAMW(norm), weights);
    auto expected = all.norm().item<double>();
    require(std::abs(norm - expected) < 1e-5 * expected, "got " + std::to_string(norm) + ", not " + std::to_string(expected));
  });
  auto average = place.numbers({768, 96});
  auto weight = place.numbers({768, 96});
  auto moved = average.given.clone();
  call(AVERAGE(update), std::vector<at::Tensor>{moved}, std::vector<at::Tensor>{weight.given}, 0.1);
  report.compare("moving average", place, at::lerp(average.exact, weight.exact, 0.1), [&] { return moved; });
}

}  // namespace check
