// The exponential moving average of a model's parameters. Not recorded by autograd.
#include "bridge.h"

#include <ATen/ops/_foreach_lerp.h>

#define NATIVE(result, name) RAR_NATIVE(result, optim_MovingAverage, name)

using namespace bridge;

NATIVE(void, update)(JNIEnv* env, jclass, jlongArray averages, jlongArray parameters, jdouble weight) {
  guarded(env, [&] {
    at::NoGradGuard no_grad;
    at::_foreach_lerp_(tensors(env, averages), tensors(env, parameters), weight);
  });
}
