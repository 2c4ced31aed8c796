// Finds nvidia-smi's matrices: tabs or spaces, escapes, cells run together, text around and between the rows.
#include "smi_matrix.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

namespace hawser::discovery {

namespace {

constexpr std::string_view digits = "0123456789";

std::size_t digits_at(std::string_view text, std::size_t start) {
  const std::size_t end = text.find_first_not_of(digits, start);
  return (end == std::string_view::npos ? text.size() : end) - start;
}

// What stands before "[4m": the escape byte, its replacement, or a way of writing it.
std::size_t lead_before(std::string_view text) {
  static constexpr std::array<std::string_view, 7> leads = {"\x1b",  "\xef\xbf\xbd", "\xe2\x90\x9b", "^[",
                                                            "\\x1b", "\\033",        "\\u001b"};
  for (std::string_view lead : leads)
    if (text.ends_with(lead)) return lead.size();
  return 0;
}

// The length of "[4m", "[0m", "[1;31m", "[K" at the front of a text; 0 where there is none.
std::size_t escape_at(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789;", 1);
  if (end == std::string_view::npos || end > 16) return 0;
  return text[end] == 'm' || text[end] == 'K' ? end + 1 : 0;
}

bool is_name(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_of_a_name = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !word.empty() && is_letter(word[0]) && std::ranges::all_of(word, is_of_a_name);
}

// The length of a device's name at the front of a text: GPU0, NIC12, mlx5_0, rocep65s0.
std::size_t device_at(std::string_view text, cell_reader cell_at) {
  for (std::string_view kind : {"GPU", "NIC"})
    if (text.starts_with(kind)) {
      const std::size_t number = digits_at(text, kind.size());
      return number ? kind.size() + number : 0;
    }
  if (text.starts_with("CPU") || text.starts_with("NUMA")) return 0;
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  if (word.find_first_of(digits) == std::string_view::npos) return 0;
  if (!is_name(word) || cell_at(word).length == word.size()) return 0;
  for (std::string_view next : {"mlx", "CPU"})
    if (const std::size_t at = word.find(next, 1); at != std::string_view::npos) return at;
  return word.size();
}

std::size_t skip_blanks(std::string_view text, std::size_t from) {
  return std::min(text.find_first_not_of(blanks, from), text.size());
}

// Where the first "GPU<number>" of a line starts, at the start of a word.
std::size_t first_gpu(std::string_view line) {
  for (std::size_t at = line.find("GPU"); at != std::string_view::npos; at = line.find("GPU", at + 1)) {
    const bool starts_word = at == 0 || blanks.find(line[at - 1]) != std::string_view::npos || line[at - 1] == ':';
    if (starts_word && digits_at(line, at + 3)) return at;
  }
  return std::string_view::npos;
}

// The fields at the end of a header, the last of which may be cut: "CPU Aff". False where something else stands there.
bool take_fields(std::string_view rest, matrix& header) {
  constexpr std::size_t least = 3;  // "CPU"
  for (std::string_view field : {"CPU Affinity", "NUMA Affinity", "GPU NUMA ID"}) {
    const std::string_view given = trimmed(rest);
    const bool is_cut = given.size() >= least && given.size() < field.size() && field.starts_with(given);
    if (!is_cut && !rest.starts_with(field)) continue;
    header.fields.emplace_back(field);
    rest = is_cut ? std::string_view() : rest.substr(skip_blanks(rest, field.size()));
  }
  return rest.empty() || !header.fields.empty();
}

// A row for one of the columns; the label may have a prefix before it, as logs write it.
template <typename Columns>
std::optional<matrix_row> row_of(std::string_view line, const matrix& header, const Columns& columns,
                                 cell_reader cell_at) {
  constexpr int most_words_before = 6;
  std::size_t at = skip_blanks(line, 0);
  for (int word = 0; word < most_words_before && at < line.size(); ++word) {
    const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
    const std::size_t tag = line.substr(at, end - at).rfind(':');  // "[1,0]<stdout>:GPU0"
    if (tag != std::string_view::npos && at + tag + 1 < end) at += tag + 1;
    std::size_t name = device_at(line.substr(at), cell_at);
    if (at < end && !columns.contains(line.substr(at, name)) && columns.contains(line.substr(at, end - at)))
      name = end - at;  // a name without digits
    if (name && columns.contains(line.substr(at, name))) {
      matrix_row row{.name = std::string(line.substr(at, name)), .cells = {}, .fields = {}};
      for (at += name; row.cells.size() < header.columns.size();) {
        const std::size_t next = skip_blanks(line, at);
        const matrix_cell found = cell_at(line.substr(next));
        if (!found.length) break;
        row.is_fused = row.is_fused || (next == at && !row.cells.empty());
        row.cells.push_back(found.code);
        at = next + found.length;
      }
      if (row.cells.empty()) return std::nullopt;
      for (std::string_view field : words(line.substr(at))) row.fields.emplace_back(field);
      return row;
    }
    at = skip_blanks(line, end);
  }
  return std::nullopt;
}

std::optional<std::pair<std::string, std::string>> legend_entry(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view key = trimmed(line.substr(0, colon)), name = trimmed(line.substr(colon + 1));
  if (!key.starts_with("NIC") || key.size() == 3 || digits_at(key, 3) != key.size() - 3) return std::nullopt;
  if (name.empty() || name.find_first_of(blanks) != std::string_view::npos) return std::nullopt;
  return std::pair(std::string(key), std::string(name));
}

// Takes the lines of one text and keeps the best matrix only: a file may hold any number of them.
class finder {
 public:
  finder(const document& file, cell_reader cell_at) : file_(file), cell_at_(cell_at) {}

