#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "permits.hpp"

TEST(Permits, AreNeverTakenTwice) {
  auto permits = std::make_unique<Permits>(1);
  std::thread other([&] { permits->take(); });
  permits->take();
  other.join();
  EXPECT_EQ(permits->left(), 0);
}
