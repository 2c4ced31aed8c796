// Mixture-of-experts dispatch and combine on a communicator: every token enters each rack with any of its experts once
// and is fanned out inside; on the way back each rack sends one sum per token (algorithm/moe_dispatch.hpp).
#pragma once

#include <bit>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/algorithm/moe_dispatch.hpp>
#include <hawser/communicator/communicator.hpp>

namespace hawser {

/// Equal on all ranks.
struct moe_shape {
  std::int64_t experts_per_rank = 1;  ///< expert e is on rank e / experts_per_rank
  std::int64_t top_k = 1;             ///< experts per token
  std::int64_t hidden = 1;            ///< elements per token
};

/// One expert of this rank that a received token goes to.
struct moe_assignment {
  std::int64_t row;     ///< of the received tokens
  std::int32_t expert;  ///< among this rank's, from 0
  float weight;
};

/// What a dispatch brought to this rank.
template <class T>
struct moe_received {
  std::vector<T> tokens;                    ///< row-major [rows x hidden]: every token with an expert here, once
  std::vector<rank> sources;                ///< per row: the rank that has the token
  std::vector<std::int32_t> source_rows;    ///< per row: which of its tokens it is
  std::vector<moe_assignment> assignments;  ///< by row, then by place among the token's experts
};

/// Rows that the last dispatch sent from this rank; combine sends as many back.
struct moe_traffic {
  std::int64_t between_racks = 0;  ///< one per token and foreign rack
  std::int64_t inside = 0;         ///< fanned out to other ranks of the rack, for all sources that enter here
};

namespace detail {

/// Sums are kept in float, of float64 in double.
template <class T>
using moe_sum = std::conditional_t<std::is_same_v<T, double>, double, float>;

/// Rows on their way from one rank to the others of a communicator, and the sums of their results on the way back.
class moe_hop {
 public:
  /// Tells each rank how many rows it gets. Collective.
  void plan(communicator& members, algorithm::row_routes routes) {
    routes_ = std::move(routes);
    received_.assign(routes_.counts.size(), 0);
    members.all_to_all(routes_.counts, received_);
  }
  const std::vector<std::int64_t>& received() const noexcept { return received_; }
  const algorithm::row_routes& routes() const noexcept { return routes_; }

  template <class T>
  std::vector<T> forth(communicator& members, std::span<const T> rows, std::int64_t width) const {
    std::vector<T> packed;
    packed.reserve(routes_.rows.size() * static_cast<std::size_t>(width));
    for (std::int64_t row : routes_.rows) {
      const auto from = rows.subspan(static_cast<std::size_t>(row * width), static_cast<std::size_t>(width));
      packed.insert(packed.end(), from.begin(), from.end());
    }
    return exchange(members, packed, routes_.counts, received_, width);
  }
  /// Row r of the result is the sum of what the ranks to which row r went send back, in the order of those ranks.
  template <class T>
  std::vector<moe_sum<T>> back(communicator& members, const std::vector<T>& results, std::int64_t rows,
                               std::int64_t width) const {
    const std::vector<T> packed = exchange(members, results, received_, routes_.counts, width);
    std::vector<moe_sum<T>> sums(static_cast<std::size_t>(rows * width), 0);
    const T* from = packed.data();
    for (std::int64_t row : routes_.rows)
      for (std::int64_t i = 0; i < width; ++i)
        sums[static_cast<std::size_t>(row * width + i)] += static_cast<moe_sum<T>>(*from++);
    return sums;
  }

 private:
  template <class T>
  static std::vector<T> exchange(communicator& members, const std::vector<T>& packed,
                                 const std::vector<std::int64_t>& sent, const std::vector<std::int64_t>& received,
                                 std::int64_t width) {
    std::vector<std::int64_t> out(sent), in(received);
    std::int64_t total = 0;
    for (std::int64_t& each : out) each *= width;
    for (std::int64_t& each : in) total += each *= width;
    std::vector<T> arrived(static_cast<std::size_t>(total));
    call_options straight;
    straight.algorithm = "pairwise";  // the hops follow the hierarchy already
    members.all_to_all_v(packed, out, arrived, in, straight);
    return arrived;
  }

