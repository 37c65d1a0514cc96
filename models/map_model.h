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
  bool fits = true;  // the filter
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
  std::vector<int> ghostApps;  // of each
  bool used = false;  // false: this index is free
  bool fits = true;   // the filter: the machine itself, or one of its pods
  uint32_t terms = 0; // the filter's words that the machine itself fits, a bit each
};

// One thing that changed, for those who show changes. Never the first lists.
struct MapNews {
  enum class What : uint8_t { Came, Left, Turned, Machine } what = What::Came;
  int card = -1, slot = -1;  // slot: of the pod's tile; of one that left, where it was
  Tile tile;                 // as it is now; of one that left, as it was
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
  // What the machines are grouped by: their zone (empty), nothing (kUngrouped), or a label of their nodes.
  static constexpr QLatin1String kUngrouped{"-"};
  void setGrouping(const QString& label);
  const QString& grouping() const { return grouping_; }
  QString groupedBy() const;             // in words; empty when there are no groups
  QStringList groupingLabels() const;    // the labels that tell machines apart, but not every one of them

  // Words that a machine or a pod must all fit (names, namespaces, applications, states, labels, hardware); the others
  // are marked as not fitting, and stay where they are.
  static constexpr int kMaxTerms = 8;
  void setFilter(const QString& text);
  bool filtering() const { return !terms_.isEmpty(); }
  struct Fitting {
    int machines = 0, pods = 0;
  };
  Fitting fitting() const;
  ClusterState* state() const { return state_; }

  // The preview of a scale: copies by card key that would come, and pods that would go. Empty ones end it.
  void setPreview(const QString& app, const QHash<QString, int>& come, const QSet<QString>& go);
  // The same with several applications: card key -> the application of each copy that would come.
  void setGhosts(const QHash<QString, QStringList>& come, const QSet<QString>& go);
  bool wouldGo(const QString& pod) const { return going_.contains(pod); }

 signals:
  void layoutChanged();  // machines or groups came or went
  void cardsChanged(const QList<int>& cards);
  void appsChanged();
  void happened(const QList<ph::models::MapNews>& news);  // of one diff; none when there are more than kNewsMax
  void filterChanged();

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
  static bool naturalLess(const QString& a, const QString& b);
  QString groupOf(const NodeFacts* node, const MachineFacts* machine) const;
  void tell(MapNews::What what, int card, int slot = -1, const Tile& tile = {});
  uint32_t termsIn(const QString& text) const;
  uint32_t allTerms() const { return (1u << terms_.size()) - 1; }
  void fitCard(Card& card);        // its own words; then whether any of its pods fits
  void fitTile(const Card& card, Tile& tile);
  void fitAll();

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
  QString grouping_;
  QStringList terms_;                     // of the filter, lower case
  std::vector<uint32_t> appTerms_;        // by application
  std::array<uint32_t, kPodStates> stateTerms_{};
  QList<MapNews> news_;
  int machineCount_ = 0;
  bool quiet_ = true;  // the first lists: no news
  bool layoutDirty_ = false, appsDirty_ = false;
};

}  // namespace ph::models
