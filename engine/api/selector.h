// Label and field selectors. Threads: immutable after parsing.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/result.h"

namespace ph::api {

class LabelSelector {
 public:
  enum class Op { In, NotIn, Exists, DoesNotExist, GreaterThan, LessThan };
  struct Term { std::string key; Op op; std::vector<std::string> values; };
  LabelSelector() = default;                                    // matches everything
  static Result<LabelSelector> parse(std::string_view text);    // "a=b,c!=d,e in (f,g),!h"
  // From a LabelSelector object (matchLabels, matchExpressions). A null or missing selector matches nothing, {} everything.
  static Result<LabelSelector> fromJson(const Json* selector);
  // In any form that kinds keep one: a text, a LabelSelector, or a plain map of labels (Services, ReplicationControllers).
  static Result<LabelSelector> fromAny(const Json* selector);
  bool matches(const Labels& labels) const;
  bool empty() const { return terms_.empty() && !nothing_; }
  std::string text() const;
  void add(Term term) { terms_.push_back(std::move(term)); }
  const std::vector<Term>& terms() const { return terms_; }

 private:
  std::vector<Term> terms_;
  bool nothing_ = false;
};

class FieldSelector {
 public:
  struct Term { std::string path; bool equal; std::string value; };
  static Result<FieldSelector> parse(std::string_view text);    // "spec.nodeName=a,metadata.name!=b"
  // 400 when the kind can't be selected by a path.
  Result<> check(const ResourceInfo& info) const;
  bool matches(const Object& object) const;
  bool empty() const { return terms_.empty(); }
  const std::vector<Term>& terms() const { return terms_; }

 private:
  std::vector<Term> terms_;
};

}  // namespace ph::api
