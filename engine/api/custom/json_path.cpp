#include "engine/api/custom/json_path.h"

#include <charconv>

#include "engine/api/custom/walk.h"

namespace ph::api::custom {
namespace {

constexpr size_t kMaxSteps = 64;
constexpr size_t kMaxText = 4096;
std::string_view view(boost::json::string_view s) { return {s.data(), s.size()}; }

}  // namespace

class JsonPath::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<Step>> path(bool nested) {
    std::vector<Step> out;
    if (rest_.starts_with('$') || (nested && rest_.starts_with('@'))) rest_.remove_prefix(1);
    while (!rest_.empty() && !(nested && ends())) {
      if (out.size() >= kMaxSteps) return bad("too many steps");
      if (rest_.starts_with("..")) {
        rest_.remove_prefix(2);
        out.push_back({.kind = Step::Kind::Descend});
        if (rest_.starts_with('[')) continue;
        PH_TRY(name(out));
      } else if (rest_.front() == '.') {
        rest_.remove_prefix(1);
        if (rest_.empty() || rest_.front() == '[') continue;  // "." is the whole
        PH_TRY(name(out));
      } else if (rest_.front() == '[') {
        PH_ASSIGN(auto step, bracket());
        out.push_back(std::move(step));
      } else {
        return bad("unexpected '" + std::string(rest_.substr(0, 10)) + "'");
      }
    }
    return out;
  }

 private:
  static Status bad(std::string why) { return Status::badRequest(std::move(why)); }
  bool ends() const { return rest_.front() == ')' || rest_.front() == ' ' || rest_.front() == '=' || rest_.front() == '!' || rest_.front() == '<' || rest_.front() == '>'; }
  void spaces() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }

  Result<> name(std::vector<Step>& out) {
    if (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      out.push_back({.kind = Step::Kind::Every});
      return {};
    }
    std::string key;
    while (!rest_.empty() && std::string_view(".[]() =!<>").find(rest_.front()) == std::string_view::npos) {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      key += rest_.front();
      rest_.remove_prefix(1);
    }
    if (key.empty()) return bad("a name is missing");
    out.push_back({.kind = Step::Kind::Key, .key = std::move(key)});
    return {};
  }

  Result<std::string> quoted() {
    char quote = rest_.front();
    rest_.remove_prefix(1);
    std::string out;
    while (!rest_.empty() && rest_.front() != quote) {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return bad("unterminated quoted string");
    rest_.remove_prefix(1);
    return out;
  }

  Result<Step> bracket() {
    rest_.remove_prefix(1);
    spaces();
    if (rest_.starts_with("?(")) return filter();
    std::vector<Step> choices;
    while (true) {
      PH_ASSIGN(auto one, choice());
      choices.push_back(std::move(one));
      if (choices.size() > kMaxSteps) return bad("too many choices");
      spaces();
      if (rest_.starts_with(']')) break;
      if (!rest_.starts_with(',')) return bad("unterminated array");
      rest_.remove_prefix(1);
      spaces();
    }
    rest_.remove_prefix(1);
    if (choices.size() == 1) return std::move(choices.front());
    Step out{.kind = Step::Kind::Union};
    out.choices = std::move(choices);
    return out;
  }

  Result<Step> choice() {
    if (rest_.empty()) return bad("unterminated array");
    if (rest_.front() == '*') {
      rest_.remove_prefix(1);
      return Step{.kind = Step::Kind::Every};
    }
    if (rest_.front() == '\'' || rest_.front() == '"') {
      PH_ASSIGN(auto key, quoted());
      return Step{.kind = Step::Kind::Key, .key = std::move(key)};
    }
    Step out{.kind = Step::Kind::Index};
    bool first = number(out.from);
    if (!rest_.starts_with(':')) return first ? Result<Step>(std::move(out)) : Result<Step>(bad("invalid array index"));
    out.kind = Step::Kind::Slice;
    rest_.remove_prefix(1);
    out.hasTo = number(out.to);
    if (rest_.starts_with(':')) {
      rest_.remove_prefix(1);
      if (number(out.by) && out.by <= 0) return bad("step must be > 0");
    }
    return out;
  }

  bool number(int64_t& to) {
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), to);
    if (error != std::errc()) return false;
    rest_.remove_prefix(size_t(end - rest_.data()));
    return true;
  }

  Result<> side(bool& isPath, std::vector<Step>& steps, Json& literal) {
    spaces();
    if (rest_.empty()) return bad("unterminated filter");
    if (rest_.front() == '@' || rest_.front() == '$') {
      if (++nesting_ > 4) return bad("filters are nested too deep");
      isPath = true;
      PH_ASSIGN(steps, path(true));
      --nesting_;
    } else if (rest_.front() == '\'' || rest_.front() == '"') {
      PH_ASSIGN(auto text, quoted());
      literal = Json(text);
    } else {
      size_t n = 0;
      while (n < rest_.size() && std::string_view(" )=!<>").find(rest_[n]) == std::string_view::npos) ++n;
      std::string word(rest_.substr(0, n));
      rest_.remove_prefix(n);
      int64_t i = 0;
      double d = 0;
      auto* from = word.data();
      auto* to = word.data() + word.size();
      if (word == "true" || word == "false") literal = word == "true";
      else if (auto r = std::from_chars(from, to, i); r.ec == std::errc() && r.ptr == to) literal = i;
      else if (auto f = std::from_chars(from, to, d); f.ec == std::errc() && f.ptr == to) literal = d;
      else return bad("unrecognized word in filter: " + word);
    }
    spaces();
    return {};
  }

  Result<Step> filter() {
    rest_.remove_prefix(2);
    Step out{.kind = Step::Kind::Filter};
    PH_TRY(side(out.leftPath, out.left, out.literalLeft));
    for (std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!rest_.starts_with(op)) continue;
      out.op = op;
      rest_.remove_prefix(op.size());
      PH_TRY(side(out.rightPath, out.right, out.literalRight));
      break;
    }
    if (!rest_.starts_with(")]")) return bad("unterminated filter");
    rest_.remove_prefix(2);
    return out;
  }

  std::string_view rest_;
  int nesting_ = 0;
};