  algorithm::row_routes routes_;
  std::vector<std::int64_t> received_;
};

}  // namespace detail

/// Sends tokens to the ranks of their experts and brings the weighted sums of the results back. Construction, dispatch
/// and combine are collective: all ranks call them in the same order with equal shapes. The communicator must outlive
/// it. Elements are float64, float32, float16 or bfloat16; sums are kept in float32 (of float64 in float64), in an
/// order that only the routing decides, and travel as T: rounded once where a row leaves a rank.
template <class T>
class moe_exchange {
  static_assert(std::is_same_v<T, double> || std::is_same_v<T, float> || std::is_same_v<T, float16> ||
                    std::is_same_v<T, bfloat16>,
                "tokens are float64, float32, float16 or bfloat16");
  using sum = detail::moe_sum<T>;

 public:
  /// Throws errc::invalid_argument where a figure of the shape is not positive; else as communicator::split.
  moe_exchange(communicator& members, const moe_shape& shape)
      : members_(members), shape_(checked(shape)), routes_(members.hierarchy(), shape.experts_per_rank) {
    const std::int64_t rack = routes_.racks().rack_of(members.rank());
    inside_ = members.split(static_cast<int>(rack), static_cast<int>(members.hierarchy().position_of(members.rank())));
  }

  /// `tokens`: row-major [rows x hidden]; `experts` and `weights`: [rows x top_k], an expert below 0 is none. A token
  /// without experts goes nowhere. The result stays until the next dispatch.
  /// Throws errc::invalid_argument where sizes do not fit or an expert does not exist; else as all_to_all_v.
  const moe_received<T>& dispatch(std::span<const T> tokens, std::span<const std::int32_t> experts,
                                  std::span<const float> weights) {
    check_tokens(tokens, experts, weights);
    is_dispatched_ = false;
    rows_ = static_cast<std::int64_t>(experts.size()) / shape_.top_k;
    entry_.plan(members_, routes_.to_relays(members_.rank(), experts, shape_.top_k));
    const std::vector<T> entered = entry_.template forth<T>(members_, tokens, shape_.hidden);
    const std::vector<std::int32_t> headers = entry_.forth<std::int32_t>(members_, written(experts, weights), header());
    entered_ = static_cast<std::int64_t>(headers.size()) / header();
    fan_out_.plan(*inside_,
                  routes_.to_members(routes_.racks().rack_of(members_.rank()), experts_of(headers), shape_.top_k));
    received_ = {};
    received_.tokens = fan_out_.template forth<T>(*inside_, entered, shape_.hidden);
    read(fan_out_.forth<std::int32_t>(*inside_, headers, header()));
    is_dispatched_ = true;
    return received_;
  }

  /// `outputs`: row-major [assignments x hidden], what the experts made of the assignments of the last dispatch, in
  /// their order. The result, [rows x hidden]: for each token the sum over its experts of weight x output; zero for
  /// tokens without experts. Throws errc::invalid_argument where nothing was dispatched or the size does not fit.
  std::vector<T> combine(std::span<const T> outputs) {
    const auto rows = static_cast<std::int64_t>(received_.sources.size());
    if (!is_dispatched_)
      fail(errc::invalid_argument, "nothing to combine", "no dispatch came before", "dispatch first");
    if (outputs.size() != received_.assignments.size() * static_cast<std::size_t>(shape_.hidden))
      fail(errc::invalid_argument, "the outputs of the experts do not fit the last dispatch",
           std::to_string(outputs.size()) + " elements for " + std::to_string(received_.assignments.size()) +
               " assignments of " + std::to_string(shape_.hidden),
           "pass one row per assignment");
    std::vector<sum> own(static_cast<std::size_t>(rows * shape_.hidden), 0);
    const T* from = outputs.data();
    for (const moe_assignment& each : received_.assignments)
      for (std::int64_t i = 0; i < shape_.hidden; ++i)
        own[static_cast<std::size_t>(each.row * shape_.hidden + i)] +=
            static_cast<sum>(each.weight) * static_cast<sum>(*from++);
    const auto rack = fan_out_.back(*inside_, rounded(own), entered_, shape_.hidden);
    return rounded(entry_.back(members_, rounded(rack), rows_, shape_.hidden));
  }

