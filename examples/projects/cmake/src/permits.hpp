#pragma once
#include <atomic>

class Permits {
 public:
  explicit Permits(int count) : left_(count) {}
  bool take();
  int left() const { return left_; }

 private:
  std::atomic<int> left_;
};
