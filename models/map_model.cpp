#include "models/map_model.h"

#include <algorithm>

#include "models/node_load.h"
#include "models/words.h"

namespace ph::models {

MapModel::MapModel(ClusterState* state, QObject* parent) : QObject(parent), state_(state) {
  cards_.emplace_back();
  cards_[kWaitingCard].used = true;
  connect(state, &ClusterState::changed, this, &MapModel::onChanged);
  rebuild();
}

void MapModel::setLoad(NodeLoad* load) {
  load_ = load;
  connect(load, &NodeLoad::changed, this, &MapModel::onLoad);
}

bool MapModel::grouped() const {
  return groups_.size() > 1 || (groups_.size() == 1 && !groups_[0].name.isEmpty());
}

QString MapModel::cardKeyOf(const QString& node) const {
  auto* machine = state_->machineOfNode(node);
  return machine ? machine->key : node;
}

void MapModel::rebuild() {
  ChangeSet all;
  all.first = true;
  for (auto& [key, f] : state_->workloads()) all.workloads.push_back({{}, &f});
  for (auto& [key, f] : state_->machines()) all.machines.push_back({{}, &f});
  for (auto& [key, f] : state_->nodes()) all.nodes.push_back({{}, &f});
  for (auto& [key, f] : state_->pods()) all.pods.push_back({{}, &f});
  onChanged(all);
}

void MapModel::onChanged(const ChangeSet& changes) {
  quiet_ = changes.first || changes.pods.size() > size_t(kNewsMax);
  news_.clear();
  // Applications first, in order of appearance: their colors follow it.
  std::vector<const WorkloadFacts*> newApps;
  for (auto& c : changes.workloads) {
    if (c.now && !appByKey_.contains(c.now->key)) newApps.push_back(c.now);
  }
  std::sort(newApps.begin(), newApps.end(), [](auto* a, auto* b) {
    return a->created != b->created ? a->created < b->created : naturalLess(a->key, b->key);
  });
  for (auto* w : newApps) ensureApp(w->key);

  // A node whose card is another one now (its Machine came or named it) takes its pods along.
  QStringList keys;
  QSet<QString> movedNodes;
  auto home = [&](const QString& node) {
    const QString key = cardKeyOf(node);
    if (auto it = homeOfNode_.find(node); it != homeOfNode_.end() && *it != key) {
      if (int old = cardIndex(*it); old >= 0 && !state_->machine(*it)) dropCard(old);
      movedNodes.insert(node);
    }
    homeOfNode_[node] = key;
    return key;
  };
  for (auto& c : changes.machines) {
    keys << c.any().key;
    const QString node = c.any().node.isEmpty() ? c.any().name : c.any().node;
    if (state_->node(node)) keys << home(node);
  }
  for (auto& c : changes.nodes) {
    if (c.now) {
      keys << home(c.now->name);
      if (!c.before) movedNodes.insert(c.now->name);  // pods may have been heard of before their node
    } else {
      keys << homeOfNode_.take(c.before->name);
    }
  }
  keys.removeDuplicates();
  std::sort(keys.begin(), keys.end(), naturalLess);
  for (auto& key : keys) {
    if (key.isEmpty()) continue;
    const bool wanted = state_->machine(key) || (state_->node(key) && cardKeyOf(key) == key);
    const int index = wanted ? ensureCard(key) : cardIndex(key);
    if (!wanted && index >= 0) dropCard(index);
    if (wanted) refresh(index);
  }

  std::vector<const PodFacts*> newPods;
  for (auto& c : changes.pods) {
    if (!c.now)
      removePod(c.before->key);
    else if (c.before)
      putPod(*c.now);
    else
      newPods.push_back(c.now);
    for (const QString& app : {c.before ? c.before->app : QString(), c.now ? c.now->app : QString()}) {
      if (!app.isEmpty()) ensureApp(app);
    }
  }
  for (auto& node : std::as_const(movedNodes)) {
    for (auto& key : state_->podsOnNode(node)) newPods.push_back(state_->pod(key));
  }
  std::sort(newPods.begin(), newPods.end(), [&](auto* a, auto* b) {
    const int x = appIndex(a->app), y = appIndex(b->app);
    if (x != y) return x < y;
    return a->created != b->created ? a->created < b->created : a->key < b->key;
  });
  for (auto* p : newPods) putPod(*p);

  QSet<int> apps;
  for (auto& c : changes.workloads) apps.insert(appIndex(c.any().key));
  for (auto& c : changes.pods) {
    if (c.before) apps.insert(appIndex(c.before->app));
    if (c.now) apps.insert(appIndex(c.now->app));
    // Loads that are guessed from requests follow the pods.
    for (const QString& node : {c.before ? c.before->node : QString(), c.now ? c.now->node : QString()}) {
      const int index = node.isEmpty() ? -1 : cardIndex(homeOfNode_.value(node, node));
      if (index < 0) continue;
      refreshLoad(cards_[index], state_->node(node));
      touch(index);
    }
  }
  for (int app : std::as_const(apps)) {
    if (app >= 0) refreshApp(app);
  }
  if (filtering()) {
    for (int i : std::as_const(touched_)) fitCard(cards_[i]);
  }
  if (!news_.isEmpty()) emit happened(std::exchange(news_, {}));
  if (std::exchange(layoutDirty_, false)) emit layoutChanged();
  if (!touched_.isEmpty()) emit cardsChanged(std::exchange(touched_, {}).values());
  if (std::exchange(appsDirty_, false)) emit appsChanged();
}

void MapModel::onLoad() {
  QList<int> changed;
  for (int i = 1; i < int(cards_.size()); ++i) {
    if (!cards_[i].used || cards_[i].node.isEmpty()) continue;
    const auto before = std::make_tuple(cards_[i].cpu, cards_[i].memory, cards_[i].estimated);
    refreshLoad(cards_[i], state_->node(cards_[i].node));
    if (before != std::make_tuple(cards_[i].cpu, cards_[i].memory, cards_[i].estimated)) changed << i;
  }
  if (!changed.isEmpty()) emit cardsChanged(changed);
}

int MapModel::ensureCard(const QString& key) {
  if (int i = cardIndex(key); i >= 0) return i;
  int index = -1;
  for (int i = 1; i < int(cards_.size()); ++i) {
    if (!cards_[i].used) {
      index = i;
      break;
    }
  }
  if (index < 0) {
    index = int(cards_.size());
    cards_.emplace_back();
  }
  cards_[index] = Card{};
  cards_[index].used = true;
  cards_[index].key = key;
  cardByKey_[key] = index;
  ++machineCount_;
  auto* node = state_->node(key);
  auto* machine = state_->machine(key);
  if (machine && !machine->node.isEmpty()) node = state_->node(machine->node);
  describe(cards_[index], node, machine);
  place(index);
  return index;
}

void MapModel::dropCard(int index) {
  for (auto& tile : cards_[index].tiles) {
    if (!tile.pod.isEmpty()) tileOf_.remove(tile.pod);
  }
  unplace(index);
  cardByKey_.remove(cards_[index].key);
  cards_[index] = Card{};
  touched_.remove(index);
  --machineCount_;
}

bool MapModel::refresh(int index) {
  Card& card = cards_[index];
  auto* machine = state_->machine(card.key);
  const QString nodeName = machine && !machine->node.isEmpty() ? machine->node : card.key;
  auto* node = state_->node(nodeName);
  const QString before = card.group;
  const CardState was = card.state;
  describe(card, node, machine);
  touch(index);
  if (card.state != was) tell(MapNews::What::Machine, index);
  if (card.group == before) return false;
  unplace(index);
  place(index);
  return true;
}

void MapModel::describe(Card& card, const NodeFacts* node, const MachineFacts* machine) {
  card.node = node ? node->name : QString();
  card.group = groupOf(node, machine);
  card.cordoned = node && node->cordoned;
  card.hardware = node ? words::hardware(*node) : machine ? machine->address : QString();
  card.pressure = node ? node->pressure : QStringList();
  card.percent = -1;
  card.note.clear();
  const MachineView view = words::machineView(machine, node);
  card.state = view.state;
  card.note = view.note;
  card.percent = view.percent;
  card.since = view.since;
  refreshLoad(card, node);
}

void MapModel::refreshLoad(Card& card, const NodeFacts* node) {
  card.cpu = card.memory = -1;
  card.estimated = false;
  if (!node || card.state == CardState::Lost) return;
  if (const Load* load = load_ ? load_->of(node->name) : nullptr) {
    if (node->cpu > 0) card.cpu = double(load->cpuMilli) / double(node->cpu);
    if (node->memory > 0) card.memory = double(load->memoryBytes) / double(node->memory);
    return;
  }
  const auto sum = state_->requestsOn(node->name);
  card.estimated = true;
  if (node->cpuAllocatable > 0) card.cpu = double(sum.cpu) / double(node->cpuAllocatable);
  if (node->memoryAllocatable > 0) card.memory = double(sum.memory) / double(node->memoryAllocatable);
}

void MapModel::place(int index) {
  const QString& name = cards_[index].group;
  auto it = std::find_if(groups_.begin(), groups_.end(), [&](auto& g) { return g.name == name; });
  if (it == groups_.end()) {
    // Named groups in natural order, the machines without one last.
    it = std::find_if(groups_.begin(), groups_.end(), [&](auto& g) {
      return g.name.isEmpty() || (!name.isEmpty() && naturalLess(name, g.name));
    });
    if (name.isEmpty()) it = groups_.end();
    it = groups_.insert(it, MapGroup{name, {}});
  }
  auto hole = std::find(it->places.begin(), it->places.end(), -1);
  if (hole != it->places.end())
    *hole = index;
  else
    it->places.push_back(index);
  layoutDirty_ = true;
}

void MapModel::unplace(int index) {
  for (auto it = groups_.begin(); it != groups_.end(); ++it) {
    auto at = std::find(it->places.begin(), it->places.end(), index);
    if (at == it->places.end()) continue;
    *at = -1;
    while (!it->places.empty() && it->places.back() == -1) it->places.pop_back();
    if (it->places.empty()) groups_.erase(it);
    break;
  }
  layoutDirty_ = true;
}

int MapModel::ensureApp(const QString& key) {
  if (int i = appIndex(key); i >= 0) return i;
  const int index = int(apps_.size());
  MapApp app;
  app.key = key;
  app.name = appName(key);
  if (index < kAppColors) {
    // In order of appearance; a color that a departed application left counts as used less.
    app.color = int(std::min_element(colorUse_.begin(), colorUse_.end()) - colorUse_.begin());
  } else {
    app.color = int(qHash(key, 0) % kAppColors);
  }
  ++colorUse_[app.color];
  apps_.push_back(app);
  appTerms_.push_back(termsIn(key.toLower()));
  appByKey_[key] = index;
  appsDirty_ = true;
  return index;
}

void MapModel::refreshApp(int index) {
  MapApp& app = apps_[index];
  const auto before = std::make_tuple(app.pods, app.wanted, app.ready, app.listed);
  auto* w = state_->workload(app.key);
  app.pods = int(state_->podsOfApp(app.key).size());
  app.wanted = w ? w->wanted : app.pods;
  app.ready = w ? w->ready : state_->inState(app.key, PodState::Ready);
  app.listed = w || app.pods > 0;
  if (before != std::make_tuple(app.pods, app.wanted, app.ready, app.listed)) appsDirty_ = true;
}

void MapModel::putPod(const PodFacts& pod) {
  int card = kWaitingCard;
  if (!pod.node.isEmpty()) card = cardIndex(homeOfNode_.value(pod.node, pod.node));
  auto at = placeOf(pod.key);
  if (at.first >= 0 && at.first != card) {
    removePod(pod.key);
    at = {-1, -1};
  }
  if (card < 0) return;  // its node is gone; so will the pod be soon
  auto& tiles = cards_[card].tiles;
  if (at.first < 0) {
    auto hole = std::find_if(tiles.begin(), tiles.end(), [](auto& t) { return t.pod.isEmpty(); });
    if (hole == tiles.end()) hole = tiles.insert(tiles.end(), Tile{});
    at = {card, int(hole - tiles.begin())};
    tileOf_[pod.key] = at;
    ++cards_[card].pods;
    tiles[at.second] = Tile{pod.key, ensureApp(pod.app), pod.state};
    tell(MapNews::What::Came, card, at.second, tiles[at.second]);
  } else if (Tile& tile = tiles[at.second]; tile.state != pod.state) {
    tile.state = pod.state;
    tell(MapNews::What::Turned, card, at.second, tile);
  }
  tiles[at.second].app = ensureApp(pod.app);
  touch(card);
}

void MapModel::removePod(const QString& key) {
  auto it = tileOf_.find(key);
  if (it == tileOf_.end()) return;
  auto [card, slot] = *it;
  tileOf_.erase(it);
  auto& tiles = cards_[card].tiles;
  tell(MapNews::What::Left, card, slot, tiles[slot]);
  tiles[slot] = Tile{};
  while (!tiles.empty() && tiles.back().pod.isEmpty()) tiles.pop_back();
  --cards_[card].pods;
  touch(card);
}

void MapModel::tell(MapNews::What what, int card, int slot, const Tile& tile) {
  if (!quiet_) news_.append({what, card, slot, tile});
}

void MapModel::setPreview(const QString& app, const QHash<QString, int>& come, const QSet<QString>& go) {
  QHash<QString, QStringList> all;
  for (auto it = come.begin(); it != come.end(); ++it) all[it.key()] = QStringList(it.value(), app);
  setGhosts(all, go);
}

void MapModel::setGhosts(const QHash<QString, QStringList>& come, const QSet<QString>& go) {
  QSet<int> changed;
  for (auto& key : std::as_const(going_)) changed.insert(placeOf(key).first);
  going_ = go;
  for (auto& key : go) changed.insert(placeOf(key).first);
  for (int i = 1; i < int(cards_.size()); ++i) {
    std::vector<int> apps;
    if (cards_[i].used) {
      for (auto& app : come.value(cards_[i].key)) apps.push_back(appIndex(app));
    }
    std::sort(apps.begin(), apps.end());
    if (apps != cards_[i].ghostApps) changed.insert(i);
    cards_[i].ghosts = int(apps.size());
    cards_[i].ghostApps = std::move(apps);
  }
  changed.remove(-1);
  if (!changed.isEmpty()) emit cardsChanged(changed.values());
}

}  // namespace ph::models
