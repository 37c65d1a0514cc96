#include <algorithm>
#include <charconv>

#include "engine/api/human.h"
#include "engine/api/strategies/common.h"

namespace ph::api::strategies {
namespace {

// One field of a schedule: names, ranges, lists and steps. Source: crontab(5).
struct CronField {
  const char* name;
  int least, most;
  std::string_view words;  // three letters each, counted from `least`
};
constexpr CronField kFields[] = {{"minute", 0, 59, ""},
                                 {"hour", 0, 23, ""},
                                 {"day of month", 1, 31, ""},
                                 {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                 {"day of week", 0, 7, "sunmontuewedthufrisat"}};

bool number(std::string_view s, const CronField& f, int& into) {
  if (s.size() == 3 && !f.words.empty() && isalpha(static_cast<unsigned char>(s[0]))) {
    std::string lower(s);
    for (char& c : lower) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
    size_t at = f.words.find(lower);
    if (at == std::string_view::npos || at % 3) return false;
    into = f.least + static_cast<int>(at / 3);
    return true;
  }
  auto r = std::from_chars(s.data(), s.data() + s.size(), into);
  return r.ec == std::errc() && r.ptr == s.data() + s.size() && into >= f.least && into <= f.most;
}

bool fieldFits(std::string_view s, const CronField& f) {
  while (true) {
    size_t comma = s.find(',');
    auto part = s.substr(0, comma);
    size_t slash = part.find('/');
    if (slash != std::string_view::npos) {
      int step = 0;
      auto text = part.substr(slash + 1);
      auto r = std::from_chars(text.data(), text.data() + text.size(), step);
      if (r.ec != std::errc() || r.ptr != text.data() + text.size() || step < 1) return false;
      part = part.substr(0, slash);
    }
    if (part != "*" && part != "?") {
      size_t dash = part.find('-');
      int first = 0, last = 0;
      if (!number(part.substr(0, dash), f, first)) return false;
      if (dash != std::string_view::npos && (!number(part.substr(dash + 1), f, last) || last < first)) return false;
    }
    if (comma == std::string_view::npos) return true;
    s.remove_prefix(comma + 1);
  }
}

// Empty when it is a schedule.
std::string checkSchedule(std::string_view s) {
  static constexpr std::string_view kShort[] = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"};
  if (s.starts_with('@')) {
    if (std::find(std::begin(kShort), std::end(kShort), s) != std::end(kShort) || (s.starts_with("@every ") && s.size() > 7)) return {};
    return "unrecognized descriptor: " + text(s);
  }
  std::vector<std::string_view> parts;
  for (size_t i = 0; i < s.size();) {
    size_t end = std::min(s.find_first_of(" \t", i), s.size());
    if (end > i) parts.push_back(s.substr(i, end - i));
    i = end + 1;
  }
  if (parts.size() != std::size(kFields))
    return "expected exactly 5 fields, found " + std::to_string(parts.size()) + ": [" + text(s) + "]";
  for (size_t i = 0; i < parts.size(); ++i)
    if (!fieldFits(parts[i], kFields[i])) return "failed to parse the " + std::string(kFields[i].name) + ": " + text(parts[i]);
  return {};
}

void defaults(Json& job) {
  auto& tmpl = ensureObject(ensureObject(job, "spec"), "jobTemplate");
  // Its own defaults are those of a Job, without the labels that only a Job with a name and uid can have.
  defaultJobSpec(ensureObject(tmpl, "spec"));
}

void prepareCreate(Json& job, const WriteContext&) {
  defaults(job);
  job.get_object()["status"] = JsonObject();
}

void prepareUpdate(Json& job, const Json&, const WriteContext& context) {
  if (context.subresource.empty()) defaults(job);
}

void validate(const Json& job, const WriteContext& context, ErrorList& errors) {
  if (context.subresource == "status") return;
  auto schedule = text(str(job, "spec.schedule"));
  if (schedule.find("TZ=") != std::string::npos)
    errors.invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  else if (auto why = checkSchedule(schedule); !schedule.empty() && !why.empty())
    errors.invalid("spec.schedule", schedule, why);
  if (has(job, "spec.timeZone")) {
    auto zone = text(str(job, "spec.timeZone"));
    bool plain = !zone.empty() && std::all_of(zone.begin(), zone.end(), [](char c) {
      return isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+';
    });
    if (zone.empty()) errors.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string");
    else if (!plain || zone == "Local") errors.invalid("spec.timeZone", zone, "unknown time zone " + zone);
  }
  if (auto* spec = at(job, "spec.jobTemplate.spec")) {
    validateJobSpec(*spec, "spec.jobTemplate.spec", errors);
    if (flag(*spec, "manualSelector"))
      errors.notSupported("spec.jobTemplate.spec.manualSelector", "true", {"nil", "false"});
  }
  auto name = str(job, "metadata.name");
  if (name.size() > 52) errors.invalid("metadata.name", text(name), "must be no more than 52 characters");
}

void cells(const Json& job, WallTime now, std::vector<Json>& out) {
  out.push_back(orNone(str(job, "spec.timeZone")));
  out.emplace_back(flag(job, "spec.suspend") ? "True" : "False");
  out.emplace_back(list(job, "status.active").size());
  if (has(job, "status.lastScheduleTime")) out.emplace_back(humanAge(time(job, "status.lastScheduleTime"), now));
  else out.emplace_back("<none>");
  containerCells(job, "spec.jobTemplate.spec.template.spec", out);
  out.emplace_back(selectorText(job, "spec.jobTemplate.spec.selector"));
}

}  // namespace

const Strategy cronJobStrategy{.prepareCreate = prepareCreate, .prepareUpdate = prepareUpdate, .validate = validate, .cells = cells};

}  // namespace ph::api::strategies
