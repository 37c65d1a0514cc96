#include "engine/scheduler/answers.h"

#include "engine/api/codec.h"

namespace ph::scheduler {

using api::Json;
using api::JsonArray;
using api::JsonObject;

Json decisionTree(const Explanation& e) {
  JsonArray rows, filters, scorers;
  for (auto& f : e.matrix.filters) filters.emplace_back(f);
  for (auto& s : e.matrix.scores) scorers.emplace_back(s);
  for (auto& r : e.matrix.rows) {
    JsonObject row{{"node", r.node}};
    if (r.refusals.empty()) {
      JsonObject scores;
      for (auto& [plugin, score] : r.scores) scores[plugin] = score;
      row["total"] = r.total;
      row["scores"] = std::move(scores);
    } else {
      JsonObject refusals;
      for (auto& [plugin, why] : r.refusals) refusals[plugin] = why;
      row["refusals"] = std::move(refusals);
    }
    rows.push_back(std::move(row));
  }
  JsonObject status{{"time", formatMicroTime(e.time)}, {"nodes", e.matrix.nodes},       {"feasible", e.matrix.feasible},
                    {"filters", std::move(filters)},   {"scorers", std::move(scorers)}, {"rows", std::move(rows)}};
  if (!e.node.empty()) status["node"] = e.node;
  if (e.node.empty() && !e.matrix.remedy.text.empty()) status["remedy"] = e.matrix.remedy.text;
  auto slash = e.pod.find('/');
  return JsonObject{{"metadata", JsonObject{{"name", e.pod.substr(slash + 1)}, {"namespace", e.pod.substr(0, slash)}, {"uid", e.uid}}},
                    {"status", std::move(status)}};
}

Json previewStatus(const std::vector<std::string>& places) {
  JsonArray out;
  int64_t unplaced = 0;
  for (auto& p : places) {
    out.emplace_back(p);
    unplaced += p.empty();
  }
  return JsonObject{{"places", std::move(out)}, {"unplaced", unplaced}};
}

Json drainStatus(const std::vector<Move>& moves) {
  JsonArray out;
  int64_t unplaced = 0;
  for (auto& m : moves) {
    auto slash = m.pod.find('/');
    JsonObject move{{"namespace", m.pod.substr(0, slash)}, {"pod", m.pod.substr(slash + 1)}, {"node", m.node}};
    if (!m.reason.empty()) move["reason"] = m.reason;
    out.push_back(std::move(move));
    unplaced += m.node.empty();
  }
  return JsonObject{{"moves", std::move(out)}, {"unplaced", unplaced}};
}

}  // namespace ph::scheduler
