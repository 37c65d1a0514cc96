// The rules for names. Sources: RFC 1035, RFC 1123, RFC 6335, and Kubernetes' API conventions.
#include <arpa/inet.h>

#include <algorithm>

#include "engine/api/validation.h"

namespace ph::api {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool lowerOrDigit(char c) { return lower(c) || digit(c); }
bool alnum(char c) { return lower(c) || upper(c) || digit(c); }

#define LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define QUALIFIED "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

std::string rule(std::string_view sentence, std::initializer_list<const char*> examples, std::string_view regex) {
  std::string out(sentence);
  out += " (e.g. ";
  bool first = true;
  for (auto* e : examples) {
    if (!first) out += " or ";
    first = false;
    out.append("'").append(e).append("', ");
  }
  return out.append("regex used for validation is '").append(regex).append("')");
}

std::string tooLong(size_t max) { return "must be no more than " + std::to_string(max) + " characters"; }

bool isLabel(std::string_view s) {
  return !s.empty() && lowerOrDigit(s.front()) && lowerOrDigit(s.back()) &&
         std::all_of(s.begin(), s.end(), [](char c) { return lowerOrDigit(c) || c == '-'; });
}

bool isSubdomain(std::string_view s) {
  while (true) {
    size_t dot = s.find('.');
    if (!isLabel(s.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    s.remove_prefix(dot + 1);
  }
}

bool isQualified(std::string_view s) {
  return !s.empty() && alnum(s.front()) && alnum(s.back()) &&
         std::all_of(s.begin(), s.end(), [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string qualifiedRule() {
  return rule("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
              {"MyName", "my.name", "123-abc"}, QUALIFIED);
}

}  // namespace

std::string checkDnsLabel(std::string_view s) {
  if (s.size() > 63) return tooLong(63);
  if (isLabel(s)) return {};
  return rule("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
              "an alphanumeric character",
              {"my-name", "123-abc"}, LABEL);
}

std::string checkDnsSubdomain(std::string_view s) {
  if (s.size() > 253) return tooLong(253);
  if (isSubdomain(s)) return {};
  return rule("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
              "end with an alphanumeric character",
              {"example.com"}, LABEL "(\\." LABEL ")*");
}

std::string checkDns1035Label(std::string_view s) {
  if (s.size() > 63) return tooLong(63);
  if (isLabel(s) && lower(s.front())) return {};
  return rule("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and "
              "end with an alphanumeric character",
              {"my-name", "abc-123"}, "[a-z]([-a-z0-9]*[a-z0-9])?");
}

std::string checkQualifiedName(std::string_view s) {
  auto name = s;
  size_t slash = s.find('/');
  if (slash != std::string_view::npos) {
    if (s.find('/', slash + 1) != std::string_view::npos)
      return "a qualified name " + qualifiedRule() + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    auto prefix = s.substr(0, slash);
    name = s.substr(slash + 1);
    if (prefix.empty()) return "prefix part must be non-empty";
    if (auto why = checkDnsSubdomain(prefix); !why.empty()) return "prefix part " + why;
  }
  if (name.empty()) return "name part must be non-empty";
  if (name.size() > 63) return "name part " + tooLong(63);
  if (!isQualified(name)) return "name part " + qualifiedRule();
  return {};
}

std::string checkLabelValue(std::string_view s) {
  if (s.size() > 63) return tooLong(63);
  if (s.empty() || isQualified(s)) return {};
  return rule("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
              "with an alphanumeric character",
              {"MyValue", "my_value", "12345"}, "(" QUALIFIED ")?");
}

std::string checkEnvName(std::string_view s) {
  auto fine = [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; };
  if (s.empty() || digit(s.front()) || !std::all_of(s.begin(), s.end(), fine))
    return rule("a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start "
                "with a digit",
                {"my.env-name", "MY_ENV.NAME", "MyEnvName1"}, "[-._a-zA-Z][-._a-zA-Z0-9]*");
  if (s == ".") return "must not be '.'";
  if (s == "..") return "must not be '..'";
  if (s.starts_with("..")) return "must not start with '..'";
  return {};
}

std::string checkConfigKey(std::string_view s) {
  if (s.size() > 253) return tooLong(253);
  if (s.empty() || !std::all_of(s.begin(), s.end(), [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; }))
    return rule("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", {"key.name", "KEY_NAME", "key-name"},
                "[-._a-zA-Z0-9]+");
  if (s == ".") return "must not be '.'";
  if (s == "..") return "must not be '..'";
  if (s.starts_with("..")) return "must not start with '..'";
  return {};
}

std::string checkPathSegment(std::string_view s) {
  if (s == "." || s == "..") return "may not be '" + std::string(s) + "'";
  if (s.find('/') != std::string_view::npos) return "may not contain '/'";
  if (s.find('%') != std::string_view::npos) return "may not contain '%'";
  return {};
}

std::string checkPortName(std::string_view s) {
  if (s.size() > 15) return tooLong(15);
  if (s.empty() || !std::all_of(s.begin(), s.end(), [](char c) { return lowerOrDigit(c) || c == '-'; }))
    return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
  if (std::none_of(s.begin(), s.end(), lower)) return "must contain at least one letter or number (a-z, 0-9)";
  if (s.find("--") != std::string_view::npos) return "must not contain consecutive hyphens";
  if (s.front() == '-' || s.back() == '-') return "must not begin or end with a hyphen";
  return {};
}

std::string checkIp(std::string_view s) {
  unsigned char bytes[16];
  std::string text(s);
  if (text.find('\0') == std::string::npos && (inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1))
    return {};
  return "must be a valid IP address, (e.g. 10.9.8.7)";
}

}  // namespace ph::api
