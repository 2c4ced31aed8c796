// Questions, agreements and admissions as the store's messages carry them.
#pragma once

#include <string>
#include <string_view>

#include <hawser/bootstrap/agreement.hpp>

#include "wire.hpp"

namespace hawser::bootstrap::wire {

/// The fields of `message::agree` after its id.
void write(writer& to, const question& asked);
/// Throws errc::mismatch for what cannot be a question.
question read_question(reader& from);

std::string to_text(const agreement& made);
/// Throws errc::mismatch.
agreement read_agreement(std::string_view text);

std::string to_text(const admission_notice& notice);
/// Throws errc::mismatch.
admission_notice read_admission(std::string_view text);

}  // namespace hawser::bootstrap::wire
