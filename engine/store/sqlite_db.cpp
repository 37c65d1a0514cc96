#include "engine/store/sqlite_db.h"

#include <fmt/format.h>

#include <cstring>

namespace ph::store {

namespace {

// SQLite's count of its memory costs a process-wide lock for each allocation, and nobody asks for it.
void configureOnce() {
  // Refused, and no matter, when SQLite is in use already.
  [[maybe_unused]] static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

Result<Db> Db::open(const std::string& path, Mode mode) {
  configureOnce();
  Db db;
  db.path_ = path;
  sqlite3* raw = nullptr;
  int flags = SQLITE_OPEN_NOMUTEX | (mode == Mode::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  int rc = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  db.db_.reset(raw);
  if (!raw) return Status::internal("SQLite has no memory");
  sqlite3_extended_result_codes(raw, 1);
  if (rc != SQLITE_OK) return db.error("opening");
  // Writers of this process wait for each other on a mutex; this is for a tool that looks at the file from
  // outside.
  sqlite3_busy_timeout(raw, 10000);
  return db;
}

Result<Statement> Db::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK)
    return error("preparing a statement for");
  Statement s;
  s.s_.reset(raw);
  return s;
}

Result<> Db::exec(const char* sql, std::string_view doing) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error(doing);
  return {};
}

Result<int64_t> Db::number(const char* sql) {
  PH_ASSIGN(Statement s, prepare(sql));
  int rc = s.step();
  if (rc == SQLITE_ROW) return s.integer(0);
  if (rc == SQLITE_DONE) return int64_t(0);
  return error("reading");
}

Status Db::error(std::string_view doing) const {
  int code = sqlite3_extended_errcode(db_.get());
  int osError = sqlite3_system_errno(db_.get());
  std::string text = fmt::format("{} {} failed: {}", doing, path_, sqlite3_errmsg(db_.get()));
  // SQLite names the kind of failure only ("disk I/O error"); what the system said helps more.
  if (osError != 0 &&
      ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_FULL))
    text += fmt::format(" ({})", std::strerror(osError));
  return Status::internal(std::move(text));
}

}  // namespace ph::store
