// MapModel's groups and filter.
#include <algorithm>

#include "models/map_model.h"
#include "models/words.h"

namespace ph::models {

// Digits compare as numbers: m-9 before m-10. The same in every locale, so that places don't depend on it.
bool MapModel::naturalLess(const QString& a, const QString& b) {
  qsizetype i = 0, j = 0;
  auto digits = [](const QString& s, qsizetype& at) {
    while (at < s.size() && s[at] == '0') ++at;
    const qsizetype from = at;
    while (at < s.size() && s[at].isDigit()) ++at;
    return QStringView(s).mid(from, at - from);
  };
  while (i < a.size() && j < b.size()) {
    if (a[i].isDigit() && b[j].isDigit()) {
      const auto x = digits(a, i), y = digits(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (const int order = x.compare(y)) return order < 0;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
    }
  }
  if (a.size() - i != b.size() - j) return a.size() - i < b.size() - j;
  return a < b;
}

QString MapModel::groupOf(const NodeFacts* node, const MachineFacts* machine) const {
  if (grouping_ == kUngrouped) return {};
  if (grouping_.isEmpty()) return node && !node->zone.isEmpty() ? node->zone : machine ? machine->zone : QString();
  if (!node) return {};
  for (auto& [key, value] : node->labels) {
    if (key == grouping_) return value.isEmpty() ? key.section('/', -1) : value;
  }
  return {};
}

void MapModel::setGrouping(const QString& label) {
  if (label == grouping_) return;
  grouping_ = label;
  groups_.clear();
  std::vector<int> order;
  for (int i = 1; i < int(cards_.size()); ++i) {
    if (cards_[i].used) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](int a, int b) { return naturalLess(cards_[a].key, cards_[b].key); });
  for (int i : order) {
    auto* machine = state_->machine(cards_[i].key);
    cards_[i].group = groupOf(state_->node(cards_[i].node), machine);
    place(i);
  }
  layoutDirty_ = false;
  emit layoutChanged();
}

QString MapModel::groupedBy() const {
  if (!grouped()) return {};
  return grouping_.isEmpty() ? tr("zone") : grouping_.section('/', -1);
}

QStringList MapModel::groupingLabels() const {
  QHash<QString, QSet<QString>> values;
  for (auto& [name, node] : state_->nodes()) {
    for (auto& [key, value] : node.labels) values[key].insert(value);
  }
  QStringList out;
  for (auto it = values.begin(); it != values.end(); ++it) {
    // A label that each machine has another value of groups nothing.
    const bool names = it->size() > 1 && it->size() >= qsizetype(state_->nodes().size());
    if (!names && it->size() <= 200 && it.key() != u"topology.kubernetes.io/zone") out << it.key();
  }
  out.sort();
  return out;
}

uint32_t MapModel::termsIn(const QString& text) const {
  uint32_t found = 0;
  for (int i = 0; i < terms_.size(); ++i) found |= text.contains(terms_[i]) ? 1u << i : 0;
  return found;
}

void MapModel::fitTile(const Card& card, Tile& tile) {
  // Names of the API are lower case as they are.
  uint32_t found = card.terms | stateTerms_[size_t(tile.state)] | (tile.app >= 0 ? appTerms_[size_t(tile.app)] : 0);
  if (found != allTerms()) found |= termsIn(tile.pod);
  tile.fits = found == allTerms();
}

void MapModel::fitCard(Card& card) {
  if (!filtering()) return;
  QStringList about{card.key, card.node, card.group, card.hardware, card.note};
  about << card.pressure;
  if (auto* node = state_->node(card.node)) {
    about << node->address << words::machineView(state_->machine(card.key), node).title;
    for (auto& [key, value] : node->labels) about << key + '=' + value;
  }
  card.terms = termsIn(about.join('\n').toLower());
  card.fits = card.terms == allTerms();
  for (auto& tile : card.tiles) {
    if (tile.pod.isEmpty()) continue;
    fitTile(card, tile);
    card.fits |= tile.fits;
  }
}

void MapModel::fitAll() {
  for (size_t i = 0; i < appTerms_.size(); ++i) appTerms_[i] = termsIn(apps_[i].key.toLower());
  for (int i = 0; i < kPodStates; ++i) stateTerms_[size_t(i)] = termsIn(words::podState(PodState(i)).toLower());
  for (auto& card : cards_) {
    if (card.used) fitCard(card);
  }
}

void MapModel::setFilter(const QString& text) {
  const QStringList terms = text.toLower().split(' ', Qt::SkipEmptyParts).mid(0, kMaxTerms);
  if (terms == terms_) return;
  terms_ = terms;
  if (filtering()) {
    fitAll();
  } else {
    for (auto& card : cards_) {
      card.fits = true;
      for (auto& tile : card.tiles) tile.fits = true;
    }
  }
  emit filterChanged();
}

MapModel::Fitting MapModel::fitting() const {
  Fitting f;
  for (size_t i = 0; i < cards_.size(); ++i) {
    if (!cards_[i].used) continue;
    f.machines += cards_[i].fits && i != kWaitingCard;
    for (auto& t : cards_[i].tiles) f.pods += !t.pod.isEmpty() && t.fits;
  }
  return f;
}

}  // namespace ph::models
