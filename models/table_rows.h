// Rows of a server's table (meta.k8s.io Table), packed: a row is one run of bytes with its namespace, name and
// cells. And the order and the filter of tables, which run anywhere. Threads: rows are immutable; functions pure.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ph::models {

class TableRow {
 public:
  // From one of a Table's rows, whose object is at least its metadata.
  static std::shared_ptr<const TableRow> make(const boost::json::value& row);
  static std::shared_ptr<const TableRow> make(std::string_view ns, std::string_view name, int64_t created,
                                              const std::vector<std::string_view>& cells);

  std::string_view key() const { return std::string_view(text_).substr(0, keyEnd_); }  // "ns/name", or "name"
  std::string_view ns() const { return std::string_view(text_).substr(0, nsEnd_); }
  std::string_view name() const { return nsEnd_ == 0 ? key() : key().substr(nsEnd_ + 1); }
  int cells() const { return int(ends_.size()); }
  std::string_view cell(int i) const;  // empty when there are fewer
  int64_t created() const { return created_; }  // milliseconds since the Unix epoch
  // All that is searched: key and cells.
  std::string_view all() const { return text_; }

 private:
  std::string text_;
  std::vector<uint32_t> ends_;
  uint32_t nsEnd_ = 0, keyEnd_ = 0;
  int64_t created_ = 0;
};
using TableRowPtr = std::shared_ptr<const TableRow>;

struct TableOrder {
  enum class By : uint8_t { Text, Number, Created, Namespace };
  By by = By::Text;
  int cell = 0;
  bool descending = false;
};

// <0, 0, >0. Numbers in texts count as numbers: "web-9" before "web-10".
int naturalCompare(std::string_view a, std::string_view b);
// A strict order of all rows: ties go by key.
bool rowLess(const TableRow& a, const TableRow& b, const TableOrder& order);
// Every word is in the row, ASCII case ignored.
bool rowFits(const TableRow& row, const std::vector<std::string>& words);
std::vector<TableRowPtr> arrange(std::vector<TableRowPtr> rows, const std::vector<std::string>& words,
                                 const TableOrder& order);

}  // namespace ph::models
