// The tasks that run on their own, so that a scheduler that shuts down can destroy those still pending.
#pragma once

#include <mutex>

namespace threadbare::runtime {

/// A started task that has not ended; linked into the `Roots` of its scheduler.
class Root {
 public:
  Root(const Root &) = delete;
  Root &operator=(const Root &) = delete;

  /// Destroys the pending frame; it will not run on. May delete this object.
  virtual void abandon() noexcept = 0;

 protected:
  Root() = default;
  ~Root() = default;

 private:
  friend class Roots;
  Root *next_ = nullptr;
  Root *previous_ = nullptr;
};

/// The list of them. Any thread may link and unlink.
class Roots {
 public:
  void link(Root &root) noexcept {
    const std::lock_guard lock(mutex_);
    root.next_ = first_;
    root.previous_ = nullptr;
    if (first_) first_->previous_ = &root;
    first_ = &root;
  }

  void unlink(Root &root) noexcept {
    const std::lock_guard lock(mutex_);
    remove(root);
  }

  /// Abandons every root. The caller guarantees that no other thread runs coroutines of this scheduler.
  void abandon_all() noexcept {
    while (Root *root = first_) {
      remove(*root);
      root->abandon();
    }
  }

 private:
  void remove(Root &root) noexcept {
    if (root.next_) root.next_->previous_ = root.previous_;
    (root.previous_ ? root.previous_->next_ : first_) = root.next_;
  }

  std::mutex mutex_;
  Root *first_ = nullptr;
};

}  // namespace threadbare::runtime
