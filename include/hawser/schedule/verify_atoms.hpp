// Schedules on a common grid: the boundaries of all ranks cut every block into the same elementary pieces (moves keep
// the fractional coordinate), so that an operand is a list of atoms: (buffer, block, piece) as one number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include <hawser/schedule/program.hpp>
#include <hawser/schedule/violation.hpp>

namespace hawser::schedule::detail {

/// The fractional coordinates at which blocks are cut.
class grid {
 public:
  grid() { add(fraction(0)); }

  void add(const fraction& boundary) {
    if (!boundary.is_whole()) index_.try_emplace(boundary.fractional(), 0);
  }
  void add(const program& each) {
    for (const region& r : each.source.regions) {
      add(r.first.begin);
      add(r.first.end);
    }
  }
  /// To be called after the last boundary was added.
  void close() {
    cuts_.assign(1, fraction(0));
    for (const auto& [cut, unused] : index_) cuts_.push_back(cut);
    std::sort(cuts_.begin(), cuts_.end());
    for (std::uint32_t i = 1; i < cuts_.size(); ++i) index_[cuts_[i]] = i;
  }

  /// Pieces per block.
  std::int64_t pieces() const noexcept { return static_cast<std::int64_t>(cuts_.size()); }
  /// Number of pieces before a boundary, counted from the start of block 0.
  std::int64_t pieces_before(const fraction& boundary) const {
    const std::int64_t whole = boundary.floor() * pieces();
    return boundary.is_whole() ? whole : whole + index_.at(boundary.fractional());
  }
  interval piece(std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    return {cuts_[i], i + 1 < cuts_.size() ? cuts_[i + 1] : fraction(1)};
  }

 private:
  struct hash {
    std::size_t operator()(const fraction& f) const noexcept { return f.num() * 0x9e3779b97f4a7c15ULL ^ f.den(); }
  };
  std::unordered_map<fraction, std::uint32_t, hash> index_;
  std::vector<fraction> cuts_;
};

using atom = std::uint32_t;

/// One rank's program with its operands as atoms.
class rank_view {
 public:
  rank_view(const program& source, const grid& cuts) : source_(&source), pieces_(cuts.pieces()) {
    const schedule& s = source.source;
    first_block_[1] = s.input_blocks;
    first_block_[2] = first_block_[1] + s.output_blocks;
    blocks_ = first_block_[2] + s.scratch_blocks;
    if (blocks_ > INT64_C(0x7fffffff) / pieces_)
      fail(errc::unsupported, "this schedule is too large to be verified exactly",
           std::to_string(blocks_) + " blocks of " + std::to_string(pieces_) + " pieces per rank",
           "use the sampled verifier");
    operands_.reserve(s.steps.size());
    for (const step& each : s.steps)
      operands_.push_back({flatten(each.source, cuts), flatten(each.target, cuts), flatten(each.other, cuts)});
  }

  const schedule& written() const noexcept { return source_->source; }
  const program& whole() const noexcept { return *source_; }
  rank self() const noexcept { return written().self; }
  std::size_t size() const noexcept { return operands_.size(); }
  std::size_t atoms() const noexcept { return static_cast<std::size_t>(blocks_ * pieces_); }

  std::span<const atom> source(std::size_t i) const { return at(operands_[i].source); }
  std::span<const atom> target(std::size_t i) const { return at(operands_[i].target); }
  std::span<const atom> other(std::size_t i) const { return at(operands_[i].other); }

  atom first_atom(buffer where, std::int64_t block) const {
    return static_cast<atom>((first_block_[static_cast<std::size_t>(where)] + block) * pieces_);
  }
  std::int64_t piece_of(atom a) const { return a % pieces_; }
  /// "output[5/4,3/2)"
  std::string name(atom a, const grid& cuts) const {
    const std::int64_t block = a / pieces_;
    const int which = block >= first_block_[2] ? 2 : block >= first_block_[1] ? 1 : 0;
    const fraction base(block - first_block_[which]);
    const interval piece = cuts.piece(piece_of(a));
    return std::string(to_string(static_cast<buffer>(which))) +
           to_string(interval{piece.begin + base, piece.end + base});
  }

 private:
  struct range {
    std::size_t first = 0, count = 0;
  };
  struct operands {
    range source, target, other;
  };

  std::span<const atom> at(range r) const { return std::span(atoms_).subspan(r.first, r.count); }

  range flatten(operand o, const grid& cuts) {
    const std::size_t first = atoms_.size();
    for (const region& r : written().at(o)) {
      const std::int64_t base = first_atom(r.where, 0);
      const std::int64_t begin = cuts.pieces_before(r.first.begin), end = cuts.pieces_before(r.first.end);
      for (std::int64_t k = 0; k < r.count; ++k)
        for (std::int64_t i = begin; i < end; ++i)
          atoms_.push_back(static_cast<atom>(base + i + k * r.stride * pieces_));
    }
    return {first, atoms_.size() - first};
  }

  const program* source_;
  std::int64_t pieces_;
  std::int64_t first_block_[3] = {0, 0, 0};
  std::int64_t blocks_ = 0;
  std::vector<operands> operands_;
  std::vector<atom> atoms_;
};

}  // namespace hawser::schedule::detail
