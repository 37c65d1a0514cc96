#include "engine/api/selector.h"

#include <algorithm>
#include <charconv>

#include "engine/api/codec.h"
#include "engine/api/field_text.h"
#include "engine/api/validation.h"

namespace ph::api {
namespace {

using Op = LabelSelector::Op;
using Term = LabelSelector::Term;
constexpr size_t kMaxTerms = 1000;

bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Words and signs of a selector: ! = == != , ( ) < > and words.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) { next(); }
  std::string_view token() const { return token_; }
  bool end() const { return token_.empty(); }
  bool isWord() const { return !end() && !isSign(token_[0]); }
  void next() {
    while (!rest_.empty() && space(rest_[0])) rest_.remove_prefix(1);
    size_t n = 0;
    if (rest_.empty()) n = 0;
    else if (rest_.starts_with("==") || rest_.starts_with("!=")) n = 2;
    else if (isSign(rest_[0])) n = 1;
    else
      while (n < rest_.size() && !space(rest_[n]) && !isSign(rest_[n])) ++n;
    token_ = rest_.substr(0, n);
    rest_.remove_prefix(n);
  }

 private:
  static bool isSign(char c) { return c == '!' || c == '=' || c == ',' || c == '(' || c == ')' || c == '<' || c == '>'; }
  std::string_view rest_, token_;
};

Status bad(std::string_view text, const std::string& why) {
  return Status::badRequest("unable to parse requirement: " + why + " (in \"" + std::string(text) + "\")");
}

Result<> checkTerm(const Term& t) {
  if (auto why = checkQualifiedName(t.key); !why.empty()) return Status::badRequest("unable to parse requirement: invalid label key \"" + t.key + "\": " + why);
  for (auto& v : t.values)
    if (auto why = checkLabelValue(v); !why.empty())
      return Status::badRequest("unable to parse requirement: invalid label value: \"" + v + "\": " + why);
  return {};
}

Result<std::vector<std::string>> parseSet(Scanner& s, std::string_view text) {
  std::vector<std::string> values;
  if (s.token() != "(") return bad(text, "found '" + std::string(s.token()) + "', expected: '('");
  s.next();
  bool wantValue = true;
  while (true) {
    if (s.isWord() && wantValue) {
      values.emplace_back(s.token());
      wantValue = false;
    } else if (s.token() == "," ) {
      if (wantValue) values.emplace_back();
      wantValue = true;
    } else if (s.token() == ")") {
      if (wantValue) values.emplace_back();
      s.next();
      return values;
    } else {
      return bad(text, "found '" + std::string(s.token()) + "', expected: ',', ')' or a value");
    }
    s.next();
  }
}

Result<Term> parseTerm(Scanner& s, std::string_view text) {
  Term t{"", Op::Exists, {}};
  if (s.token() == "!") {
    s.next();
    t.op = Op::DoesNotExist;
    if (!s.isWord()) return bad(text, "found '" + std::string(s.token()) + "', expected: identifier");
    t.key = s.token();
    s.next();
    return t;
  }
  if (!s.isWord()) return bad(text, "found '" + std::string(s.token()) + "', expected: identifier");
  t.key = s.token();
  s.next();
  auto sign = s.token();
  if (s.end() || sign == ",") return t;
  s.next();
  if (sign == "in" || sign == "notin") {
    t.op = sign == "in" ? Op::In : Op::NotIn;
    PH_ASSIGN(t.values, parseSet(s, text));
    return t;
  }
  if (sign == "=" || sign == "==" || sign == "!=") {
    t.op = sign == "!=" ? Op::NotIn : Op::In;
    if (s.isWord()) {
      t.values.emplace_back(s.token());
      s.next();
    } else if (s.end() || s.token() == ",") {
      t.values.emplace_back();
    } else {
      return bad(text, "found '" + std::string(s.token()) + "', expected: identifier");
    }
    return t;
  }
  if (sign == ">" || sign == "<") {
    t.op = sign == ">" ? Op::GreaterThan : Op::LessThan;
    int64_t n = 0;
    auto v = s.token();
    auto r = std::from_chars(v.data(), v.data() + v.size(), n);
    if (v.empty() || r.ec != std::errc() || r.ptr != v.data() + v.size())
      return bad(text, "for 'Gt', 'Lt' operators, the value must be an integer");
    t.values.emplace_back(v);
    s.next();
    return t;
  }
  return bad(text, "found '" + std::string(sign) + "', expected: in, notin, =, ==, !=, gt, lt");
}

