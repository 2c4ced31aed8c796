// Tuning files on disk: read within limits, replaced atomically.
#include <hawser/tune/tuning.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <hawser/core/error.hpp>

#include "core/text_file.hpp"

namespace hawser::tune {

namespace {

/// A tuning has a few hundred bytes per level.
constexpr std::size_t most_bytes = std::size_t{1} << 20;

std::string reason() {
  return std::strerror(errno);
}

/// A temporary file beside the target, gone unless it was renamed.
class draft {
 public:
  explicit draft(const std::string& target) : target_(target), name_(target + ".XXXXXX") {
    file_ = mkostemp(name_.data(), O_CLOEXEC);
    if (file_ < 0) give_up();
  }
  draft(const draft&) = delete;
  draft& operator=(const draft&) = delete;
  ~draft() {
    if (file_ >= 0) close(file_);
    if (!is_renamed_) unlink(name_.c_str());
  }

  void write_all(const std::string& text) {
    std::size_t written = 0;
    while (written < text.size()) {
      const ssize_t now = write(file_, text.data() + written, text.size() - written);
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) give_up();
      written += static_cast<std::size_t>(now);
    }
  }
  void replace_target() {
    constexpr mode_t readable = 0644;
    if (fchmod(file_, readable) != 0 || fsync(file_) != 0) give_up();
    const int closed = close(file_);
    file_ = -1;
    if (closed != 0 || std::rename(name_.c_str(), target_.c_str()) != 0) give_up();
    is_renamed_ = true;
  }

 private:
  [[noreturn]] void give_up() const {
    fail(errc::io, "the tuning file \"" + target_ + "\" cannot be written", reason(),
         "what was there before is unchanged; choose another --output");
  }

  std::string target_;
  std::string name_;
  int file_ = -1;
  bool is_renamed_ = false;
};

}  // namespace

std::string read_tuning_text(const std::string& path) {
  return read_text_file("tuning file", path, most_bytes, "make one with hawser tune --output " + path);
}

tuning read_tuning(const std::string& path) {
  return tuning_from_json(read_tuning_text(path), path);
}

void write_tuning(const std::string& path, const tuning& measured) {
  const std::string text = to_json(measured) + "\n";
  draft made(path);
  made.write_all(text);
  made.replace_target();
}

}  // namespace hawser::tune
