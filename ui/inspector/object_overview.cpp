#include "ui/inspector/object_overview.h"

#include <QDateTime>
#include <algorithm>

#include "engine/base/time.h"
#include "models/json_read.h"

namespace ph::ui {

using models::ObjectRef;
using models::Subject;
namespace json = models::json;
namespace words = models::words;

namespace {

constexpr size_t kMostFacts = 24;

// "readyReplicas" as people read it: "Ready replicas".
QString wordsOf(std::string_view key) {
  QString out;
  const QString k = QString::fromUtf8(key.data(), qsizetype(key.size()));
  for (int i = 0; i < k.size(); ++i) {
    const bool begins = k[i].isUpper() && i > 0 && (k[i - 1].isLower() || (i + 1 < k.size() && k[i + 1].isLower()));
    if (begins) out += ' ';
    const bool word = begins && i + 1 < k.size() && k[i + 1].isLower();
    out += i == 0 ? k[i].toUpper() : word ? k[i].toLower() : k[i];
  }
  return out;
}

// Plain values of an object, and of the objects in it one step down.
void scalars(const boost::json::value* v, std::vector<Fact>& out, int depth, const QString& before = {}) {
  if (!v || !v->is_object()) return;
  for (auto& [key, value] : v->get_object()) {
    if (out.size() >= kMostFacts) return;
    const QString name = before.isEmpty() ? wordsOf(key) : before + QStringLiteral(" · ") + wordsOf(key).toLower();
    if (value.is_object() && depth > 0) {
      scalars(&value, out, depth - 1, name);
    } else if (value.is_array()) {
      QStringList texts;
      for (auto& item : value.get_array()) {
        const QString t = json::text(&item);
        if (!t.isEmpty()) texts << t;
      }
      if (!texts.isEmpty()) out.push_back({name, texts.join(QStringLiteral(", ")), true});
    } else if (const QString text = json::text(&value); !text.isEmpty()) {
      out.push_back({name, text, true});
    } else if (value.is_double()) {
      out.push_back({name, QString::number(value.get_double()), true});
    }
  }
}

}  // namespace

ObjectOverview::ObjectOverview(models::Session* session, QWidget* parent) : OverviewPage(session, parent) {
  state_ = label({}, "muted", this);
  state_->setWordWrap(true);
  column()->addWidget(state_);
  facts_ = new FactRows(this);
  column()->addWidget(facts_);
  auto part = [this](const QString& title, QLabel*& head, FactRows*& rows) {
    gap(space::m);
    head = section(title);
    rows = new FactRows(this);
    column()->addWidget(rows);
  };
  part(tr("Conditions"), conditionsTitle_, conditions_);
  part(tr("Says of itself"), moreTitle_, more_);
  part(tr("Labels"), labelsTitle_, labels_);
  gap(space::l);
  remove_ = button(tr("Delete…"), "danger", this);
  column()->addWidget(remove_, 0, Qt::AlignLeft);
  command_ = command();
  column()->addStretch();
  connect(remove_, &QPushButton::clicked, this, [this] { emit removeWanted(object_.ref().subject()); });
  connect(&object_, &models::ObjectWatch::changed, this, [this] {
    refresh();
    emit changed();
  });
  connect(session, &models::Session::connectionChanged, this, [this] {
    if (!session_->client()) object_.stop();
  });
}

void ObjectOverview::show(const QString& key) {
  const ObjectRef ref = ObjectRef::of(key);
  if (!(ref == object_.ref())) object_.follow(*session_, ref);
  refresh();
}

void ObjectOverview::refresh() {
  using Phase = models::ObjectWatch::Phase;
  const ObjectRef& ref = object_.ref();
  const auto* tree = object_.tree().get();
  QString state;
  switch (object_.phase()) {
    case Phase::Idle:
    case Phase::Loading:
      state = tree ? QString() : tr("Reading…");
      break;
    case Phase::Live:
      break;
    case Phase::Gone:
      state = tree ? tr("It is gone. This is what it was.") : tr("There is none of this name.");
      break;
    case Phase::Offline:
      state = object_.problem().isEmpty() ? tr("Not connected.") : tr("The engine does not answer: %1").arg(object_.problem());
      break;
  }
  state_->setText(state);
  state_->setVisible(!state.isEmpty());
  std::vector<Fact> facts{{tr("Kind"), ref.kind}, {tr("API"), ref.kindRef().apiVersion(), true}};
  if (!ref.ns.isEmpty()) facts.push_back({tr("Namespace"), ref.ns, true});
  if (auto created = parseTime(json::view(tree, {"metadata", "creationTimestamp"}))) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(created->time_since_epoch()).count();
    facts.push_back({tr("Created"), words::ago(session_->state.now() - ms)});
  }
  if (!json::view(tree, {"metadata", "deletionTimestamp"}).empty()) facts.push_back({tr("Leaving"), tr("waits for its finalizers"), false, Tone::Warn});
  facts_->set(std::move(facts));

  std::vector<Fact> conditions;
  for (auto& c : json::list(tree, {"status", "conditions"})) {
    const QString status = json::text(&c, {"status"}), reason = json::text(&c, {"reason"});
    // Which way is good depends on the name: what tells of trouble is good when it is false.
    const QString type = json::text(&c, {"type"});
    const bool trouble = type.contains(u"Fail") || type.contains(u"Pressure") || type.contains(u"Unavailable") || type.contains(u"Degraded") || type.contains(u"Stalled");
    const bool good = (status == u"True") != trouble;
    conditions.push_back({wordsOf(type.toStdString()), reason.isEmpty() ? status : reason, false,
                          status == u"Unknown" ? Tone::Warn : good ? Tone::Ok : Tone::Error});
  }
  conditionsTitle_->setVisible(!conditions.empty());
  conditions_->setVisible(!conditions.empty());
  conditions_->set(std::move(conditions));

