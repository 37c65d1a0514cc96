#include "models/yaml_text.h"

#include <QRegularExpression>

namespace ph::models {

namespace {

namespace bj = boost::json;

QString quoted(const QString& s) {
  QString out = QStringLiteral("\"");
  for (QChar c : s) {
    if (c == '"' || c == '\\') out += QLatin1Char('\\');
    if (c == '\n')
      out += QStringLiteral("\\n");
    else if (c == '\t')
      out += QStringLiteral("\\t");
    else if (c == '\r')
      out += QStringLiteral("\\r");
    else if (c < QChar(0x20))
      out += QStringLiteral("\\x%1").arg(c.unicode(), 2, 16, QLatin1Char('0'));
    else
      out += c;
  }
  return out + QLatin1Char('"');
}

QString scalar(const QString& s) {
  static const QRegularExpression special(
      QStringLiteral("^$|^[\\s\\-?:,\\[\\]{}#&*!|>'\"%@`]|[:]\\s|\\s#|[:\\s]$|^(true|false|yes|no|on|off|"
                     "null|~)$|[\\x00-\\x1f]"
                     // numbers of all kinds, times, dates
                     "|^[-+]?(\\.[0-9_]+|[0-9][0-9_]*(\\.[0-9_]*)?)(e[-+]?[0-9]+)?$|^[-+]?0(x[0-9a-f_]+|o?[0-"
                     "7_]+|b[01_]+)$|^[-+]?\\.(inf|nan)$"
                     "|^[-+]?[0-9]+(:[0-9.]+)+$|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"),
      QRegularExpression::CaseInsensitiveOption);
  return special.match(s).hasMatch() ? quoted(s) : s;
}

QString text(const bj::string& s) {
  return QString::fromUtf8(s.data(), qsizetype(s.size()));
}

void emitValue(const bj::value& v, int indent, QString& out, bool inList);

void emitObject(const bj::object& o, int indent, QString& out, bool inList) {
  bool first = true;
  for (auto& [key, value] : o) {
    // The first key of a list's element stands behind its dash.
    if (!(first && inList)) out += QString(indent, QLatin1Char(' '));
    first = false;
    out += scalar(QString::fromUtf8(key.data(), qsizetype(key.size()))) + QLatin1Char(':');
    emitValue(value, indent, out, false);
  }
}

void emitList(const bj::array& a, int indent, QString& out) {
  for (auto& item : a) {
    out += QString(indent, QLatin1Char(' ')) + QStringLiteral("- ");
    if (item.is_object() && !item.get_object().empty())
      emitObject(item.get_object(), indent + 2, out, true);
    else
      emitValue(item, indent + 2, out, true);
  }
}

void emitString(const QString& s, int indent, QString& out) {
  if (!s.contains('\n') || s.contains('\t') || s.contains('\r') || s.startsWith(' ')) {
    out += scalar(s) + QLatin1Char('\n');
    return;
  }
  const bool ends = s.endsWith('\n');
  out += ends ? QStringLiteral("|\n") : QStringLiteral("|-\n");
  const auto lines = (ends ? s.chopped(1) : s).split('\n');
  for (auto& line : lines)
    out += (line.isEmpty() ? QString() : QString(indent + 2, QLatin1Char(' ')) + line) + QLatin1Char('\n');
}

void emitValue(const bj::value& v, int indent, QString& out, bool inList) {
  const QString gap = inList ? QString() : QStringLiteral(" ");
  switch (v.kind()) {
    case bj::kind::object:
      if (v.get_object().empty()) {
        out += gap + QStringLiteral("{}\n");
      } else {
        out += QLatin1Char('\n');
        emitObject(v.get_object(), indent + 2, out, false);
      }
      break;
    case bj::kind::array:
      if (v.get_array().empty()) {
        out += gap + QStringLiteral("[]\n");
      } else {
        out += QLatin1Char('\n');
        emitList(v.get_array(), indent, out);
      }
      break;
    case bj::kind::string:
      out += gap;
      emitString(text(v.get_string()), indent, out);
      break;
    default:
      out += gap + QString::fromStdString(bj::serialize(v)) + QLatin1Char('\n');
  }
}

// The one of `list` that stands for the element `item` at `at`.
const bj::value* counterpart(const bj::array& list, const bj::value& item, size_t at) {
  auto nameOf = [](const bj::value& v) { return v.is_object() ? v.get_object().if_contains("name") : nullptr; };
  auto* name = nameOf(item);
  for (auto& other : list) {
    auto* is = nameOf(other);
    if (name && is && *is == *name) return &other;
  }
  return at < list.size() ? &list[at] : nullptr;
}

}  // namespace

bj::value inReadingOrder(bj::value object) {
  if (!object.is_object()) return object;
  const bj::object first{{"apiVersion", nullptr}, {"kind", nullptr},
                         {"metadata", {{"name", nullptr}, {"generateName", nullptr}, {"namespace", nullptr}, {"labels", nullptr}, {"annotations", nullptr}}}};
  object = orderedLike(std::move(object), first);
  auto& o = object.get_object();
  if (auto* status = o.if_contains("status")) {
    bj::value last = std::move(*status);
    o.stable_erase("status");
    o["status"] = std::move(last);
  }
  return object;
}

bj::value orderedLike(bj::value after, const bj::value& before) {
  if (after.is_object() && before.is_object()) {
    auto& from = after.get_object();
    bj::object out(from.storage());
    for (auto& [key, value] : before.get_object()) {
      if (auto* mine = from.if_contains(key)) out.emplace(key, orderedLike(std::move(*mine), value));
    }
    for (auto& [key, value] : from) out.emplace(key, std::move(value));  // those that are there stay as they are
    return out;
  }
  if (after.is_array() && before.is_array()) {
    auto& list = after.get_array();
    for (size_t i = 0; i < list.size(); ++i) {
      if (auto* other = counterpart(before.get_array(), list[i], i)) list[i] = orderedLike(std::move(list[i]), *other);
    }
  }
  return after;
}

QString toYaml(const bj::value& tree) {
  QString out;
  if (tree.is_object() && !tree.get_object().empty())
    emitObject(tree.get_object(), 0, out, false);
  else if (tree.is_array() && !tree.get_array().empty())
    emitList(tree.get_array(), 0, out);
  else
    emitValue(tree, 0, out, true);
  return out;
}

}  // namespace ph::models
