// What the bridge calls in librarspark-nccl.so, the library for libtorch with CUDA (src/main/native-cuda).
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>

// Joins `rank` to the `size` ranks that meet in `store`, each with tensors on a GPU of its own; returns when all have
// joined and are connected. This, and the backend's waits, its abort and its end, last not much longer than `timeout`. To
// begin a collective is NCCL's own call, which does not wait for other ranks where they are connected; it has no limit.
using NcclBackendFactory = c10::intrusive_ptr<c10d::Backend>(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                                             int size, c10::DeviceIndex device,
                                                             std::chrono::milliseconds timeout);

constexpr const char* kNcclBackendFactory = "rar_nccl_backend";