  std::vector<Fact> more;
  const bool secret = ref.group.isEmpty() && ref.kind == u"Secret";
  for (auto* part : {"data", "binaryData"}) {
    auto* data = json::find(tree, {part});
    if (!data || !data->is_object()) continue;
    for (auto& [key, value] : data->get_object()) {
      const QString text = json::text(&value);
      const auto bytes = secret || part[0] == 'b' ? text.size() * 3 / 4 : text.toUtf8().size();
      const bool whole = !secret && part[0] == 'd' && text.size() <= 48 && !text.contains('\n');
      more.push_back({QString::fromUtf8(key.data(), qsizetype(key.size())), whole ? text : tr("%n byte(s)", nullptr, int(bytes)), whole});
      if (more.size() >= kMostFacts) break;
    }
  }
  if (!secret) {
    scalars(json::find(tree, {"status"}), more, 1);
    if (more.size() < kMostFacts) scalars(json::find(tree, {"spec"}), more, 1);
  }
  for (auto* key : {"type", "provisioner", "reclaimPolicy", "volumeBindingMode", "message", "reason", "value"}) {
    const QString text = json::text(tree, {key});
    if (!text.isEmpty()) more.push_back({wordsOf(key), text, true});
  }
  moreTitle_->setText(secret ? tr("Keys (their values stay hidden)") : tr("Says of itself"));
  moreTitle_->setVisible(!more.empty());
  more_->setVisible(!more.empty());
  more_->set(std::move(more));

  std::vector<Fact> labels;
  if (auto* l = json::find(tree, {"metadata", "labels"}); l && l->is_object()) {
    for (auto& [key, value] : l->get_object()) labels.push_back({QString::fromUtf8(key.data(), qsizetype(key.size())), json::text(&value), true});
  }
  labelsTitle_->setVisible(!labels.empty());
  labels_->setVisible(!labels.empty());
  labels_->set(std::move(labels));
  remove_->setEnabled(object_.phase() == Phase::Live);
  command_->setText(QStringLiteral("kubectl describe %1 %2%3")
                        .arg(ref.kubectlKind(), ref.name, ref.ns.isEmpty() || ref.ns == u"default" ? QString() : QStringLiteral(" -n ") + ref.ns));
}

// ---- related

RelatedPage::RelatedPage(models::Session* session, QWidget* parent)
    : QScrollArea(parent), session_(session), model_(session) {
  setWidgetResizable(true);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::NoFocus);
  setAccessibleName(tr("Related objects"));
  auto* body = new QWidget(this);
  column_ = new QVBoxLayout(body);
  column_->setContentsMargins(space::l, space::m, space::l, space::l);
  column_->setSpacing(space::xs);
  state_ = label({}, "muted", body);
  state_->setWordWrap(true);
  column_->addWidget(state_);
  column_->addStretch();
  setWidget(body);
  connect(&model_, &models::RelatedModel::changed, this, &RelatedPage::refresh);
}

void RelatedPage::show(const Subject& subject) {
  model_.show(subject);
  refresh();
}

void RelatedPage::refresh() {
  using Phase = models::RelatedModel::Phase;
  const auto& groups = model_.groups();
  state_->setText(model_.phase() == Phase::Offline ? (model_.problem().isEmpty() ? tr("Not connected.") : model_.problem())
                  : groups.isEmpty() ? (model_.phase() == Phase::Ready ? tr("It stands alone: nothing owns it, and it names nothing.") : tr("Looking around…"))
                                     : QString());
  state_->setVisible(!state_->text().isEmpty());
  while (lists_.size() < size_t(groups.size())) {
    auto* title = label({}, "muted", widget());
    auto* list = new RowList(widget());
    const int at = column_->count() - 1;
    column_->insertWidget(at, title);
    column_->insertWidget(at + 1, list);
    column_->insertSpacing(at + 2, space::s);
    connect(list, &RowList::activated, this, &RelatedPage::wanted);
    titles_.push_back(title);
    lists_.push_back(list);
  }
  for (size_t i = 0; i < lists_.size(); ++i) {
    const bool used = i < size_t(groups.size());
    titles_[i]->setVisible(used);
    lists_[i]->setVisible(used);
    if (!used) continue;
    const auto& g = groups[qsizetype(i)];
    titles_[i]->setText(g.title);
    lists_[i]->setAccessibleName(g.title);
    std::vector<Row> rows;
    for (auto& r : g.rows) {
      Row row;
      row.subject = r.missing || r.ref.plural.isEmpty() ? Subject{} : models::subjectOf(session_->state, r.ref);
      if (auto* pod = r.ref.kind == u"Pod" ? session_->state.pod(r.ref.ns + '/' + r.ref.name) : nullptr) {
        row = podRow(*session_, *pod, false);
      } else {
        row.text = r.ref.name;
        row.middle = r.detail;
        row.right = r.ref.kind;
        row.color = -1;
        row.dot = r.missing ? Tone::Error : r.tone;
        if (r.missing) row.tone = Tone::Error;
      }
      rows.push_back(row);
    }
    lists_[i]->set(std::move(rows), g.more);
  }
}

}  // namespace ph::ui
