// A thin hold on SQLite: connections and prepared statements that clean up after themselves, and errors in
// words. Threads: a Db and its Statements belong to one thread at a time.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ph::store {

class Statement {
 public:
  Statement() = default;
  void bind(int at, int64_t value) { sqlite3_bind_int64(s_.get(), at, value); }
  // The bytes must stay until the next reset().
  void bindText(int at, std::string_view text) {
    sqlite3_bind_text(s_.get(), at, text.data(), int(text.size()), SQLITE_STATIC);
  }
  void bindBlob(int at, std::string_view bytes) {
    sqlite3_bind_blob64(s_.get(), at, bytes.data() ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
  }
  void bindNull(int at) { sqlite3_bind_null(s_.get(), at); }
  // SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return sqlite3_step(s_.get()); }
  // Runs to the end of a statement without rows, and resets it; SQLITE_DONE when fine.
  int run() {
    int rc = step();
    reset();
    return rc;
  }
  void reset() {
    sqlite3_reset(s_.get());
    sqlite3_clear_bindings(s_.get());
  }
  int64_t integer(int column) { return sqlite3_column_int64(s_.get(), column); }
  bool isNull(int column) { return sqlite3_column_type(s_.get(), column) == SQLITE_NULL; }
  std::string text(int column) {
    auto* p = reinterpret_cast<const char*>(sqlite3_column_text(s_.get(), column));
    return std::string(p ? p : "", size_t(sqlite3_column_bytes(s_.get(), column)));
  }
  std::shared_ptr<const std::string> blob(int column) {
    auto* p = static_cast<const char*>(sqlite3_column_blob(s_.get(), column));
    return std::make_shared<const std::string>(p ? p : "", size_t(sqlite3_column_bytes(s_.get(), column)));
  }

 private:
  friend class Db;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> s_;
};

class Db {
 public:
  enum class Mode { ReadWrite, Read };
  // `path` must exist.
  static Result<Db> open(const std::string& path, Mode mode);
  Result<Statement> prepare(std::string_view sql);
  Result<> exec(const char* sql, std::string_view doing = "accessing");
  Result<int64_t> number(const char* sql);  // the first column of the first row; 0 without a row
  // What went wrong last, with the file's name.
  Status error(std::string_view doing) const;
  sqlite3* raw() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
  std::string path_;
};

}  // namespace ph::store
