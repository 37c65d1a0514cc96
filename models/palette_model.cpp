#include "models/palette_model.h"

#include <algorithm>

namespace ph::models {

namespace {

// 0: no match; more is better: the start of a word before the middle, a part before scattered letters.
int fitness(const QString& text, const QStringList& words) {
  int total = 1;
  for (auto& word : words) {
    const int at = int(text.indexOf(word, 0, Qt::CaseInsensitive));
    if (at < 0) return 0;
    total += at == 0 ? 30 : !text[at - 1].isLetterOrNumber() ? 20 : 10;
  }
  return total * 100 - std::min<int>(99, int(text.size()));
}

}  // namespace

PaletteModel::PaletteModel(Session* session, QList<Command> commands,
                           std::function<void(const Subject&)> open, QObject* parent)
    : QAbstractListModel(parent), session_(session), commands_(std::move(commands)), open_(std::move(open)) {
  setFilter({});
}

void PaletteModel::add(const QList<Command>& commands) {
  commands_ += commands;
  if (!text_.isEmpty()) setFilter(text_);  // those are searched for only
}

void PaletteModel::setFilter(const QString& text) {
  text_ = text;
  const QStringList words = text.split(' ', Qt::SkipEmptyParts);
  struct Hit {
    int score;
    Command command;
  };
  std::vector<Hit> hits;
  auto consider = [&](int bonus, const QString& name, const QString& detail, const QString& icon, auto run) {
    const int score = fitness(name, words);
    if (score > 0) hits.push_back({score + bonus, {name, detail, icon, run}});
  };
  for (auto& c : commands_) {
    if (!c.searched || !words.isEmpty()) consider(c.searched ? 1000 : 3000, c.text, c.detail, c.icon, c.run);
  }
  auto& state = session_->state;
  auto go = [this](Subject s) { return [this, s] { open_(s); }; };
  for (auto& app : session_->map.apps()) {
    if (app.listed)
      consider(2000, app.name, tr("application, %1 of %2 ready").arg(app.ready).arg(app.wanted),
               QStringLiteral("apps"), go({Subject::Kind::App, app.key}));
  }
  for (auto& card : session_->map.cards()) {
    if (card.used && !card.key.isEmpty())
      consider(1500, card.key, tr("machine, %n pod(s)", nullptr, card.pods), QStringLiteral("machine"),
               go({Subject::Kind::Machine, card.key}));
  }
  if (!words.isEmpty()) {
    for (auto& [key, pod] : state.pods()) {
      const int score = fitness(pod.name, words);
      if (score == 0) continue;
      const QString where = pod.node.isEmpty()
                                ? words::podState(pod.state)
                                : tr("pod on %1, %2").arg(pod.node, words::podState(pod.state).toLower());
      hits.push_back({score, {pod.name, where, QStringLiteral("pod"), go({Subject::Kind::Pod, key})}});
    }
  }
  const size_t keep = std::min<size_t>(hits.size(), kMax);
  std::partial_sort(hits.begin(), hits.begin() + std::ptrdiff_t(keep), hits.end(), [](auto& a, auto& b) {
    return a.score != b.score ? a.score > b.score : a.command.text < b.command.text;
  });
  beginResetModel();
  found_.clear();
  for (size_t i = 0; i < keep; ++i) found_ << std::move(hits[i].command);
  endResetModel();
}

void PaletteModel::run(int row) {
  if (row >= 0 && row < found_.size()) std::function<void()>(found_[row].run)();
}

int PaletteModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(found_.size());
}

QVariant PaletteModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= found_.size()) return {};
  auto& c = found_[index.row()];
  switch (role) {
    case Qt::DisplayRole:
      return c.text;
    case DetailRole:
      return c.detail;
    case IconRole:
      return c.icon;
    default:
      return {};
  }
}

}  // namespace ph::models
