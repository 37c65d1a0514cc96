// MapModel: the fleet as the map draws it. Machines keep their place, pods keep their slot: what leaves makes
// a hole and the next newcomer takes it, so nothing dances. Plain structs, nothing per pod but a Tile.
// Threads: GUI thread only. Each diff costs what changed in it, not the size of the cluster.
#pragma once

#include <QObject>
#include <array>

#include "models/cluster_state.h"

namespace ph::models {

class NodeLoad;

enum class CardState : uint8_t { Ready, Joining, NeedsTrust, Failed, Lost, Leaving };

struct Tile {
  QString pod;   // key; empty: a hole
  int app = -1;  // index into MapModel::apps()
  PodState state = PodState::Waiting;
};

struct Card {
  QString key;   // name of the Machine, or of the Node where there is no Machine
  QString node;  // empty until the node registers
  QString group;
  CardState state = CardState::Joining;
  bool cordoned = false;
  QString hardware;              // "amd64 · 8 cpu"
  QString note;                  // what is going on with it, in words; empty when it is just fine
  int percent = -1;              // of joining; -1: unknown
  int64_t since = 0;             // of the state
  double cpu = -1, memory = -1;  // 0..1; negative: unknown
  bool estimated = false;        // from requests, not measured
  QStringList pressure;
  std::vector<Tile> tiles;
  int pods = 0;
  int ghosts = 0;  // copies that would land here
  int ghostApp = -1;
  bool used = false;  // false: this index is free
};

struct MapGroup {
  QString name;             // empty: the machines without one
  std::vector<int> places;  // card index, or -1: a hole that the next newcomer takes
};

struct MapApp {
  QString key, name;
  int color = 0;  // into the theme's application colors
  int pods = 0;
  int wanted = 0;  // copies; for a lone pod 1
  int ready = 0;
  bool listed = false;  // there is a workload or a pod
};

class MapModel : public QObject {
  Q_OBJECT
 public:
  static constexpr int kAppColors = 10;
  static constexpr int kNewsMax = 500;
  static constexpr int kWaitingCard = 0;  // pods that have no machine yet stand here; not in any group

  explicit MapModel(ClusterState* state, QObject* parent = nullptr);

  void setLoad(NodeLoad* load);

  const std::vector<MapGroup>& groups() const { return groups_; }
  const std::vector<Card>& cards() const { return cards_; }
  const Card& card(int index) const { return cards_[index]; }
  const std::vector<MapApp>& apps() const { return apps_; }
  int machineCount() const { return machineCount_; }
  int cardIndex(const QString& key) const { return cardByKey_.value(key, -1); }
  int appIndex(const QString& key) const { return appByKey_.value(key, -1); }
  // Where a pod's tile is; {-1, -1} when it has none.
  std::pair<int, int> placeOf(const QString& pod) const { return tileOf_.value(pod, {-1, -1}); }
  bool grouped() const;
  QString groupedBy() const { return grouped() ? tr("zone") : QString(); }
  ClusterState* state() const { return state_; }

  // The preview of a scale: copies by card key that would come, and pods that would go. Empty ones end it.
  void setPreview(const QString& app, const QHash<QString, int>& come, const QSet<QString>& go);
  bool wouldGo(const QString& pod) const { return going_.contains(pod); }

 signals:
  void layoutChanged();  // machines or groups came or went
  void cardsChanged(const QList<int>& cards);
  void appsChanged();
  void podsArrived(const QStringList& pods);  // news only, never the first lists; at most kNewsMax

 private:
  void onChanged(const ChangeSet& changes);
  void rebuild();
  void onLoad();
  QString cardKeyOf(const QString& node) const;
  int ensureCard(const QString& key);
  void dropCard(int index);
  bool refresh(int index);  // true when its group changed
  void describe(Card& card, const NodeFacts* node, const MachineFacts* machine);
  void refreshLoad(Card& card, const NodeFacts* node);
  void place(int index);
  void unplace(int index);
  int ensureApp(const QString& key);
  void refreshApp(int index);
  void putPod(const PodFacts& pod);
  void removePod(const QString& key);
  void touch(int card) { touched_.insert(card); }

  ClusterState* state_;
  NodeLoad* load_ = nullptr;
  std::vector<Card> cards_;
  std::vector<MapGroup> groups_;
  std::vector<MapApp> apps_;
  QHash<QString, int> cardByKey_, appByKey_;
  QHash<QString, QString> homeOfNode_;  // node -> card key, as placed
  QHash<QString, std::pair<int, int>> tileOf_;
  QSet<QString> going_;
  QSet<int> touched_;
  std::array<int, kAppColors> colorUse_{};
  int machineCount_ = 0;
  bool layoutDirty_ = false, appsDirty_ = false;
};

}  // namespace ph::models
