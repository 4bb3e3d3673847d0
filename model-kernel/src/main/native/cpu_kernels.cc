// The kernels for every processor, and the choice among all.
#include "cpu_kernels.h"

#include <ATen/Version.h>

#define KERNELS_INSTRUCTION_SET baseline
#define KERNELS_LANES 4
#include "cpu_kernels_impl.h"

namespace cpu {

const char* instruction_set() {
  std::string capability = at::get_cpu_capability();
  return capability == "AVX512" ? "avx512" : capability == "AVX2" ? "avx2" : "baseline";
}

namespace {

template <typename T>
Kernels<T> choose() {
  std::string chosen = instruction_set();
  return chosen == "avx512" ? avx512::implementation<T>()
         : chosen == "avx2" ? avx2::implementation<T>()
                            : baseline::implementation<T>();
}

}  // namespace

template <typename T>
const Kernels<T>& kernels() {
  static const Kernels<T> chosen = choose<T>();
  return chosen;
}
template const Kernels<float>& kernels();
template const Kernels<Bfloat16>& kernels();

}  // namespace cpu
