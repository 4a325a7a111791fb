// A directory for the files of a test, and what is in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

/// A new one, removed with all that is in it.
class Directory {
 public:
  Directory() {
    std::string path = (std::filesystem::temp_directory_path() / "threadbare-XXXXXX").string();
    if (!::mkdtemp(path.data())) throw std::runtime_error("no directory " + path);
    path_ = path;
  }
  Directory(const Directory &) = delete;
  Directory &operator=(const Directory &) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string operator/(const std::string &name) const { return (path_ / name).string(); }

  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto &entry : std::filesystem::directory_iterator(path_)) found.insert(entry.path().filename().string());
    return found;
  }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::string &path, const std::string &text) { std::ofstream(path) << text; }

inline std::string read_file(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
