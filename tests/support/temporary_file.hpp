// A file that is gone with its owner.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace hawser::test {

class temporary_file {
 public:
  explicit temporary_file(const std::string& text) : name_(testing::TempDir() + "hawser_test_XXXXXX") {
    const int fd = mkstemp(name_.data());
    EXPECT_GE(fd, 0);
    if (fd >= 0) close(fd);
    std::ofstream(name_) << text;
  }
  ~temporary_file() { std::remove(name_.c_str()); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

}  // namespace hawser::test
