#include "ui/dialogs/drain_dialog.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "ui/map/card_painter.h"

namespace ph::ui {

using models::DrainModel;
using models::Subject;
using Phase = DrainModel::Phase;

namespace {

class FateDelegate : public QStyledItemDelegate {
 public:
  FateDelegate(models::Session* session, QObject* parent) : QStyledItemDelegate(parent), session_(session) {}
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const override {
    return {300, index.data(DrainModel::WhyRole).toString().isEmpty() ? 30 : 48};
  }
  void paint(QPainter* p, const QStyleOptionViewItem& o, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const QRectF r = QRectF(o.rect).adjusted(1, 1, -1, -1);
    paintChosen(*p, r, o, true);
    const Tone tone = Tone(index.data(DrainModel::ToneRole).toInt());
    const int app = session_->map.appIndex(index.data(DrainModel::AppRole).toString());
    auto* pod = session_->state.pod(qvariant_cast<Subject>(index.data(DrainModel::SubjectRole)).key);
    const QRectF in = r.adjusted(space::s, 0, -space::s, 0);
    const QRectF first(in.left(), in.top() + 4, in.width(), 20);
    CardPainter::drawShape(*p, QRectF(first.left(), first.center().y() - 6, 12, 12),
                           pod ? CardPainter::Shape(int(pod->state)) : CardPainter::Shape::Ghost,
                           Theme::get().app(app >= 0 ? session_->map.apps()[app].color : -1));
    const QString step = index.data(DrainModel::StepRole).toString(), to = index.data(DrainModel::ToRole).toString();
    QString right = step;
    if (right.isEmpty()) right = to.isEmpty() ? index.data(DrainModel::FateRole).toString() : QStringLiteral("→ ") + to;
    const QFontMetricsF body(typeface(Text::Body));
    const double rightWidth = std::min(body.horizontalAdvance(right) + 2, first.width() * 0.45);
    p->setFont(typeface(Text::Body));
    p->setPen(Theme::get().textTone(tone));
    p->drawText(QRectF(first.right() - rightWidth, first.top(), rightWidth, first.height()),
                Qt::AlignRight | Qt::AlignVCenter, body.elidedText(right, Qt::ElideMiddle, rightWidth));
    const QFont& mono = typeface(Text::Mono);
    const double nameWidth = first.width() - rightWidth - 34;
    p->setFont(mono);
    p->setPen(colors().text);
    p->drawText(QRectF(first.left() + 22, first.top(), nameWidth, first.height()), Qt::AlignLeft | Qt::AlignVCenter,
                QFontMetricsF(mono).elidedText(index.data().toString(), Qt::ElideMiddle, nameWidth));
    const QString why = index.data(DrainModel::WhyRole).toString();
    if (!why.isEmpty()) {
      const QRectF second(first.left() + 22, first.bottom(), in.width() - 22, 18);
      p->setFont(typeface(Text::Caption));
      p->setPen(colors().muted);
      p->drawText(second, Qt::AlignLeft | Qt::AlignVCenter,
                  QFontMetricsF(typeface(Text::Caption)).elidedText(why, Qt::ElideRight, second.width()));
    }
    p->restore();
  }

 private:
  models::Session* session_;
};

}  // namespace

DrainDialog* openDrainDialog(models::Session* session, const QString& node, QWidget* window) {
  const QString name = QStringLiteral("drain-") + node;
  if (auto* open = window->findChild<DrainDialog*>(name); open && open->isVisible()) {
    open->raise();
    open->activateWindow();
    return open;
  }
  auto* dialog = new DrainDialog(session, node, window);
  dialog->setObjectName(name);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  // Over the panel on the right: the map with its ghosts stays in sight.
  dialog->move(window->mapToGlobal(QPoint(std::max(0, window->width() - dialog->width() - space::l), 72)));
  dialog->show();
  return dialog;
}

DrainDialog::DrainDialog(models::Session* session, const QString& node, QWidget* parent)
    : QDialog(parent), session_(session), model_(session->drain(node)), node_(node) {
  const QString title = tr("What if %1 goes?").arg(node);
  setWindowTitle(title);
  resize(440, 600);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::l, space::l, space::l, space::l);
  all->setSpacing(space::s);
  auto* head = new ElidedLabel(Text::Heading, this, Qt::ElideMiddle);
  head->setText(title);
  all->addWidget(head);
  summary_ = label({}, nullptr, this);
  summary_->setObjectName(QStringLiteral("summary"));
  summary_->setWordWrap(true);
  all->addWidget(summary_);
  problem_ = label({}, "warn", this);
  problem_->setWordWrap(true);
  all->addWidget(problem_);
  progress_ = new QProgressBar(this);
  progress_->setTextVisible(false);
  progress_->setAccessibleName(tr("Pods that are gone"));
  all->addWidget(progress_);
  list_ = new QListView(this);
  list_->setModel(model_);
  list_->setItemDelegate(new FateDelegate(session, list_));
  list_->setMouseTracking(true);
  list_->setAccessibleName(tr("Pods of %1").arg(node));
  all->addWidget(list_, 1);
  lose_ = new QCheckBox(this);
  lose_->setObjectName(QStringLiteral("lose"));
  all->addWidget(lose_);
  hint_ = label({}, "caption", this);
  hint_->setWordWrap(true);
  all->addWidget(hint_);
  command_ = new CodeBox(this);
  all->addWidget(command_);
  auto* foot = new QHBoxLayout;
  foot->setSpacing(space::s);
  uncordon_ = button(tr("Take new pods"), nullptr, this);
  uncordon_->setObjectName(QStringLiteral("uncordon"));
  again_ = button(tr("Look again"), nullptr, this);
  again_->setObjectName(QStringLiteral("again"));
  cancel_ = button(tr("Stop draining"), nullptr, this);
  cancel_->setObjectName(QStringLiteral("cancelDrain"));
  drain_ = button(tr("Drain"), "primary", this);
  drain_->setObjectName(QStringLiteral("drain"));
  auto* close = button(tr("Close"), nullptr, this);
  foot->addWidget(uncordon_);
  foot->addWidget(again_);
  foot->addStretch();
  foot->addWidget(close);
  foot->addWidget(cancel_);
  foot->addWidget(drain_);
  all->addLayout(foot);
  connect(close, &QPushButton::clicked, this, &QDialog::close);
  connect(drain_, &QPushButton::clicked, this, [this] {
    if (model_) model_->start();
  });
  connect(cancel_, &QPushButton::clicked, this, [this] {
    if (model_) model_->cancel();
  });
  connect(again_, &QPushButton::clicked, this, [this] {
    if (model_) model_->preview(session_->client(), node_);
  });
  connect(uncordon_, &QPushButton::clicked, this, [this] {
    if (model_) model_->cancel();
    session_->actions.cordon(node_, false);
  });
  connect(lose_, &QCheckBox::toggled, this, [this](bool on) {
    if (model_) model_->setLose(on);
  });
  connect(list_, &QListView::activated, this, [this](const QModelIndex& index) {
    emit wanted(qvariant_cast<Subject>(index.data(DrainModel::SubjectRole)));
  });
  connect(model_, &DrainModel::changed, this, &DrainDialog::refresh);
  connect(model_, &QObject::destroyed, this, &QDialog::close);
  connect(&session->state, &models::ClusterState::changed, this, [this](const models::ChangeSet& changes) {
    if (!changes.nodes.empty()) refresh();
  });
  connect(&Theme::get(), &Theme::changed, list_->viewport(), [this] { list_->viewport()->update(); });
  if (model_->phase() != Phase::Draining) model_->preview(session->client(), node);
  lose_->setChecked(model_->lose());
  refresh();
  list_->setFocus();
}

