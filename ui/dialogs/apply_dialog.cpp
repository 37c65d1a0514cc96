#include "ui/dialogs/apply_dialog.h"

#include <QCloseEvent>
#include <QHBoxLayout>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

namespace ph::ui {

using models::ApplyModel;
using Phase = ApplyModel::Phase;
using What = models::ApplyRow::What;

namespace {

// "Deployment  shop-web                changes"
// "shop/web.yaml:12"
class ApplyDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {300, 46}; }
  void paint(QPainter* p, const QStyleOptionViewItem& o, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const QRectF r = QRectF(o.rect).adjusted(1, 1, -1, -1);
    paintChosen(*p, r, o);
    const Tone tone = Tone(index.data(ApplyModel::ToneRole).toInt());
    const QRectF in = r.adjusted(space::m, 4, -space::s, -4);
    const QRectF first(in.left(), in.top(), in.width(), 19), second(in.left(), in.top() + 19, in.width(), 17);
    p->setPen(Qt::NoPen);
    p->setBrush(Theme::get().tone(tone));
    p->drawRoundedRect(QRectF(r.left() + 2, r.top() + 5, 3, r.height() - 10), 1.5, 1.5);
    const QFontMetricsF body(typeface(Text::Body)), mono(typeface(Text::Mono)), caption(typeface(Text::Caption));
    const QString what = index.data(ApplyModel::WhatRole).toString(), kind = index.data(ApplyModel::KindRole).toString();
    const double whatWidth = body.horizontalAdvance(what) + 2;
    p->setFont(typeface(Text::Body));
    p->setPen(Theme::get().textTone(tone));
    p->drawText(first, Qt::AlignRight | Qt::AlignVCenter, what);
    const double kindWidth = kind.isEmpty() ? 0.0 : std::min(body.horizontalAdvance(kind) + 10, first.width() * 0.4);
    p->setPen(colors().muted);
    p->drawText(QRectF(first.left(), first.top(), kindWidth, first.height()), Qt::AlignLeft | Qt::AlignVCenter,
                body.elidedText(kind, Qt::ElideRight, kindWidth - 8));
    const double nameWidth = first.width() - kindWidth - whatWidth - 8;
    p->setFont(typeface(Text::Mono));
    p->setPen(colors().text);
    p->drawText(QRectF(first.left() + kindWidth, first.top(), nameWidth, first.height()),
                Qt::AlignLeft | Qt::AlignVCenter, mono.elidedText(index.data().toString(), Qt::ElideMiddle, nameWidth));
    const QString words = index.data(ApplyModel::WordsRole).toString().replace('\n', ' ');
    const QString place = index.data(ApplyModel::PlaceRole).toString();
    const double placeWidth = std::min(caption.horizontalAdvance(place) + 2, second.width() * 0.5);
    p->setFont(typeface(Text::Caption));
    p->setPen(colors().muted);
    p->drawText(QRectF(second.right() - placeWidth, second.top(), placeWidth, second.height()),
                Qt::AlignRight | Qt::AlignVCenter, caption.elidedText(place, Qt::ElideMiddle, placeWidth));
    const double wordsWidth = second.width() - placeWidth - 8;
    p->setPen(tone == Tone::Error ? colors().errorText : colors().muted);
    p->drawText(QRectF(second.left(), second.top(), wordsWidth, second.height()), Qt::AlignLeft | Qt::AlignVCenter,
                caption.elidedText(words, Qt::ElideRight, wordsWidth));
    p->restore();
  }
};

}  // namespace

