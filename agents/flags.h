// Command-line flags of the agent: --name value, --name=value, or a bare --name. A few lines of our own: the agent is one small
// static file, and a flag library would be a tenth of it.
// Threads: plain value.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace ph::agents {

class Flags {
 public:
  // `known`: the flags that take a value; `bare`: those that take none. Anything else is an error that names it.
  static Result<Flags> parse(const std::vector<std::string>& arguments, const std::set<std::string>& known, const std::set<std::string>& bare);

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  std::string get(const std::string& name, const std::string& otherwise = {}) const;
  Result<Duration> duration(const std::string& name, Duration otherwise) const;
  Result<int64_t> number(const std::string& name, int64_t otherwise, int64_t min, int64_t max) const;
  // "a=b,c=d"
  Result<std::map<std::string, std::string>> pairs(const std::string& name) const;
  const std::vector<std::string>& words() const { return words_; }  // what is no flag

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string> words_;
};

}  // namespace ph::agents
