// Reads the lines of a topology.conf.
#include "slurm_conf_parse.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

#include "discovery/file.hpp"
#include "discovery/host_list.hpp"

namespace hawser::discovery {

namespace {

using topology::severity;

constexpr int max_includes_deep = 8;
constexpr std::size_t max_included_files = 1000;
constexpr std::size_t max_findings = 50;
constexpr std::string_view level_of_scontrol = "level";

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool is_key_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}

// Everything after a '#' that no odd number of backslashes precedes is a comment.
std::size_t comment_start(std::string_view line) {
  std::size_t backslashes = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '#' && backslashes % 2 == 0) return at;
    backslashes = line[at] == '\\' ? backslashes + 1 : 0;
  }
  return line.size();
}

// True, and the line without it, where an odd number of backslashes ends the line.
bool take_continuation(std::string_view& line) {
  const std::string_view text = line.substr(0, line.find_last_not_of(blanks) + 1);
  const std::size_t kept = text.find_last_not_of('\\') + 1;  // npos + 1 is 0
  if ((text.size() - kept) % 2 == 0) return false;
  line = text.substr(0, text.size() - 1);
  return true;
}

std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    plain += text[at];
  }
  return plain;
}

struct assignment {
  std::string key;  // in lower case
  std::string value;
};

// What one file and those that it includes have in common.
struct shared_state {
  slurm_conf_document found;
  std::size_t budget = max_listed_names;
  std::size_t bytes_left = max_text_bytes;
  std::size_t files_left = max_included_files;
};

class conf_reader {
 public:
  conf_reader(const document& file, shared_state& shared, int depth) : file_(file), shared_(shared), depth_(depth) {}

  void run() {
    line_reader lines(file_.text);
    std::string logical;
    bool continues = false;
    while (lines.next()) {
      std::string_view line = lines.line();
      if (!continues) number_ = lines.number();
      const std::size_t comment = comment_start(line);
      count_comment(line.substr(std::min(line.size(), comment)));
      line = line.substr(0, comment);
      continues = take_continuation(line);
      logical.append(line);
      if (continues) continue;
      statement(logical);
      logical.clear();
    }
    statement(logical);
  }

 private:
  void count_comment(std::string_view comment) {
    const std::size_t start = comment.find_first_not_of("# \t");
    if (start == std::string_view::npos) return;
    comment.remove_prefix(start);
    std::size_t end = 0;
    while (end < comment.size() && is_key_character(comment[end])) ++end;
    const std::string key = lowered(comment.substr(0, std::min<std::size_t>(end, 16)));
    const std::string_view rest = trimmed(comment.substr(end));
    if ((key == "switchname" || key == "blockname") && rest.starts_with('=')) ++shared_.found.commented_out;
  }

  void statement(const std::string& line) {
    const std::string_view text = trimmed(line);
    if (text.empty()) return;
    if (lowered(text.substr(0, 7)) == "include" && text.size() > 7 && blanks.find(text[7]) != std::string_view::npos)
      return include(std::string(trimmed(text.substr(7))));
    const std::vector<assignment> all = assignments(text);
    if (all.front().key == "switchname") return add_switch(all);
    if (all.front().key == "blockname") return add_block(all);
    if (all.front().key == "blocksizes") return add_sizes(all);
    // A key of another version of Slurm, such as BlockLevels: Slurm would refuse it, hawser says that it is left out.
    note_unknown(all.front(), "line " + std::to_string(number_));
  }

  std::vector<assignment> assignments(std::string_view text) const {
    std::vector<assignment> all;
    while (!(text = trimmed(text)).empty()) {
      std::size_t end = 0;
      while (end < text.size() && is_key_character(text[end])) ++end;
      const std::string key = lowered(text.substr(0, std::min<std::size_t>(end, max_quoted)));
      std::string_view rest = trimmed(text.substr(end));
      if (end == 0 || rest.empty() || rest.front() != '=') fail("\"" + shortened(text) + "\" is not KEY=VALUE");
      rest = trimmed(rest.substr(1));
      const bool is_quoted = rest.starts_with('"');
      if (is_quoted) rest.remove_prefix(1);
      const std::size_t stop = is_quoted ? rest.find('"') : std::min(rest.size(), rest.find_first_of(blanks));
      if (stop == std::string_view::npos) fail("the quoted value of " + key + " does not end");
      if (stop == 0) fail("the value of " + key + " is empty");
      all.push_back({key, without_escapes(rest.substr(0, stop))});
      text = rest.substr(is_quoted ? stop + 1 : stop);
    }
    return all;
  }

  void add_switch(const std::vector<assignment>& all) {
    switch_record record;
    record.name = name_of(all.front());
    for (auto each = all.begin() + 1; each != all.end(); ++each) {
      if (each->key == "nodes")
        append(record.hosts, *each, record.name);
      else if (each->key == "switches")
        append(record.switches, *each, record.name);
      else if (each->key == "linkspeed")
        record.attributes["link_speed"] = shortened(each->value);
      else if (each->key != level_of_scontrol)
        note_unknown(*each, record.name);
    }
    // `scontrol show topology` lists beside the switches below one all hosts that they lead to.
    const auto tells_level = [](const assignment& each) { return each.key == level_of_scontrol; };
    if (!record.switches.empty() && std::ranges::any_of(all, tells_level)) record.hosts.clear();
    count_record();
    shared_.found.switches.push_back(std::move(record));
  }