DrainDialog::~DrainDialog() {
  showGhosts(false);
}

void DrainDialog::showGhosts(bool on) {
  QHash<QString, QStringList> come;
  QSet<QString> go;
  if (on && model_) {
    auto ghosts = model_->ghosts();
    for (auto it = ghosts.begin(); it != ghosts.end(); ++it) {
      auto* machine = session_->state.machineOfNode(it.key());
      come[machine ? machine->key : it.key()] += it.value();
    }
    for (auto& p : model_->pods()) {
      if (p.fate != models::Fate::Stays && p.step == models::DrainPod::Step::None) go.insert(p.pod);
    }
  }
  session_->map.setGhosts(come, go);
}

void DrainDialog::refresh() {
  if (!model_) return;
  const Phase phase = model_->phase();
  const int leaving = model_->leaving(), gone = model_->gone();
  const bool draining = phase == Phase::Draining;
  auto* node = session_->state.node(node_);
  QString summary = model_->summary();
  switch (phase) {
    case Phase::Asking:
      summary = tr("Asking the scheduler where the pods would go…");
      break;
    case Phase::Draining:
      summary = tr("Draining: %1 of %2 are gone. No new pods come here.").arg(gone).arg(leaving);
      break;
    case Phase::Cancelled:
      summary = tr("Stopped: %1 of %2 are gone, the others stay. Still no new pods come here.").arg(gone).arg(leaving);
      break;
    case Phase::Done:
      summary = tr("Drained: all %n pod(s) are gone. No new pods come here until it takes them again.", nullptr, leaving);
      break;
    default:
      break;
  }
  summary_->setText(summary);
  problem_->setText(model_->problem());
  problem_->setVisible(!model_->problem().isEmpty());
  progress_->setVisible(draining || phase == Phase::Cancelled);
  progress_->setRange(0, std::max(1, leaving));
  progress_->setValue(gone);
  const int lost = model_->count(models::Fate::Lost);
  lose_->setVisible(lost > 0 && phase != Phase::Done);
  lose_->setEnabled(!draining);
  lose_->setText(tr("Also stop the %n pod(s) that nothing makes again", nullptr, lost));
  QString hint;
  if (phase == Phase::Previewed && leaving > 0)
    hint = tr("The ghosts on the map show the same. Draining keeps new pods off and moves these, a few at a time, "
              "as the disruption budgets allow.");
  hint_->setText(hint);
  hint_->setVisible(!hint.isEmpty());
  command_->setText(model_->command());
  drain_->setVisible(!draining && phase != Phase::Done);
  drain_->setEnabled(node && leaving > 0 && phase != Phase::Asking);
  drain_->setText(phase == Phase::Cancelled || phase == Phase::Failed ? tr("Drain on") : tr("Drain"));
  setRole(drain_, model_->lose() && lost > 0 ? "danger" : "primary");
  cancel_->setVisible(draining);
  uncordon_->setVisible(node && node->cordoned);
  uncordon_->setToolTip(models::kubectl::cordon(node_, false));
  again_->setVisible(!draining && phase != Phase::Asking);
  showGhosts(phase == Phase::Asking || phase == Phase::Previewed);
}

}  // namespace ph::ui