bool numberMatches(std::string_view value, const Term& t) {
  int64_t have = 0, limit = 0;
  auto r = std::from_chars(value.data(), value.data() + value.size(), have);
  if (r.ec != std::errc() || r.ptr != value.data() + value.size()) return false;
  std::from_chars(t.values[0].data(), t.values[0].data() + t.values[0].size(), limit);
  return t.op == Op::GreaterThan ? have > limit : have < limit;
}

bool termMatches(const Term& t, const Labels& labels) {
  auto it = std::lower_bound(labels.begin(), labels.end(), t.key, [](auto& pair, const std::string& k) { return pair.first < k; });
  bool has = it != labels.end() && it->first == t.key;
  switch (t.op) {
    case Op::Exists: return has;
    case Op::DoesNotExist: return !has;
    case Op::In: return has && std::find(t.values.begin(), t.values.end(), it->second) != t.values.end();
    case Op::NotIn: return !has || std::find(t.values.begin(), t.values.end(), it->second) == t.values.end();
    case Op::GreaterThan:
    case Op::LessThan: return has && numberMatches(it->second, t);
  }
  return false;
}

std::string termText(const Term& t) {
  auto set = [&](const char* word) {
    auto values = t.values;
    std::sort(values.begin(), values.end());
    std::string out = t.key + " " + word + " (";
    for (size_t i = 0; i < values.size(); ++i) out += (i ? "," : "") + values[i];
    return out + ")";
  };
  switch (t.op) {
    case Op::Exists: return t.key;
    case Op::DoesNotExist: return "!" + t.key;
    case Op::In: return t.values.size() == 1 ? t.key + "=" + t.values[0] : set("in");
    case Op::NotIn: return t.values.size() == 1 ? t.key + "!=" + t.values[0] : set("notin");
    case Op::GreaterThan: return t.key + ">" + t.values[0];
    case Op::LessThan: return t.key + "<" + t.values[0];
  }
  return {};
}

std::string textOf(const Json* v) { return v && v->is_string() ? std::string(v->get_string().c_str(), v->get_string().size()) : std::string(); }

Result<Term> expressionTerm(const Json& e) {
  if (!e.is_object()) return Status::badRequest("a label selector requirement must be an object");
  Term t{textOf(at(e, "key")), Op::In, {}};
  auto op = textOf(at(e, "operator"));
  if (op == "In") t.op = Op::In;
  else if (op == "NotIn") t.op = Op::NotIn;
  else if (op == "Exists") t.op = Op::Exists;
  else if (op == "DoesNotExist") t.op = Op::DoesNotExist;
  else return Status::badRequest("\"" + op + "\" is not a valid label selector operator");
  if (auto* values = at(e, "values"); values && values->is_array())
    for (auto& v : values->get_array()) t.values.push_back(textOf(&v));
  bool wantsValues = t.op == Op::In || t.op == Op::NotIn;
  if (wantsValues == t.values.empty())
    return Status::badRequest(wantsValues ? "for 'in', 'notin' operators, values set can't be empty"
                                          : "values set must be empty for exists and does not exist");
  return t;
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector out;
  Scanner s(text);
  while (!s.end()) {
    PH_ASSIGN(Term t, parseTerm(s, text));
    PH_TRY(checkTerm(t));
    out.terms_.push_back(std::move(t));
    if (out.terms_.size() > kMaxTerms) return bad(text.substr(0, 100), "too many requirements");
    if (s.end()) break;
    if (s.token() != ",") return bad(text, "found '" + std::string(s.token()) + "', expected: ',' or 'end of string'");
    s.next();
    if (s.end()) return bad(text, "found '', expected: identifier after ','");
  }
  return out;
}

