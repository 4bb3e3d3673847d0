// What the devices were asked to do.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace fake {

// Operators by name, and copies between host and devices, since the last reset.
class Counts {
 public:
  void add(const std::string& what, int64_t amount = 1) {
    std::lock_guard<std::mutex> guard(lock_);
    amounts_[what] += amount;
  }

  void reset() {
    std::lock_guard<std::mutex> guard(lock_);
    amounts_.clear();
  }

  // A line for each.
  std::string text() {
    std::lock_guard<std::mutex> guard(lock_);
    std::string lines;
    for (const auto& [what, amount] : amounts_) {
      lines += what + "\t" + std::to_string(amount) + "\n";
    }
    return lines;
  }

 private:
  std::mutex lock_;
  std::map<std::string, int64_t> amounts_;
};

extern Counts& counts;

}  // namespace fake
