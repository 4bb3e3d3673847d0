// Tensors from Java's arrays, elementwise operations, products, sampling and linear algebra.
#include "tensor_operations.cc"
#undef NATIVE
#include "tensor_scope.cc"

#include "check.h"

#include <ATen/Context.h>

#define METHOD(name) Java_io_github_rarspark_kernel_tensor_TensorOperations_##name
#define SCOPE(name) Java_io_github_rarspark_kernel_tensor_TensorScope_##name

namespace check {
namespace {

jint gpu(const Place& place) {
  return place.is_cpu() ? -1 : place.device().index();
}

void arrays(Report& report, const Place& place) {
  auto numbers = at::arange(6, at::kDouble).view({2, 3});
  const std::vector<int64_t> shape = {2, 3};
  auto array = [](auto value) {
    std::vector<decltype(value)> values;
    for (int i = 0; i < 6; i++) {
      values.push_back(static_cast<decltype(value)>(i));
    }
    return environment.make<_jnumbers<decltype(value)>>(values);
  };
  auto floats = array(jfloat{});
  auto longs = array(jlong{});
  report.compare("floats of Java", place, numbers, [&] {
    return adopt(SCOPE(floats)(&environment, nullptr, floats, argument(shape), gpu(place)));
  }, 0);
  report.compare("longs of Java", place, numbers, [&] {
    return adopt(SCOPE(longs)(&environment, nullptr, longs, argument(shape), gpu(place)));
  }, 0);
  report.compare("zeros", place, at::zeros({2, 3}), [&] { return tensor_of(SCOPE(zeros), shape, gpu(place)); }, 0);
  report.run("too much memory is its own exception", place.label(), [&] {
    std::string message = "none was raised";
    try {
      tensor_of(SCOPE(zeros), std::vector<int64_t>{int64_t{1} << 50}, gpu(place));
    } catch (const std::exception& error) {
      message = error.what();
    }
    require(message.rfind("NativeMemoryException: ", 0) == 0, message);
  });
}

void elementwise(Report& report, const Place& place) {
  auto x = place.numbers({16, 65, 128});
  auto shift = place.numbers({16, 1, 128});
  auto scale = place.numbers({16, 1, 128});
  report.compare("modulate", place, x.exact * (1 + scale.exact) + shift.exact,
                 [&] { return tensor_of(METHOD(modulate), x.given, shift.given, scale.given); });
  report.compare("gated sum", place, x.exact + scale.exact * shift.exact,
                 [&] { return tensor_of(METHOD(addGated), x.given, scale.given, shift.given); });
  report.compare("affine", place, x.exact * 3 - 1, [&] { return tensor_of(METHOD(affine), x.given, 3.0, -1.0); });
  report.compare("clamp", place, x.exact.clamp(-1, 1), [&] { return tensor_of(METHOD(clamp), x.given, -1.0, 1.0); });
  report.compare("split and concatenate", place, at::cat({x.exact, x.exact}, 1), [&] {
    auto parts = tensors_of(METHOD(split), x.given, int64_t{1}, int64_t{5});
    std::vector<at::Tensor> twice(parts);
    twice.insert(twice.end(), parts.begin(), parts.end());
    return tensor_of(METHOD(concatenate), twice, int64_t{1});
  });
  auto indices = at::arange(0, 65, 3, at::kLong);
  auto indices_there = indices.to(place.device());
  report.compare("index", place, x.exact.index_select(1, indices),
                 [&] { return tensor_of(METHOD(indexSelect), x.given, int64_t{1}, indices_there); });
  report.compare("permute", place, x.exact.permute({2, 0, 1}),
                 [&] { return tensor_of(METHOD(permute), x.given, std::vector<int64_t>{2, 0, 1}); });
}

void reductions(Report& report, const Place& place) {
  auto x = place.numbers({64, 512});
  auto y = place.numbers({512, 256}, 0.05);
  report.compare("matrix product", place, at::matmul(x.exact, y.exact),
                 [&] { return tensor_of(METHOD(matmul), x.given, y.given); });
  report.compare("softmax", place, at::softmax(x.exact, -1), [&] { return tensor_of(METHOD(softmax), x.given); });
  report.compare("sum", place, x.exact.sum(0), [&] { return tensor_of(METHOD(sum), x.given, std::vector<int64_t>{0}); });
  report.compare("mean", place, x.exact.mean(1), [&] { return tensor_of(METHOD(mean), x.given, std::vector<int64_t>{1}); });
  report.compare("argmin", place, x.exact.argmin(1), [&] { return tensor_of(METHOD(argMin), x.given, int64_t{1}); }, 0);
  report.compare("argmax", place, x.exact.argmax(1), [&] { return tensor_of(METHOD(argMax), x.given, int64_t{1}); }, 0);
}

void sampling(Report& report, const Place& place) {
  auto probabilities = at::softmax(place.numbers({128, 1024}, 3).given.cpu(), -1);
  auto uniforms = at::arange(128, at::kDouble) / 128 + 0.003;
  auto there = probabilities.to(place.device());
  auto cumulative = probabilities.to(at::kDouble).cumsum(-1);
  auto target = uniforms.unsqueeze(-1) * cumulative.narrow(-1, 1023, 1);
  auto totals = at::zeros({128}, there.options().dtype(at::kDouble));
  // As in a training, which draws samples now and then.
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  report.compare("draw of categories", place, at::le(cumulative, target).sum(-1),
                 [&] { return tensor_of(METHOD(sampleCategories), there, uniforms.to(place.device()), totals); }, 0);
  at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
}

void linear_algebra(Report& report, const Place& place) {
  auto x = place.numbers({96, 64});
  auto square = at::matmul(x.exact.t(), x.exact);
  auto there = square.to(place.device());
  report.compare("eigenvalues", place, std::get<0>(at::linalg_eigh(square)),
                 [&] { return tensors_of(METHOD(eigenSymmetric), there)[0]; }, 1e-10);
  report.compare("eigenvectors", place, square, [&] {
    auto parts = tensors_of(METHOD(eigenSymmetric), there);
    return at::matmul(parts[1] * parts[0], parts[1].t());
  }, 1e-10);
  report.compare("singular values", place, at::linalg_svdvals(square),
                 [&] { return tensor_of(METHOD(singularValues), there); }, 1e-10);
}

void gradients(Report& report, const Place& place) {
  report.run("gradients of a graph", place.label(), [&] {
    auto x = place.numbers({32, 64});
    call(SCOPE(requireGradients), std::vector<at::Tensor>{x.given});
    auto before = call(SCOPE(setRecording), true);
    auto y = tensor_of(METHOD(multiply), x.given, x.given);
    call(SCOPE(backward), std::vector<at::Tensor>{y}, std::vector<at::Tensor>{at::ones_like(y)});
    call(SCOPE(setRecording), before);
    auto gradient = tensor_of(SCOPE(gradient), x.given);
    require(at::allclose(gradient.cpu().to(at::kDouble), 2 * x.exact), "a wrong gradient of x * x");
    call(SCOPE(dropGradients), std::vector<at::Tensor>{x.given});
    require(!x.given.grad().defined(), "a gradient that was not dropped");
  });
}

}  // namespace

void tensors(Report& report, const Place& place) {
  arrays(report, place);
  elementwise(report, place);
  reductions(report, place);
  sampling(report, place);
  linear_algebra(report, place);
  gradients(report, place);
}

}  // namespace check
