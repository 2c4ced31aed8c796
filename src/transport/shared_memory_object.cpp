// Memory objects: files in /dev/shm that are removed as soon as the neighbours have mapped them.
#include "shared_memory_object.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/fault_points.hpp>

#include "host_arena.hpp"

namespace hawser::transport::shared_memory {

namespace {

constexpr std::uint64_t magic =
    0x32'6d'68'73'72'77'61'68;  // "hawrshm2" in memory; the last character is the layout's version
constexpr std::string_view directory = "/dev/shm/";
constexpr std::string_view prefix = "hawser-";
constexpr std::string_view bell_suffix = ".bell";
constexpr std::size_t name_bytes = 7 + 32;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t smallest_ring = std::size_t{8} << 10;
constexpr std::size_t largest_ring = std::size_t{1} << 30;
constexpr std::uint32_t most_slots = 1 << 16;
// Between creating a file and locking it, it looks abandoned; nothing this young is swept away.
constexpr std::time_t sweep_age_seconds = 30;

std::string path_of(std::string_view name) {
  return std::string(directory).append(name);
}
std::string bell_path_of(std::string_view name) {
  return path_of(name).append(bell_suffix);
}

[[noreturn]] void fail_system(errc code, const std::string& problem, std::string_view suggestion = {}) {
  const int number = errno;
  throw error(code, describe(problem, std::strerror(number), suggestion)).with_native_code(number);
}

int open_file(const std::string& path, int flags) {
  if (detail::is_struck(fault_point::open_descriptor)) return -1;
  return ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/// Reserves the memory, so that a full /dev/shm is an error here and no SIGBUS later. False with errno.
bool reserve(int file, std::size_t bytes) {
  do
    errno =
        detail::is_struck(fault_point::reserve_memory) ? errno : ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  while (errno == EINTR);  // a signal in the middle of many pages
  return errno == 0;
}

std::size_t rings_offset(std::size_t slots) {
  const std::size_t control = sizeof(object_header) + slots * sizeof(object_slot);
  return (control + page_bytes - 1) / page_bytes * page_bytes;
}

bool is_name(std::string_view name) {
  return name.size() == name_bytes && name.starts_with(prefix) &&
         name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

/// Removes an object whose creator was killed before it could.
void sweep(std::string_view name) {
  const int file = ::open(path_of(name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return;
  struct stat facts {};
  if (::fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == ::geteuid() &&
      std::time(nullptr) - facts.st_ctime > sweep_age_seconds && ::flock(file, LOCK_EX | LOCK_NB) == 0) {
    ::unlink(bell_path_of(name).c_str());
    ::unlink(path_of(name).c_str());
  }
  ::close(file);
}

void sweep_abandoned() {
  DIR* entries = ::opendir(std::string(directory).c_str());
  if (!entries) return;
  while (const dirent* each = ::readdir(entries))
    if (is_name(each->d_name)) sweep(each->d_name);
  ::closedir(entries);
}

/// The largest ring, a power of two, of which `slots` fit into the budget.
std::size_t fitting_ring(std::size_t wanted, std::size_t slots, std::size_t budget) {
  std::size_t bytes = smallest_ring;
  while (bytes * 2 <= wanted && bytes * 2 <= largest_ring && bytes * 2 * slots <= budget) bytes *= 2;
  return bytes;
}

}  // namespace

nonce random_nonce() {
  nonce value{};
  if (::getrandom(value.data(), sizeof value, 0) != static_cast<ssize_t>(sizeof value))
    fail_system(errc::io, "the system gives no random bytes");
  return value;
}

std::string to_hex(const nonce& value) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(value[0]),
                static_cast<unsigned long long>(value[1]));
  return text;
}

bool read_process(std::int64_t pid, std::uint64_t address, std::byte* into, std::size_t bytes) noexcept {
  while (bytes > 0) {
    const iovec local{into, bytes};
    const iovec remote{reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), bytes};
    const ssize_t got = ::process_vm_readv(static_cast<pid_t>(pid), &local, 1, &remote, 1, 0);
    if (got < 0) return false;
    if (got == 0) {
      errno = EFAULT;
      return false;
    }
    into += got;
    address += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

object object::create(rank owner, const std::vector<rank>& neighbours, std::size_t ring_bytes, std::size_t budget) {
  sweep_abandoned();
  object made;
  made.name_ = std::string(prefix) + to_hex(random_nonce());
  const std::string path = path_of(made.name_);
  made.file_ = open_file(path, O_RDWR | O_CREAT | O_EXCL);
  if (made.file_ < 0) fail_system(errc::io, "cannot create " + path, "check that /dev/shm is mounted and writable");
  made.is_linked_ = true;
  if (::flock(made.file_, LOCK_EX | LOCK_NB) != 0) fail_system(errc::io, "cannot lock " + path);

  const std::size_t slots = neighbours.size();
  made.ring_bytes_ = fitting_ring(ring_bytes, slots, budget);
  std::size_t bytes = 0;
  for (;; made.ring_bytes_ /= 2) {
    bytes = rings_offset(slots) + slots * made.ring_bytes_;
    if (reserve(made.file_, bytes)) break;
    if (made.ring_bytes_ <= smallest_ring)
      fail_system(errc::resource, "no room for " + std::to_string(bytes) + " bytes in /dev/shm",
                  "enlarge it (docker run --shm-size)");
  }
  if (::ftruncate(made.file_, static_cast<off_t>(bytes)) != 0) fail_system(errc::io, "cannot size " + path);
  if (::mkfifo(bell_path_of(made.name_).c_str(), 0600) != 0) fail_system(errc::io, "cannot create a FIFO in /dev/shm");
  made.bell_ = open_file(bell_path_of(made.name_), O_RDWR | O_NONBLOCK);
  if (made.bell_ < 0) fail_system(errc::io, "cannot open the FIFO of " + path);

  made.map(bytes);
  made.slots_ = static_cast<int>(slots);
  object_header& header = *new (made.base_) object_header{};
  header.magic = magic;
  header.bytes = bytes;
  header.ring_bytes = made.ring_bytes_;
  header.slots = static_cast<std::uint32_t>(slots);
  header.owner = owner.value;
  header.identity = random_nonce();
  header.pid = ::getpid();
  header.file = made.file_;
  header.arena_file = -1;
  for (int i = 0; i < made.slots_; ++i) {
    new (&made.slot(i)) object_slot{};
    made.slot(i).neighbour = neighbours[static_cast<std::size_t>(i)].value;
  }
  return made;
}

object object::open(rank owner, std::string_view name) {
  if (!is_name(name)) fail(errc::io, "rank " + to_string(owner) + " published no name of a memory object");
  object made;
  made.name_ = name;
  const std::string path = path_of(name);
  made.file_ = open_file(path, O_RDWR | O_NONBLOCK);
  if (made.file_ < 0) fail_system(errc::io, "cannot open " + path, "ranks of different containers share no memory");
  struct stat facts {};
  if (::fstat(made.file_, &facts) != 0) fail_system(errc::io, "cannot examine " + path);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & 077) != 0 ||
      facts.st_size < static_cast<off_t>(rings_offset(1)))
    fail(errc::mismatch, path + " is not a memory object of this user");
  // Not write-only: a writer without any reader would be killed by SIGPIPE when the owner is dead.
  made.bell_ = open_file(bell_path_of(name), O_RDWR | O_NONBLOCK);
  if (made.bell_ < 0) fail_system(errc::io, "cannot open the FIFO of " + path);
  struct stat bell_facts {};
  if (::fstat(made.bell_, &bell_facts) != 0 || !S_ISFIFO(bell_facts.st_mode) || bell_facts.st_uid != ::geteuid())
    fail(errc::mismatch, bell_path_of(name) + " is not a FIFO of this user");
  made.map(static_cast<std::size_t>(facts.st_size));
  made.ring_bytes_ = made.header().ring_bytes;
  const std::uint32_t slots = made.header().slots;
  made.slots_ = slots <= most_slots ? static_cast<int>(slots) : 0;
  made.check(owner);
  made.can_open_files_ = can_open_file_of(made.header().pid, made.header().file, facts.st_dev, facts.st_ino);
  ::close(std::exchange(made.file_, -1));
  return made;
}

void object::check(rank owner) const {
  const bool has_sane_ring =
      ring_bytes_ >= smallest_ring && ring_bytes_ <= largest_ring && (ring_bytes_ & (ring_bytes_ - 1)) == 0;
  const auto slots = static_cast<std::size_t>(slots_);
  if (header().magic != magic || header().owner != owner.value || !has_sane_ring || slots == 0 ||
      bytes_ != rings_offset(slots) + slots * ring_bytes_)
    fail(errc::mismatch, "the memory object of rank " + to_string(owner) + " has another layout",
         "all ranks must run the same version of hawser");
}

void object::map(std::size_t bytes) {
  void* base = detail::is_struck(fault_point::map_memory)
                   ? MAP_FAILED
                   : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (base == MAP_FAILED) fail_system(errc::resource, "cannot map " + std::to_string(bytes) + " bytes of /dev/shm");
  base_ = base;
  bytes_ = bytes;
}

object::object(object&& other) noexcept {
  *this = std::move(other);
}

object& object::operator=(object&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(is_linked_, other.is_linked_);
  std::swap(file_, other.file_);
  std::swap(bell_, other.bell_);
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(ring_bytes_, other.ring_bytes_);
  std::swap(slots_, other.slots_);
  std::swap(can_open_files_, other.can_open_files_);
  return *this;
}

object::~object() {
  unlink();
  if (base_) ::munmap(base_, bytes_);
  if (bell_ >= 0) ::close(bell_);
  if (file_ >= 0) ::close(file_);
}

void object::unlink() noexcept {
  if (!std::exchange(is_linked_, false)) return;
  // Without an allocation: this is how an object ends for which there was no memory.
  std::array<char, directory.size() + name_bytes + bell_suffix.size() + 1> path{};
  const auto end = std::copy(name_.begin(), name_.end(), std::copy(directory.begin(), directory.end(), path.begin()));
  std::copy(bell_suffix.begin(), bell_suffix.end(), end);
  ::unlink(path.data());  // before the object: a bell without an object would never be swept
  *end = '\0';
  ::unlink(path.data());
  ::close(std::exchange(file_, -1));
}

int object::slot_of(rank neighbour) const noexcept {
  for (int i = 0; i < slots_; ++i)
    if (slot(i).neighbour == neighbour.value) return i;
  return -1;
}

object_slot& object::slot(int index) const noexcept {
  std::byte* first = static_cast<std::byte*>(base_) + sizeof(object_header);
  return reinterpret_cast<object_slot*>(first)[index];
}

std::byte* object::ring(int index) const noexcept {
  return static_cast<std::byte*>(base_) + rings_offset(static_cast<std::size_t>(slots_)) +
         static_cast<std::size_t>(index) * ring_bytes_;
}

void object::ring_bell() const noexcept {
  const char stroke = 1;
  // A full FIFO is readable, which is all that a stroke is for; other failures cannot happen to an open FIFO.
  [[maybe_unused]] const ssize_t written = ::write(bell_, &stroke, 1);
}

void object::drain_bell() const noexcept {
  char strokes[256];
  while (::read(bell_, strokes, sizeof strokes) == static_cast<ssize_t>(sizeof strokes)) {
  }
}

}  // namespace hawser::transport::shared_memory