Result<JsonPath> JsonPath::parse(std::string_view text) {
  if (text.size() > kMaxText) return Status::badRequest("too long");
  if (text.size() > 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  JsonPath out;
  PH_ASSIGN(out.steps_, Parser(text).path(false));
  return out;
}

bool JsonPath::plain() const {
  for (auto& s : steps_)
    if (s.kind != Step::Kind::Key) return false;
  return !steps_.empty();
}

std::vector<const Json*> JsonPath::find(const Json& tree, size_t most) const { return run(steps_, tree, most); }

std::vector<const Json*> JsonPath::run(const std::vector<Step>& steps, const Json& tree, size_t most) {
  std::vector<const Json*> now{&tree};
  for (auto& step : steps) {
    std::vector<const Json*> next;
    apply(step, now, next, most);
    now = std::move(next);
    if (now.empty()) break;
  }
  return now;
}

void JsonPath::descend(const Json& at, std::vector<const Json*>& out, size_t most) {
  if (out.size() >= most) return;
  out.push_back(&at);
  if (auto* o = at.if_object()) {
    for (auto& kv : *o) descend(kv.value(), out, most);
  } else if (auto* a = at.if_array()) {
    for (auto& v : *a) descend(v, out, most);
  }
}

void JsonPath::apply(const Step& step, const std::vector<const Json*>& in, std::vector<const Json*>& out, size_t most) {
  auto add = [&](const Json* v) {
    if (v && out.size() < most) out.push_back(v);
  };
  for (auto* at : in) {
    auto* o = at->if_object();
    auto* a = at->if_array();
    switch (step.kind) {
      case Step::Kind::Key:
        if (o) add(o->if_contains(step.key));
        break;
      case Step::Kind::Every:
        if (o) for (auto& kv : *o) add(&kv.value());
        if (a) for (auto& v : *a) add(&v);
        break;
      case Step::Kind::Index:
      case Step::Kind::Slice: {
        if (!a) break;
        auto n = int64_t(a->size());
        int64_t from = step.from < 0 ? step.from + n : step.from;
        if (step.kind == Step::Kind::Index) {
          if (from >= 0 && from < n) add(&(*a)[size_t(from)]);
          break;
        }
        int64_t to = !step.hasTo ? n : step.to < 0 ? step.to + n : step.to;
        for (int64_t i = std::max<int64_t>(0, from); i < std::min(to, n); i += step.by) add(&(*a)[size_t(i)]);
        break;
      }
      case Step::Kind::Descend: descend(*at, out, most); break;
      case Step::Kind::Union:
        for (auto& c : step.choices) apply(c, {at}, out, most);
        break;
      case Step::Kind::Filter:
        if (a)
          for (auto& v : *a)
            if (holds(step, v)) add(&v);
        break;
    }
  }
}

bool JsonPath::holds(const Step& f, const Json& item) {
  auto value = [&](bool isPath, const std::vector<Step>& steps, const Json& literal) -> const Json* {
    if (!isPath) return &literal;
    auto found = run(steps, item, 1);
    return found.empty() ? nullptr : found.front();
  };
  const Json* x = value(f.leftPath, f.left, f.literalLeft);
  if (f.op.empty()) return x != nullptr;
  const Json* y = value(f.rightPath, f.right, f.literalRight);
  if (!x || !y) return false;
  if (f.op == "==") return equalJson(*x, *y);
  if (f.op == "!=") return !equalJson(*x, *y);
  int order = 0;
  if (x->is_number() && y->is_number()) {
    double p = x->to_number<double>(), q = y->to_number<double>();
    order = p < q ? -1 : p > q;
  } else if (x->is_string() && y->is_string()) {
    order = view(x->get_string()).compare(view(y->get_string()));
  } else {
    return false;
  }
  return f.op == "<" ? order < 0 : f.op == "<=" ? order <= 0 : f.op == ">" ? order > 0 : order >= 0;
}

}  // namespace ph::api::custom
