// The start of a job whose options ask for racks to be inferred or for measured figures: rank 0's options and files
// count, and all ranks compute from the same text, so that none can plan with other figures than the others.
#include <cstdio>

#include <hawser/communicator/tune.hpp>
#include <hawser/topology/hosted.hpp>

#include "state.hpp"

namespace hawser::detail {

namespace {

constexpr std::string_view probe_now = "probe";

/// What rank 0 says: two letters, then a path and, after a line break, a text.
struct tuning_offer {
  bool infers = false;
  enum class figures : char { none = 'n', probe = 'p', file = 'f', unreadable = 'u' } from = figures::none;
  std::string path{};
  std::string text{};  ///< of the file, or why there is none

  std::string to_text() const { return std::string{infers ? 'i' : '-', static_cast<char>(from)} + path + "\n" + text; }
  static tuning_offer parse(const std::string& told) {
    if (told.size() < 2) return {};
    const std::size_t line = told.find('\n');
    return {told[0] == 'i', static_cast<figures>(told[1]), told.substr(2, line - 2), told.substr(line + 1)};
  }
};

using figures = tuning_offer::figures;
using topology::severity;

/// Builds the communicator of all ranks, then another one for each thing that was learned with the one before.
class world {
 public:
  explicit world(std::shared_ptr<job> owner)
      : owner_(std::move(owner)),
        state_(std::make_shared<communicator_state>(owner_)),
        offer_(tuning_offer::parse(owner_->tuning_offer())) {}

  std::shared_ptr<communicator_state> make() {
    if (offer_.infers) infer();
    switch (offer_.from) {
      case figures::none: break;
      case figures::unreadable: fail(errc::io, offer_.text);
      case figures::file: read(); break;
      case figures::probe: probe(); break;
    }
    state_->pin(agree_on_decisions(*owner_, tree()));
    return state_;
  }

 private:
  const topology::hierarchy& tree() const { return state_->planner().tree(); }

  /// Only hosts that stand under nothing: what a source or the user says of racks is not doubted.
  void infer() {
    if (tree().at(0).name != topology::host_level_name || tree().at(0).units.total() < 3) return;
    if (!owner_->aggregated_levels().empty())
      fail(errc::unsupported, "racks cannot be inferred in a job with aggregators",
           "nobody knows yet which switches there are", "name the racks in HAWSER_TOPOLOGY");
    communicator members(state_);
    const tune::inferred racks = infer_racks(members);
    char share[32];
    std::snprintf(share, sizeof share, "confidence %.2f", racks.confidence);
    const std::string what = std::to_string(racks.racks) + " racks, " + share + ": " + racks.reason;
    if (racks.by == tune::clue::none || racks.confidence < tune::least_confidence) {
      note(severity::warning, "racks-not-inferred", what);
      return;
    }
    note(severity::info, "racks-inferred", what);
    replace(hierarchy_of(members, racks, offer_.from == figures::none));
  }

  void read() {
    const tune::tuning measured = tune::tuning_from_json(offer_.text, offer_.path);
    try {
      use(measured, topology::provenance::file, tune::origin_of_file(offer_.path, measured));
    } catch (const error& problem) {
      if (problem.code() != errc::mismatch) throw;
      note(severity::warning, "tuning-not-used", offer_.path + ": " + problem.what());
    }
  }

  void probe() {
    if (tree().size() == 1) return;  // there is nothing to measure
    communicator members(state_);
    const tune::tuning measured = calibrate(members, tune::effort::quick());
    use(measured, topology::provenance::probed, "probed at start, " + measured.date);
  }

  void use(const tune::tuning& measured, topology::provenance source, const std::string& origin) {
    tune::tuned better = tune::apply(measured, tree(), owner_->options().host, source, origin);
    owner_->set_host(std::move(better.host));
    replace(std::move(better.tree));
  }

  void replace(topology::hierarchy better) {
    state_->retire();
    // What was measured stands for a file's rates, which are those of the GPUs' links.
    state_ = std::make_shared<communicator_state>(owner_, planned_machine{std::move(better), nullptr});
  }

  void note(severity level, const std::string& code, const std::string& message) {
    owner_->report().findings.push_back({level, code, "the job", message});
  }

  std::shared_ptr<job> owner_;
  std::shared_ptr<communicator_state> state_;
  tuning_offer offer_;
};

}  // namespace

std::string make_tuning_offer(job& owner) {
  if (owner.self() != rank(0)) return {};
  const communicator_options& options = owner.options();
  tuning_offer offer{.infers = options.infer_racks};
  if (options.tuning == probe_now) {
    offer.from = figures::probe;
  } else if (!options.tuning.empty()) {
    offer.path = options.tuning;
    offer.from = figures::file;
    try {
      offer.text = tune::read_tuning_text(options.tuning);
    } catch (const error& problem) {
      offer.from = figures::unreadable;
      offer.text = problem.what();
    }
  }
  return offer.to_text();
}

std::shared_ptr<communicator_state> make_world(std::shared_ptr<job> owner) {
  return world(std::move(owner)).make();
}

}  // namespace hawser::detail
