// Chrome's trace events as text, for Perfetto and chrome://tracing.
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event Format)
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace hawser {

/// Collects events; `finish` gives the file. Control characters in names are left out. Times are in microseconds.
class chrome_trace {
 public:
  /// Names a process: a row of its own for each thread of it that has events.
  void add_process(std::int64_t process, std::string_view name) {
    begin() += "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" + std::to_string(process) +
               ",\"args\":{\"name\":" + quoted(name) + "}}";
  }
  /// An interval. `arguments` is the inside of a JSON object: "\"step\":1".
  void add(std::string_view name, std::int64_t process, std::int64_t thread, double begin_us, double duration_us,
           std::string_view arguments) {
    char numbers[160];
    std::snprintf(numbers, sizeof numbers, ",\"pid\":%lld,\"tid\":%lld,\"ts\":%.6f,\"dur\":%.6f,\"args\":{",
                  static_cast<long long>(process), static_cast<long long>(thread), begin_us, duration_us);
    begin() += "{\"ph\":\"X\",\"name\":" + quoted(name) + numbers;
    text_.append(arguments).append("}}");
  }
  /// The file; nothing can be added any more.
  std::string finish() { return std::move(text_) + "\n]}\n"; }

 private:
  static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    return out + "\"";
  }
  std::string& begin() {
    text_ += std::exchange(separator_, ",\n");
    return text_;
  }

  std::string text_ = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  const char* separator_ = "\n";
};

}  // namespace hawser