ApplyDialog::ApplyDialog(models::Session* session, const QStringList& paths, QWidget* parent)
    : QDialog(parent), session_(session), model_(&session->state, &session->actions) {
  setWindowTitle(tr("Apply manifests"));
  resize(1000, 640);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::xl, space::l, space::xl, space::l);
  all->setSpacing(space::s);
  auto* head = new QHBoxLayout;
  head->setSpacing(space::s);
  head->addWidget(label(tr("Apply manifests"), "title", this));
  head->addStretch();
  auto* nsLabel = label(tr("Namespace, where none is named"), "muted", this);
  namespace_ = new QLineEdit(model_.ns(), this);
  namespace_->setObjectName(QStringLiteral("namespace"));
  namespace_->setFixedWidth(160);
  nsLabel->setBuddy(namespace_);
  namespace_->setAccessibleName(nsLabel->text());
  head->addWidget(nsLabel);
  head->addWidget(namespace_);
  all->addLayout(head);
  summary_ = label({}, nullptr, this);
  summary_->setObjectName(QStringLiteral("summary"));
  summary_->setWordWrap(true);
  all->addWidget(summary_);
  notes_ = label({}, "caption", this);
  notes_->setWordWrap(true);
  all->addWidget(notes_);
  progress_ = new QProgressBar(this);
  progress_->setTextVisible(false);
  progress_->setAccessibleName(tr("Objects applied"));
  all->addWidget(progress_);
  auto* columns = new QHBoxLayout;
  columns->setSpacing(space::l);
  all->addLayout(columns, 1);
  list_ = new QListView(this);
  list_->setModel(&model_);
  list_->setItemDelegate(new ApplyDelegate(list_));
  list_->setUniformItemSizes(true);
  list_->setAccessibleName(tr("Objects"));
  columns->addWidget(list_, 5);
  auto* right = new QVBoxLayout;
  right->setSpacing(space::xs);
  place_ = label({}, "muted", this);
  place_->setWordWrap(true);
  right->addWidget(place_);
  words_ = label({}, "error", this);
  words_->setWordWrap(true);
  words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  right->addWidget(words_);
  diff_ = new DiffView(this);
  right->addWidget(diff_, 1);
  columns->addLayout(right, 6);
  command_ = new CodeBox(this);
  all->addWidget(command_);
  auto* foot = new QHBoxLayout;
  foot->setSpacing(space::s);
  again_ = button(tr("Check again"), nullptr, this);
  close_ = button(tr("Cancel"), nullptr, this);
  close_->setObjectName(QStringLiteral("close"));
  apply_ = button(tr("Apply"), "primary", this);
  apply_->setObjectName(QStringLiteral("apply"));
  apply_->setDefault(true);
  foot->addWidget(again_);
  foot->addStretch();
  foot->addWidget(close_);
  foot->addWidget(apply_);
  all->addLayout(foot);

  typed_.setSingleShot(true);
  typed_.setInterval(400);
  connect(&typed_, &QTimer::timeout, this, [this] {
    const QString ns = namespace_->text().trimmed();
    model_.setNamespace(ns.isEmpty() ? QStringLiteral("default") : ns);
  });
  connect(namespace_, &QLineEdit::textEdited, this, [this] { typed_.start(); });
  connect(apply_, &QPushButton::clicked, &model_, &ApplyModel::apply);
  connect(again_, &QPushButton::clicked, this, [this, paths] {
    model_.read(session_->client(), session_->executor(), paths);
  });
  connect(close_, &QPushButton::clicked, this, &ApplyDialog::reject);
  connect(&model_, &ApplyModel::changed, this, &ApplyDialog::refresh);
  connect(&model_, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex& from, const QModelIndex& to) {
    const int row = list_->currentIndex().row();
    if (from.row() <= row && row <= to.row()) showRow();
    if (model_.phase() == Phase::Applying) list_->scrollTo(from);
  });
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, &ApplyDialog::showRow);
  model_.read(session->client(), session->executor(), paths);
  refresh();
  list_->setFocus();
}

void ApplyDialog::reject() {
  // While it applies, the button and Escape stop it; what is done stays done, and is shown.
  if (model_.phase() == Phase::Applying)
    model_.cancel();
  else
    QDialog::reject();
}

void ApplyDialog::closeEvent(QCloseEvent* event) {
  if (model_.phase() == Phase::Applying) {
    model_.cancel();
    event->ignore();
    return;
  }
  QDialog::closeEvent(event);
}

void ApplyDialog::refresh() {
  const Phase phase = model_.phase();
  if (!list_->currentIndex().isValid() && model_.rowCount() > 0) list_->setCurrentIndex(model_.index(0));
  summary_->setText(model_.summary());
  notes_->setText(model_.notes().join(QStringLiteral("  ")));
  notes_->setVisible(!model_.notes().isEmpty());
  progress_->setVisible(phase == Phase::Applying);
  progress_->setRange(0, std::max(1, model_.rowCount()));
  progress_->setValue(model_.settled());
  command_->setText(model_.command());
  namespace_->setEnabled(phase != Phase::Applying && phase != Phase::Done);
  const int wrong = model_.count(What::Wrong), good = model_.rowCount() - wrong;
  apply_->setVisible(phase != Phase::Done && phase != Phase::Applying);
  apply_->setEnabled(phase == Phase::Checked && good > 0);
  apply_->setText(wrong > 0 && good > 0 ? tr("Apply the other %n", nullptr, good) : tr("Apply"));
  again_->setVisible(phase == Phase::Checked || phase == Phase::Done);
  close_->setText(phase == Phase::Applying ? tr("Stop") : phase == Phase::Done ? tr("Close") : tr("Cancel"));
  showRow();
}

void ApplyDialog::showRow() {
  const int at = list_->currentIndex().row();
  if (at < 0 || at >= model_.rowCount()) {
    place_->clear();
    words_->clear();
    words_->hide();
    diff_->show({}, model_.phase() == Phase::Reading ? QString() : tr("Nothing to apply."));
    return;
  }
  auto& r = model_.row(at);
  const QModelIndex index = model_.index(at);
  place_->setText(r.archive.isEmpty() ? tr("%1 %2, from %3").arg(r.doc.kind, index.data().toString(), index.data(ApplyModel::PlaceRole).toString()).trimmed() : r.archive);
  const QString words = index.data(ApplyModel::WordsRole).toString();
  words_->setText(words);
  words_->setVisible(!words.isEmpty());
  const char* role = r.what == What::Wrong || r.what == What::Failed ? "error" : !r.takes.isEmpty() ? "warn" : "muted";
  if (words_->property("role").toString() != QLatin1String(role)) setRole(words_, role);
  QString empty;
  if (!r.archive.isEmpty())
    empty = tr("Its images are known to the cluster without a registry, by the names inside.");
  else if (r.what == What::Wrong || r.what == What::Later || r.what == What::LeftOut)
    empty = tr("Nothing can be compared yet.");
  else if (r.what == What::Checking)
    empty = tr("Asking…");
  else
    empty = tr("It is already so.");
  diff_->show(r.diff.same() ? models::TextDiff{} : r.diff, empty);
}

}  // namespace ph::ui
