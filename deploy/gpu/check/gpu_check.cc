// gpu-check [--device cpu|gpu|gpu:N] [--json FILE] [--nccl LIBRARY]: compares the bridge's operators with libtorch's in
// float64 on the CPU, prints a table, and ends with 0 if all agree, 1 if some do not, 69 if there is no such device.
#include "check.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>

// What the bridge does when a JVM loads it.
extern "C" jint JNICALL JNI_OnLoad(JavaVM*, void*);

namespace check {

JNIEnv environment;

Numbers Place::numbers(at::IntArrayRef shape, double deviation) const {
  static at::Generator generator = at::detail::createCPUGenerator(1);
  auto given = (at::randn(shape, generator) * deviation).to(type_);
  return {given.to(device_), given.to(at::kDouble)};
}

double Report::timed(const std::function<void()>& body) const {
  auto synchronize = [&] {
    if (device_.is_cuda()) {
      at::detail::getCUDAHooks().deviceSynchronize(device_.index());
    }
  };
  synchronize();
  auto start = std::chrono::steady_clock::now();
  body();
  synchronize();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Report::compare(const std::string& name, const Place& place, const at::Tensor& exact,
                     const std::function<at::Tensor()>& compute, std::optional<double> tolerance) {
  Row row{name, place.label()};
  row.tolerance = tolerance.value_or(place.tolerance());
  try {
    auto result = compute();
    require(result.device() == device_, "the result is on " + result.device().str());
    require(result.sizes() == exact.sizes(), "the result has another shape");
    auto difference = (result.cpu().to(at::kDouble) - exact.to(at::kDouble)).abs().max().item<double>();
    row.error = difference / std::max(1.0, exact.abs().max().item<double>());
    if (!(row.error <= row.tolerance)) {
      row.failure = "differs";
    }
    row.milliseconds = timed([&] { compute(); });
  } catch (const std::exception& error) {
    row.failure = error.what();
  }
  rows_.push_back(row);
}

void Report::run(const std::string& name, const std::string& type, const std::function<void()>& body) {
  Row row{name, type};
  try {
    row.milliseconds = timed(body);
  } catch (const std::exception& error) {
    row.failure = error.what();
  }
  rows_.push_back(row);
}

bool Report::passed() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.failure.empty(); });
}

void Report::print() const {
  std::printf("%-36s %-5s %12s %12s %10s\n", "check", "type", "max error", "tolerance", "ms");
  for (const auto& row : rows_) {
    std::printf("%-36s %-5s %12.3g %12.3g %10.3f%s%s\n", row.name.c_str(), row.type.c_str(), row.error, row.tolerance,
                row.milliseconds, row.failure.empty() ? "" : "  FAILED: ",
                row.failure.substr(0, row.failure.find('\n')).c_str());
  }
  for (const auto& line : skipped_) {
    std::printf("not run: %s\n", line.c_str());
  }
  auto failed = std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.failure.empty(); });
  std::printf("%zu checks on %s, %ld failed, %zu not run\n", rows_.size(), device_.str().c_str(), static_cast<long>(failed),
              skipped_.size());
}

namespace {

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << '"';
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out << '\\' << c;
    } else if (c < ' ') {
      out << "\\u" << std::hex << std::setw(4) << std::setfill('0') << static_cast<int>(c) << std::dec;
    } else {
      out << c;
    }
  }
  out << '"';
  return out.str();
}

// JSON has no NaN.
std::string number(double value) {
  if (!std::isfinite(value)) {
    return "null";
  }
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

void Report::write_json(const std::string& file) const {
  std::ofstream out(file);
  out << "{\"device\": " << quoted(device_.str()) << ", \"passed\": " << (passed() ? "true" : "false") << ", \"checks\": [";
  const char* separator = "\n";
  for (const auto& row : rows_) {
    out << separator << "  {\"check\": " << quoted(row.name) << ", \"type\": " << quoted(row.type)
        << ", \"max_error\": " << number(row.error) << ", \"tolerance\": " << number(row.tolerance)
        << ", \"milliseconds\": " << number(row.milliseconds) << ", \"passed\": " << (row.failure.empty() ? "true" : "false");
    if (!row.failure.empty()) {
      out << ", \"failure\": " << quoted(row.failure);
    }
    out << '}';
    separator = ",\n";
  }
  out << "\n], \"not_run\": [";
  separator = "\n  ";
  for (const auto& line : skipped_) {
    out << separator << quoted(line);
    separator = ",\n  ";
  }
  out << "]}\n";
  require(static_cast<bool>(out.flush()), "cannot write " + file);
}

namespace {

int64_t gpus() {
  return at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
}

int run(at::Device device, const std::string& json, const std::string& nccl_library) {
  Report report(device);
  for (auto type : {at::kFloat, at::kBFloat16}) {
    Place place(device, type);
    layers(report, place);
    decoding(report, place);
    if (type == at::kFloat) {
      tensors(report, place);
      training(report, place);
      settings(report, place);
#ifdef GPU_CHECK_GROUPS
      groups(report, place, nccl_library);
#else
      static_cast<void>(nccl_library);
      report.skip("process groups", "compiled without them, for want of Gloo's headers (Debian: libgloo-dev)");
#endif
    }
  }
  if (device.is_cpu()) {
    report.skip("all checks on a GPU",
                gpus() == 0 ? "libtorch finds none here" : "the device is the CPU; give --device gpu");
  }
  report.print();
  if (!json.empty()) {
    report.write_json(json);
  }
  return report.passed() ? 0 : 1;
}

int main_of(const std::vector<std::string>& arguments) {
  JNI_OnLoad(nullptr, nullptr);
  std::map<std::string, std::string> options = {
      {"--device", gpus() > 0 ? "gpu" : "cpu"}, {"--json", ""}, {"--nccl", "librarspark-nccl.so"}};
  for (size_t i = 0; i < arguments.size(); i += 2) {
    auto option = options.find(arguments[i]);
    if (option == options.end() || i + 1 == arguments.size()) {
      std::fprintf(stderr, "usage: gpu-check [--device cpu|gpu|gpu:N] [--json FILE] [--nccl LIBRARY]\n");
      return 64;
    }
    option->second = arguments[i + 1];
  }
  const std::string& device_name = options["--device"];
  at::Device device(at::kCPU);
  if (device_name != "cpu") {
    device = at::Device(at::kCUDA, device_name.rfind("gpu:", 0) == 0 ? std::stoi(device_name.substr(4)) : 0);
    if (device.index() >= gpus()) {
      std::fprintf(stderr, "gpu-check: cannot use %s: libtorch finds %ld GPUs here; install the NVIDIA driver and a libtorch"
                   " for CUDA, or give --device cpu\n", device_name.c_str(), static_cast<long>(gpus()));
      return 69;
    }
  }
  return run(device, options["--json"], options["--nccl"]);
}

}  // namespace
}  // namespace check

int main(int argc, char** argv) {
  try {
    return check::main_of({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu-check: %s\n", error.what());
    return 70;
  }
}