  void add_block(const std::vector<assignment>& all) {
    domain_record record;
    record.name = name_of(all.front());
    record.identity = "block/" + record.name;
    for (auto each = all.begin() + 1; each != all.end(); ++each) {
      if (each->key == "nodes")
        append(record.hosts, *each, record.name);
      else if (each->key != "blockindex" && each->key != "blocksize")  // of `scontrol show topology`
        note_unknown(*each, record.name);
    }
    count_record();
    shared_.found.blocks.push_back(std::move(record));
  }

  void add_sizes(const std::vector<assignment>& all) {
    shared_.found.has_block_sizes = true;
    for (std::string_view each : split(all.front().value, ',')) {
      const auto size = to_integer<std::int64_t>(trimmed(each));
      if (!size) fail("\"" + shortened(each) + "\" in BlockSizes is not a number");
      if (shared_.found.block_sizes.size() >= 64) fail("BlockSizes has more than 64 sizes");
      shared_.found.block_sizes.push_back(*size);
    }
  }

  std::string name_of(const assignment& named) const {
    // Slurm, too, takes what follows the blanks: "SwitchName= Nodes=a1" names a switch "Nodes=a1".
    if (named.value.find('=') != std::string::npos)
      fail("the value of " + named.key + " is empty, or has a \"=\": \"" + shortened(named.value) + "\"");
    if (named.value.size() > max_host_name)
      fail("the name of a switch or block is longer than " + std::to_string(max_host_name) + " characters");
    return named.value;
  }

  void count_record() {
    if (shared_.budget == 0) fail("there are more than " + std::to_string(max_listed_names) + " names");
    --shared_.budget;
  }

  void append(std::vector<std::string>& names, const assignment& list, const std::string& name) {
    expanded_list expanded = expand_hosts(list.value, shared_.budget);
    if (!expanded.problem.empty()) fail(expanded.problem);
    if (expanded.lost_prefix)
      note({severity::warning, "lost-prefix", name,
            "the list \"" + shortened(list.value) + "\" has numbers without a name before them"});
    if (names.empty())
      names = std::move(expanded.names);
    else
      names.insert(names.end(), expanded.names.begin(), expanded.names.end());
  }

  void include(std::string_view quoted) {
    const std::string name(trimmed(quoted.size() > 1 && quoted.front() == '"' && quoted.back() == '"'
                                       ? quoted.substr(1, quoted.size() - 2)
                                       : quoted));
    const std::filesystem::path folder = std::filesystem::path(std::string(file_.name)).parent_path();
    const std::filesystem::path wanted = (folder / name).lexically_normal();
    const std::filesystem::path within = wanted.lexically_relative(folder.empty() ? "." : folder);
    std::error_code unusable;
    if (within.empty() || *within.begin() == ".." || within.is_absolute() || name.find('\0') != std::string::npos ||
        !std::filesystem::is_regular_file(wanted, unusable))
      return note({severity::warning, "include-not-followed", shortened(name),
                   "line " + std::to_string(number_) + " includes it; only files beside or below the file are read"});
    if (depth_ >= max_includes_deep)
      fail("files include each other more than " + std::to_string(max_includes_deep) + " deep");
    if (shared_.files_left == 0) fail("more than " + std::to_string(max_included_files) + " files are included");
    --shared_.files_left;
    const std::string text = read_text(wanted.string(), shared_.bytes_left);
    shared_.bytes_left -= text.size();
    const std::string inner_name = wanted.string();
    const document inner{text, inner_name};
    conf_reader(inner, shared_, depth_ + 1).run();
  }

  void note_unknown(const assignment& each, const std::string& name) {
    note({severity::warning, "unknown-key", name, "the key \"" + shortened(each.key) + "\" is not known"});
  }
  void note(topology::finding what) {
    if (shared_.found.findings.size() < max_findings) shared_.found.findings.push_back(std::move(what));
  }
  [[noreturn]] void fail(std::string_view reason) const { fail_at_line(file_, number_, reason); }

  const document& file_;
  shared_state& shared_;
  int depth_;
  std::size_t number_ = 0;
};

}  // namespace

slurm_conf_document parse_slurm_conf(const document& file) {
  shared_state shared;
  conf_reader(file, shared, 0).run();
  return std::move(shared.found);
}

std::string problem_of_block_sizes(const std::vector<std::int64_t>& sizes) {
  for (std::int64_t each : sizes) {
    if (each <= 0) return "a size is not above 0";
    const std::int64_t factor = each / sizes.front();
    if (each % sizes.front() != 0 || (factor & (factor - 1)) != 0)
      return std::to_string(each) + " is not " + std::to_string(sizes.front()) + " times a power of two";
  }
  return {};
}

void place_slurm(placement& into, std::vector<switch_record> switches, const std::vector<domain_record>& blocks,
                 const std::vector<std::int64_t>& block_sizes) {
  const bool has_switches = !switches.empty();
  into.add_switches(std::move(switches), false);
  into.add_domains(blocks, "block");
  const std::string problem = problem_of_block_sizes(block_sizes);
  if (!problem.empty())
    return into.note(severity::error, "illegal-block-sizes", "BlockSizes", problem + "; no larger blocks are made");
  for (const domain_record& each : blocks)
    if (!block_sizes.empty() && static_cast<std::int64_t>(each.hosts.size()) < block_sizes.front())
      into.note(severity::warning, "small-block", each.name,
                "has " + std::to_string(each.hosts.size()) + " hosts, fewer than the smallest of the block sizes, " +
                    std::to_string(block_sizes.front()));
  if (!has_switches) into.aggregate(blocks, block_sizes);
}

}  // namespace hawser::discovery
