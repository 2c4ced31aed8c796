// See agreement_wire.hpp. Sizes are believed only as far as the message reaches.
#include "agreement_wire.hpp"

namespace hawser::bootstrap::wire {
namespace {

constexpr std::size_t longest_name = 4096;
constexpr std::uint64_t longest_timeout_ms = std::uint64_t{7} * 24 * 3600 * 1000;

void write(writer& to, const std::vector<rank>& ranks) {
  to.number(static_cast<std::uint32_t>(ranks.size()));
  for (const rank each : ranks) to.number(each.value);
}

std::vector<rank> read_ranks(reader& from) {
  std::vector<rank> ranks;
  const auto count = from.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) ranks.emplace_back(from.number<std::int32_t>());
  return ranks;
}

}  // namespace

void write(writer& to, const question& asked) {
  to.text(asked.name).text(asked.said).number(static_cast<std::uint32_t>(asked.newcomers));
  to.number(static_cast<std::uint64_t>(asked.timeout.count()));
  write(to, asked.members);
}

question read_question(reader& from) {
  question asked;
  asked.name = from.text();
  asked.said = from.text();
  asked.newcomers = from.number<std::int32_t>();
  const auto timeout = from.number<std::uint64_t>();
  asked.members = read_ranks(from);
  if (asked.name.size() > longest_name || asked.newcomers < 0 || timeout > longest_timeout_ms)
    fail(errc::mismatch, "a question to the store is not well formed");
  asked.timeout = std::chrono::milliseconds(timeout);
  return asked;
}

std::string to_text(const agreement& made) {
  writer text(message::agree);
  text.number(static_cast<std::uint32_t>(made.members.size()));
  for (const agreement::member& each : made.members)
    text.number(each.number.value).number(static_cast<std::uint8_t>(each.state)).text(each.said);
  write(text, made.newcomers);
  return text.body();
}

agreement read_agreement(std::string_view text) {
  reader fields(text);
  agreement made;
  const auto count = fields.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    agreement::member each;
    each.number = rank(fields.number<std::int32_t>());
    const auto state = fields.number<std::uint8_t>();
    if (state > static_cast<std::uint8_t>(standing::absent))
      fail(errc::mismatch, "an agreement of the store is not well formed");
    each.state = static_cast<standing>(state);
    each.said = fields.text();
    made.members.push_back(std::move(each));
  }
  made.newcomers = read_ranks(fields);
  return made;
}

std::string to_text(const admission_notice& notice) {
  writer text(message::admit);
  text.text(notice.name);
  write(text, notice.members);
  return text.body();
}

admission_notice read_admission(std::string_view text) {
  reader fields(text);
  admission_notice notice;
  notice.name = fields.text();
  notice.members = read_ranks(fields);
  return notice;
}

}  // namespace hawser::bootstrap::wire