Result<LabelSelector> LabelSelector::fromJson(const Json* selector) {
  LabelSelector out;
  if (!selector || selector->is_null()) {
    out.nothing_ = true;
    return out;
  }
  if (!selector->is_object()) return Status::badRequest("a label selector must be an object");
  if (auto* labels = at(*selector, "matchLabels"); labels && labels->is_object())
    for (auto& kv : labels->get_object())
      out.terms_.push_back({std::string(kv.key().data(), kv.key().size()), Op::In, {textOf(&kv.value())}});
  if (auto* expressions = at(*selector, "matchExpressions"); expressions && expressions->is_array())
    for (auto& e : expressions->get_array()) {
      PH_ASSIGN(Term t, expressionTerm(e));
      out.terms_.push_back(std::move(t));
    }
  return out;
}

Result<LabelSelector> LabelSelector::fromAny(const Json* selector) {
  if (auto* text = selector ? selector->if_string() : nullptr) return parse(std::string_view(text->data(), text->size()));
  auto* map = selector ? selector->if_object() : nullptr;
  bool plain = map && !map->empty() && std::all_of(map->begin(), map->end(), [](auto& kv) { return kv.value().is_string(); });
  if (!plain) return fromJson(selector);
  Json wrapped = JsonObject{{"matchLabels", *map}};
  return fromJson(&wrapped);
}

bool LabelSelector::matches(const Labels& labels) const {
  if (nothing_) return false;
  return std::all_of(terms_.begin(), terms_.end(), [&](auto& t) { return termMatches(t, labels); });
}

std::string LabelSelector::text() const {
  auto terms = terms_;
  std::stable_sort(terms.begin(), terms.end(), [](auto& a, auto& b) { return a.key < b.key; });
  std::string out;
  for (auto& t : terms) out += (out.empty() ? "" : ",") + termText(t);
  return out;
}

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector out;
  std::string piece;
  auto finish = [&]() -> Result<> {
    if (piece.empty()) return {};
    if (out.terms_.size() >= kMaxTerms) return Status::badRequest("invalid field selector: too many terms");
    size_t sign = piece.find('=');
    if (sign != std::string::npos) {
      bool equal = sign == 0 || piece[sign - 1] != '!';
      size_t from = sign + (equal && piece.compare(sign, 2, "==") == 0 ? 2 : 1);
      std::string value;
      for (size_t i = from; i < piece.size(); ++i) {
        if (piece[i] == '\\' && i + 1 < piece.size()) ++i;
        value += piece[i];
      }
      out.terms_.push_back({piece.substr(0, equal ? sign : sign - 1), equal, std::move(value)});
      piece.clear();
      return {};
    }
    return Status::badRequest("invalid selector: '" + std::string(text) + "'; can't understand '" + piece + "'");
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      piece += text[i++];
      piece += text[i];
    } else if (text[i] == ',') {
      PH_TRY(finish());
    } else {
      piece += text[i];
    }
  }
  PH_TRY(finish());
  return out;
}

Result<> FieldSelector::check(const ResourceInfo& info) const {
  for (auto& t : terms_) {
    if (t.path == "metadata.name" || (t.path == "metadata.namespace" && info.namespaced)) continue;
    bool known = false;
    if (info.strategy && info.strategy->selectableFields)
      for (auto* f = info.strategy->selectableFields; !f->empty(); ++f) known |= *f == t.path;
    if (!known) return Status::badRequest("field label not supported: " + t.path);
  }
  return {};
}

bool FieldSelector::matches(const Object& object) const {
  for (auto& t : terms_) {
    bool same;
    if (t.path == "metadata.name") same = object.name() == t.value;
    else if (t.path == "metadata.namespace") same = object.ns() == t.value;
    else same = fieldText(object, t.path) == t.value;
    if (same != t.equal) return false;
  }
  return true;
}

}  // namespace ph::api