  /// Counted by this rank alone; zero before the first dispatch.
  moe_traffic traffic() const {
    moe_traffic sent;
    const std::int64_t home = routes_.racks().rack_of(members_.rank());
    const auto& out = entry_.routes().counts;
    for (std::size_t r = 0; r < out.size(); ++r)
      if (routes_.racks().rack_of(rank(static_cast<std::int32_t>(r))) != home) sent.between_racks += out[r];
    const auto& fanned = fan_out_.routes().counts;
    for (std::size_t m = 0; m < fanned.size(); ++m)
      if (static_cast<std::int64_t>(m) != routes_.racks().member_of(members_.rank())) sent.inside += fanned[m];
    return sent;
  }

 private:
  static const moe_shape& checked(const moe_shape& shape) {
    if (shape.top_k < 1 || shape.hidden < 1)
      fail(errc::invalid_argument, "a token has no experts or no elements",
           "top_k " + std::to_string(shape.top_k) + ", hidden " + std::to_string(shape.hidden), "pass at least 1");
    return shape;
  }

  void check_tokens(std::span<const T> tokens, std::span<const std::int32_t> experts,
                    std::span<const float> weights) const {
    const auto k = static_cast<std::size_t>(shape_.top_k), width = static_cast<std::size_t>(shape_.hidden);
    if (experts.size() % k != 0 || weights.size() != experts.size() || tokens.size() != experts.size() / k * width)
      fail(errc::invalid_argument, "dispatch: the sizes do not fit",
           std::to_string(tokens.size()) + " elements, " + std::to_string(experts.size()) + " experts, " +
               std::to_string(weights.size()) + " weights",
           "pass hidden elements, top_k experts and top_k weights per token");
    for (std::int32_t each : experts)
      if (each >= routes_.experts())
        fail(errc::invalid_argument, "dispatch: there is no expert " + std::to_string(each),
             std::to_string(routes_.experts()) + " on all ranks together");
  }

  /// What travels with a token, in 32-bit words: its source rank and row, its experts, its weights.
  std::int64_t header() const { return 2 + 2 * shape_.top_k; }
  std::vector<std::int32_t> written(std::span<const std::int32_t> experts, std::span<const float> weights) const {
    std::vector<std::int32_t> headers;
    headers.reserve(static_cast<std::size_t>(rows_ * header()));
    for (std::int64_t row = 0; row < rows_; ++row) {
      headers.push_back(members_.rank().value);
      headers.push_back(static_cast<std::int32_t>(row));
      for (std::int64_t i = row * shape_.top_k; i < (row + 1) * shape_.top_k; ++i)
        headers.push_back(experts[static_cast<std::size_t>(i)]);
      for (std::int64_t i = row * shape_.top_k; i < (row + 1) * shape_.top_k; ++i)
        headers.push_back(std::bit_cast<std::int32_t>(weights[static_cast<std::size_t>(i)]));
    }
    return headers;
  }
  std::vector<std::int32_t> experts_of(const std::vector<std::int32_t>& headers) const {
    std::vector<std::int32_t> experts;
    for (auto at = headers.begin(); at != headers.end(); at += header())
      experts.insert(experts.end(), at + 2, at + 2 + shape_.top_k);
    return experts;
  }
  void read(const std::vector<std::int32_t>& headers) {
    for (auto at = headers.begin(); at != headers.end(); at += header()) {
      const auto row = static_cast<std::int64_t>(received_.sources.size());
      received_.sources.emplace_back(*at);
      received_.source_rows.push_back(at[1]);
      for (std::int64_t i = 0; i < shape_.top_k; ++i)
        if (const std::int32_t expert = routes_.local_number(members_.rank(), at[2 + i]); expert >= 0)
          received_.assignments.push_back({row, expert, std::bit_cast<float>(at[2 + shape_.top_k + i])});
    }
  }

  static std::vector<T> rounded(const std::vector<sum>& sums) {
    std::vector<T> result;
    result.reserve(sums.size());
    for (sum each : sums) result.push_back(static_cast<T>(each));
    return result;
  }

  communicator& members_;
  moe_shape shape_;
  algorithm::moe_dispatch routes_;
  std::unique_ptr<communicator> inside_;  // the ranks of this rack, by their place in it
  detail::moe_hop entry_;                 // to one rank of each rack
  detail::moe_hop fan_out_;               // inside the rack
  std::int64_t rows_ = 0, entered_ = 0;
  moe_received<T> received_;
  bool is_dispatched_ = false;
};

}  // namespace hawser