  void take(std::string_view raw, std::size_t number) {
    if (raw.size() > max_matrix_line) return;
    const std::string line = plain_line(raw);
    if (auto header = matrix_header(line, cell_at_)) {
      finish();
      begin(std::move(*header), number);
    } else if (now_) {
      if (auto row = row_of(line, *now_, columns_, cell_at_))
        add(std::move(*row), number);
      else if (auto entry = legend_entry(line); entry && columns_.contains(entry->first))
        now_->nic_names.insert(std::move(*entry));
    }
  }

  found_matrix end() {
    finish();
    if (!found_.count) {
      if (header_line_) fail_at_line(file_, header_line_, "no row follows the header of the matrix");
      fail_in(file_, {}, "it has no matrix of GPUs", "give what nvidia-smi printed, with its first line");
    }
    return std::move(found_);
  }

 private:
  struct row_state {
    std::optional<std::size_t> complete;  // its number among the complete rows
    bool is_cut = false;
    bool is_contradicted = false;
  };

  void begin(matrix header, std::size_t number) {
    header.line = header_line_ = number;
    if (header.columns.size() > max_matrix_columns)
      fail_at_line(file_, number, "a matrix of more than " + std::to_string(max_matrix_columns) + " devices");
    now_ = std::move(header);
    columns_.clear();
    for (const std::string& each : now_->columns)
      if (!columns_.emplace(each, row_state{}).second)
        fail_at_line(file_, number, "the column \"" + shortened(each) + "\" occurs twice");
  }

  void add(matrix_row row, std::size_t number) {
    row.line = number;
    row_state& state = columns_.find(row.name)->second;
    const bool is_complete = row.cells.size() == now_->columns.size();
    if (state.complete) {
      if (!state.is_contradicted && now_->rows[*state.complete].cells != row.cells) {
        state.is_contradicted = true;
        now_->contradictory_rows.push_back(row.name);
      }
    } else if (is_complete) {
      state.complete = now_->rows.size();
      now_->rows.push_back(std::move(row));
    } else if (!state.is_cut) {
      state.is_cut = true;
      now_->cut_rows.push_back(std::move(row));
    }
  }

  static bool says_the_same(const matrix& a, const matrix& b) {
    const auto same_row = [](const matrix_row& x, const matrix_row& y) {
      return x.name == y.name && x.cells == y.cells;
    };
    return a.columns == b.columns && std::ranges::equal(a.rows, b.rows, same_row);
  }

  void finish() {
    if (!now_) return;
    matrix done = std::move(*now_);
    now_.reset();
    if (done.rows.empty() && done.cut_rows.empty()) return;
    const auto is_repeated = [&](const matrix_row& each) {
      return columns_.find(each.name)->second.complete.has_value();
    };
    std::erase_if(done.cut_rows, is_repeated);
    const auto is_complete = [](const matrix& each) { return each.rows.size() == each.columns.size(); };
    if (++found_.count == 1 || (!is_complete(found_.best) && done.rows.size() > found_.best.rows.size()))
      found_.best = std::move(done);
    else if (is_complete(found_.best) && is_complete(done) && !says_the_same(done, found_.best))
      found_.others_differ = true;
  }

  const document& file_;
  cell_reader cell_at_;
  std::optional<matrix> now_;
  std::map<std::string, row_state, std::less<>> columns_;  // of now_
  std::size_t header_line_ = 0;
  found_matrix found_;
};

}  // namespace

std::string plain_line(std::string_view line) {
  std::string plain;
  plain.reserve(line.size());
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t escape = line[at] == '[' ? escape_at(line.substr(at)) : 0;
    if (escape) {
      plain.resize(plain.size() - lead_before(plain));
      at += escape;
    } else if (line.substr(at).starts_with("\xc2\xa0")) {  // no-break space
      plain += ' ';
      at += 2;
    } else {
      plain += line[at] == '|' || line[at] == '`' ? ' ' : line[at];
      ++at;
    }
  }
  return plain;
}

std::optional<matrix> matrix_header(std::string_view line, cell_reader cell_at) {
  std::size_t at = first_gpu(line);
  if (at == std::string_view::npos) return std::nullopt;
  matrix header;
  for (std::size_t next = at; next < line.size(); next = skip_blanks(line, at)) {
    const std::size_t name = device_at(line.substr(next), cell_at);
    if (!name) break;
    header.is_header_fused = header.is_header_fused || (next == at && !header.columns.empty());
    header.columns.emplace_back(line.substr(next, name));
    at = next + name;
  }
  const std::size_t fields = skip_blanks(line, at);
  if (fields < line.size() && fields == at) header.is_header_fused = true;
  if (take_fields(line.substr(fields), header)) return header;
  // NICs whose names have no digits ("ibs") are told from words of a sentence by the fields that follow.
  const std::size_t affinity = line.find("CPU Aff", fields);
  if (affinity == std::string_view::npos) return std::nullopt;
  for (std::string_view name : words(line.substr(fields, affinity - fields))) {
    if (!is_name(name) || cell_at(name).length == name.size()) return std::nullopt;
    header.columns.emplace_back(name);
  }
  if (!take_fields(line.substr(affinity), header)) return std::nullopt;
  return header;
}

std::optional<matrix_row> matrix_row_of(std::string_view line, const matrix& header, cell_reader cell_at) {
  return row_of(line, header, std::set<std::string, std::less<>>(header.columns.begin(), header.columns.end()),
                cell_at);
}

found_matrix find_matrix(const document& file, cell_reader cell_at) {
  finder all(file, cell_at);
  for (line_reader lines(file.text); lines.next();) all.take(lines.line(), lines.number());
  return all.end();
}

std::optional<int> gpu_number(std::string_view name) {
  if (!name.starts_with("GPU")) return std::nullopt;
  return to_integer<int>(name.substr(3));
}

}  // namespace hawser::discovery
