#include "engine/base/base64.h"
#include "engine/api/human.h"
#include "engine/api/strategies/common.h"

#include <algorithm>
#include <set>

namespace ph::api::strategies {
namespace {

constexpr int64_t kShortest = 600;  // seconds
constexpr std::string_view kUnknownSigner = "kubernetes.io/legacy-unknown";

const std::vector<std::string>& knownUsages() {
  static const std::vector<std::string> list = {
      "any",          "cert sign",     "client auth",      "code signing",      "content commitment", "crl sign",
      "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system",
      "ipsec tunnel", "ipsec user",    "key agreement",    "key encipherment",  "microsoft sgc",      "netscape sgc",
      "ocsp signing", "s/mime",        "server auth",      "signing",           "timestamping"};
  return list;
}

bool isDecision(std::string_view type) { return type == "Approved" || type == "Denied"; }

void prepareCreate(Json& csr, const WriteContext&) { csr.as_object().erase("status"); }

const JsonObject* findCondition(const JsonArray& conditions, std::string_view type) {
  for (auto& c : conditions)
    if (c.is_object() && str(c, "type") == type) return &c.get_object();
  return nullptr;
}

// A condition that is new or has another status changed now, unless its writer says when.
void stampConditions(JsonArray& now, const JsonArray& before, WallTime time) {
  for (auto& c : now) {
    auto* condition = c.if_object();
    if (!condition) continue;
    auto* was = findCondition(before, str(c, "type"));
    bool turned = !was || str(Json(*was), "status") != str(c, "status");
    if (!has(c, "lastUpdateTime")) (*condition)["lastUpdateTime"] = formatTime(time);
    if (has(c, "lastTransitionTime")) continue;
    if (auto* t = was ? was->if_contains("lastTransitionTime") : nullptr; t && !turned)
      (*condition)["lastTransitionTime"] = *t;
    else
      (*condition)["lastTransitionTime"] = formatTime(time);
  }
}

// Puts the decisions of before where those of now stand. False when one came or went.
bool keepDecisions(JsonArray& now, const JsonArray& before) {
  size_t came = 0;
  for (auto& c : now) {
    if (!isDecision(str(c, "type"))) continue;
    ++came;
    auto* was = findCondition(before, str(c, "type"));
    if (!was) return false;
    c = *was;
  }
  return came == size_t(std::count_if(before.begin(), before.end(), [](auto& c) { return isDecision(str(c, "type")); }));
}

// The spec never changes. A decision is written through approval only, and a certificate through status only.
void prepareUpdate(Json& csr, const Json& old, const WriteContext& context) {
  auto& root = csr.as_object();
  if (auto* spec = old.as_object().if_contains("spec")) root["spec"] = *spec;
  if (context.subresource.empty()) return;
  auto& status = ensureObject(csr, "status");
  auto& before = list(old, "status.conditions");
  JsonArray wanted = list(csr, "status.conditions");
  if (context.subresource == "status") {
    if (!keepDecisions(wanted, before)) wanted = before;
  } else {
    status.erase("certificate");
    if (auto* certificate = at(old, "status.certificate")) status["certificate"] = *certificate;
  }
  stampConditions(wanted, before, context.now);
  if (wanted.empty())
    status.erase("conditions");
  else
    status["conditions"] = std::move(wanted);
}

void checkSignerName(std::string_view name, ErrorList& errors) {
  if (name.empty()) return errors.required("spec.signerName");
  auto slash = name.find('/');
  auto domain = name.substr(0, slash);
  auto path = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
  std::string why;
  if (path.empty() || path.find('/') != std::string_view::npos)
    why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  else if (domain.find('.') == std::string_view::npos)
    why = "should be a domain with at least two segments separated by dots";
  else
    why = checkDnsSubdomain(domain);
  if (why.empty()) why = checkDnsSubdomain(path);
  if (why.empty() && name.size() > 571) why = "must be no more than 571 characters";
  if (!why.empty()) errors.invalid("spec.signerName", text(name), why);
}

void checkUsages(const Json& csr, ErrorList& errors) {
  auto& usages = list(csr, "spec.usages");
  if (usages.empty()) return errors.required("spec.usages");
  std::set<std::string_view> seen;
  for (size_t i = 0; i < usages.size(); ++i) {
    if (!usages[i].is_string()) continue;
    auto usage = view(usages[i].get_string());
    auto& known = knownUsages();
    if (std::find(known.begin(), known.end(), usage) == known.end())
      errors.notSupported(indexed("spec.usages", i), text(usage), known);
    else if (!seen.insert(usage).second)
      errors.duplicate(indexed("spec.usages", i), text(usage));
  }
}

void validate(const Json& csr, const WriteContext&, ErrorList& errors) {
  if (str(csr, "spec.request").empty()) errors.required("spec.request");
  checkUsages(csr, errors);
  auto signer = str(csr, "spec.signerName");
  checkSignerName(signer, errors);
  if (signer == kUnknownSigner && str(csr, "apiVersion") == "certificates.k8s.io/v1")
    errors.invalid("spec.signerName", text(signer), "is not allowed via this API version");
  if (has(csr, "spec.expirationSeconds") && num(csr, "spec.expirationSeconds") < kShortest)
    errors.invalidRaw("spec.expirationSeconds", std::to_string(num(csr, "spec.expirationSeconds")), "may not specify a duration less than 600 seconds (10 minutes)");
}

void checkConditions(const Json& csr, ErrorList& errors) {
  std::set<std::string_view> seen;
  auto& conditions = list(csr, "status.conditions");
  for (size_t i = 0; i < conditions.size(); ++i) {
    auto path = indexed("status.conditions", i);
    auto type = str(conditions[i], "type"), status = str(conditions[i], "status");
    if (type.empty()) errors.required(path + ".type");
    if (status != "True" && status != "False" && status != "Unknown") {
      if (status.empty()) errors.required(path + ".status");
      else errors.notSupported(path + ".status", text(status), {"False", "True", "Unknown"});
    } else if ((isDecision(type) || type == "Failed") && status != "True") {
      errors.notSupported(path + ".status", text(status), {"True"});
    }
    if (!seen.insert(type).second) errors.duplicate(path + ".type", text(type));
  }
  if (seen.count("Approved") && seen.count("Denied"))
    errors.invalid("status.conditions", "Denied", "Approved and Denied conditions are mutually exclusive");
}

void validateUpdate(const Json& csr, const Json& old, const WriteContext& context, ErrorList& errors) {
  if (context.subresource.empty()) return;
  checkConditions(csr, errors);
  auto& now = list(csr, "status.conditions");
  for (auto& was : list(old, "status.conditions")) {
    auto type = str(was, "type");
    if (!isDecision(type) && type != "Failed") continue;
    auto* is = findCondition(now, type);
    if (!is) errors.forbidden("status.conditions", "updates may not remove a condition of type \"" + text(type) + "\"");
  }
  if (context.subresource != "status") return;
  auto certificate = str(csr, "status.certificate"), before = str(old, "status.certificate");
  if (certificate == before) return;
  if (!before.empty()) errors.forbidden("status.certificate", "updates may not modify existing certificate content");
  auto pem = fromBase64(certificate);
  if (!pem || pem->find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    errors.invalid("status.certificate", "<certificate data>", "must contain at least one CERTIFICATE PEM block");
}

void cells(const Json& csr, WallTime, std::vector<Json>& out) {
  out.push_back(orNone(str(csr, "spec.signerName")));
  out.push_back(has(csr, "spec.expirationSeconds") ? Json(humanDuration(std::chrono::seconds(num(csr, "spec.expirationSeconds")))) : Json("<none>"));
  bool approved = false, denied = false, failed = false;
  for (auto& c : list(csr, "status.conditions")) {
    auto type = str(c, "type");
    approved |= type == "Approved";
    denied |= type == "Denied";
    failed |= type == "Failed";
  }
  std::string condition = denied ? "Denied" : approved ? "Approved" : "Pending";
  if (failed) condition += ",Failed";
  if (!str(csr, "status.certificate").empty()) condition += ",Issued";
  out.emplace_back(condition);
}

constexpr std::string_view kSelectable[] = {"spec.signerName", ""};

}  // namespace

const Strategy certificateSigningRequestStrategy{.prepareCreate = prepareCreate,
                                                 .prepareUpdate = prepareUpdate,
                                                 .validate = validate,
                                                 .validateUpdate = validateUpdate,
                                                 .cells = cells,
                                                 .selectableFields = kSelectable};

}  // namespace ph::api::strategies
