// Topology sources that are files: each kind reads a text into a partial topology graph.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// The text of a file and the name that messages call it by.
struct document {
  std::string_view text;
  std::string_view name;
};

/// What a reader cannot know from its file.
struct read_options {
  std::string host = "host";  ///< the name of the host, for kinds that describe one host without naming it
};

/// One kind of file. A source is one file in src/discovery/sources and one line in src/discovery/registry.cpp.
struct file_source {
  std::string_view kind;  ///< "nccl-xml"
  std::string_view what;  ///< "NCCL topology XML (NCCL_TOPO_DUMP_FILE)"
  std::size_t max_bytes;  ///< larger files are refused before they are read
  /// True where the beginning of a text is of this kind; cheap, and false for every other kind's files.
  bool (*recognises)(const document& file);
  /// The graph with what the file tells, provenance `file`, and findings. Throws errc::parse with file, line or element
  /// and reason where the text is malformed or breaks the limits (depth 256); errc::unsupported where hawser was built
  /// without the parser; errc::invalid_argument where the graph refuses what the file says. Called through `read`.
  topology::graph (*read)(const document& file, const read_options& options);
};

inline constexpr std::size_t max_markup_bytes = std::size_t{32} << 20;  ///< JSON and XML
inline constexpr std::size_t max_yaml_bytes = std::size_t{4} << 20;
inline constexpr std::size_t max_text_bytes = std::size_t{256} << 20;
inline constexpr int max_depth = 256;  ///< of nested elements

/// All kinds, in the order in which `recognise` asks them.
std::span<const file_source> file_sources();

/// Throws errc::not_found, naming the kinds, for an unknown one.
const file_source& file_source_of(std::string_view kind);

/// The kind of a text. Throws errc::parse where no kind recognises it.
const file_source& recognise(const document& file);

/// What a source reads from a text. Two parts that a file calls by one name are an error of the file: throws
/// errc::parse for them too, beside what the source itself throws.
topology::graph read(const file_source& source, const document& file, const read_options& options = {});

/// Reads "[KIND[@HOST]:]FILE". Throws errc::io where the file cannot be read, and what `recognise` and `read` throw.
topology::graph read_file(std::string_view argument, const read_options& options = {});

}  // namespace hawser::discovery
