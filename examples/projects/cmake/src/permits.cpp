#include "permits.hpp"

bool Permits::take() {
  if (left_ == 0) return false;
  --left_;
  return true;
}
