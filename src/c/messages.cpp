// Messages between two ranks of hawser.h, its user-defined operators and its memory.
#include <cstddef>
#include <span>
#include <utility>

#include <hawser/transport/host_memory.hpp>

#include "handles.hpp"
#include "options.hpp"
#include "status.hpp"

namespace hawser::c {

namespace {

constexpr std::size_t memory_alignment = 64;  // a cache line

std::uint16_t label_of(int label) {
  if (label < 0 || label > 0xffff)
    fail(errc::invalid_argument, "the label of a message is out of range", std::to_string(label), "pass 0 to 65535");
  return static_cast<std::uint16_t>(label);
}

std::span<const std::byte> sent(const void* data, std::size_t bytes) {
  return {static_cast<const std::byte*>(data), bytes};
}
std::span<std::byte> received(void* data, std::size_t bytes) {
  return {static_cast<std::byte*>(data), bytes};
}

hawser_user_op* make_op(hawser_reduce_function function, const void* context, hawser_type type,
                        std::size_t element_bytes, bool is_commutative, const char* name) {
  valid(function, "function of the operator");
  const data_type operand = type_of(type);
  if (operand == data_type::user && element_bytes == 0)
    fail(errc::invalid_argument, "an element of HAWSER_USER_TYPE has no size", "element_bytes is 0",
         "pass the size of your type");
  if (operand != data_type::user && element_bytes != 0 && element_bytes != size_of(operand))
    fail(errc::invalid_argument,
         "element_bytes is " + std::to_string(element_bytes) + " for " + std::string(to_string(operand)),
         "which has " + std::to_string(size_of(operand)), "pass 0 for built-in types");
  auto made = std::make_unique<hawser_user_op>();
  made->name = name == nullptr ? "user" : name;
  made->op.kind = reduce_kind::user;
  made->op.is_commutative = is_commutative;
  made->op.function = {function, context, operand == data_type::user ? element_bytes : size_of(operand)};
  made->op.operand = operand;
  made->op.name = made->name;
  return made.release();
}

}  // namespace

}  // namespace hawser::c

using hawser::c::guarded;
using hawser::c::label_of;
using hawser::c::valid;

extern "C" {

hawser_status hawser_send(hawser_comm* comm, const void* data, size_t bytes, int to, int label) {
  return guarded([&] {
    hawser_comm& on = valid(comm, "communicator");
    if (on.open)
      on.open->send(hawser::c::sent(data, bytes), to, label_of(label));
    else
      on.members.send(hawser::c::sent(data, bytes), to, label_of(label));
  });
}

hawser_status hawser_send_async(hawser_comm* comm, const void* data, size_t bytes, int to, int label,
                                hawser_request** request) {
  return guarded([&] {
    hawser_request*& made = valid(request, "place for the request");
    auto& members = valid(comm, "communicator").members;
    made = new hawser_request{members.send_async(hawser::c::sent(data, bytes), to, label_of(label))};
  });
}

hawser_status hawser_receive(hawser_comm* comm, void* data, size_t bytes, int from, int label) {
  return guarded([&] {
    hawser_comm& on = valid(comm, "communicator");
    if (on.open)
      on.open->receive(hawser::c::received(data, bytes), from, label_of(label));
    else
      on.members.receive(hawser::c::received(data, bytes), from, label_of(label));
  });
}

hawser_status hawser_receive_async(hawser_comm* comm, void* data, size_t bytes, int from, int label,
                                   hawser_request** request) {
  return guarded([&] {
    hawser_request*& made = valid(request, "place for the request");
    auto& members = valid(comm, "communicator").members;
    made = new hawser_request{members.receive_async(hawser::c::received(data, bytes), from, label_of(label))};
  });
}

hawser_status hawser_user_op_create(hawser_reduce_function function, const void* context, hawser_type type,
                                    size_t element_bytes, int is_commutative, const char* name, hawser_user_op** op) {
  return guarded([&] {
    hawser_user_op*& made = valid(op, "place for the operator");
    made = hawser::c::make_op(function, context, type, element_bytes, is_commutative != 0, name);
  });
}

void hawser_user_op_free(hawser_user_op* op) {
  delete op;
}

void* hawser_memory_allocate(size_t bytes) {
  void* memory = nullptr;
  guarded([&] { memory = hawser::host_memory().allocate(bytes, hawser::c::memory_alignment); });
  return memory;
}

void hawser_memory_free(void* memory, size_t bytes) {
  if (memory != nullptr) hawser::host_memory().deallocate(memory, bytes, hawser::c::memory_alignment);
}
}
