#include "ui/dialogs/rollout_dialogs.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QPointer>
#include <QStyledItemDelegate>

namespace ph::ui {

using models::ContainerImage;
using models::RolloutModel;
namespace words = models::words;

namespace {

class RevisionDelegate : public QStyledItemDelegate {
 public:
  RevisionDelegate(models::ClusterState* state, QObject* parent) : QStyledItemDelegate(parent), state_(state) {}
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const override {
    return {200, index.data(RolloutModel::CauseRole).toString().isEmpty() ? 48 : 64};
  }
  void paint(QPainter* p, const QStyleOptionViewItem& o, const QModelIndex& index) const override {
    p->save();
    p->setRenderHint(QPainter::Antialiasing);
    const QRectF r = QRectF(o.rect).adjusted(1, 1, -1, -1);
    paintChosen(*p, r, o);
    const QRectF in = r.adjusted(space::m, 6, -space::m, -6);
    const double line = 18;
    p->setFont(typeface(Text::BodyStrong));
    p->setPen(colors().text);
    p->drawText(QRectF(in.left(), in.top(), in.width(), line), Qt::AlignLeft | Qt::AlignVCenter,
                index.data().toString());
    const bool current = index.data(RolloutModel::CurrentRole).toBool();
    const int pods = index.data(RolloutModel::PodsRole).toInt();
    QString right = current ? RevisionsDialog::tr("now")
                            : words::ago(state_->now() - index.data(RolloutModel::CreatedRole).toLongLong());
    if (pods > 0) right = RevisionsDialog::tr("%1, %n pod(s)", nullptr, pods).arg(right);
    p->setFont(typeface(Text::Caption));
    p->setPen(current ? colors().okText : colors().muted);
    p->drawText(QRectF(in.left(), in.top(), in.width(), line), Qt::AlignRight | Qt::AlignVCenter, right);
    auto below = [&](int row, const QFont& font, const QString& text, Qt::TextElideMode mode) {
      p->setFont(font);
      p->setPen(colors().muted);
      p->drawText(QRectF(in.left(), in.top() + row * line, in.width(), line), Qt::AlignLeft | Qt::AlignVCenter,
                  QFontMetricsF(font).elidedText(text, mode, in.width()));
    };
    below(1, typeface(Text::MonoSmall),
          index.data(RolloutModel::ImagesRole).toStringList().join(QStringLiteral(", ")), Qt::ElideMiddle);
    const QString cause = index.data(RolloutModel::CauseRole).toString();
    if (!cause.isEmpty()) below(2, typeface(Text::Caption), cause, Qt::ElideRight);
    p->restore();
  }

 private:
  models::ClusterState* state_;
};

template <class T>
void openOnce(models::Session* session, const QString& app, QWidget* parent) {
  auto* dialog = new T(session, app, parent);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->open();
}

}  // namespace

void openImageDialog(models::Session* session, const QString& app, QWidget* parent) {
  openOnce<ImageDialog>(session, app, parent);
}
void openRevisionsDialog(models::Session* session, const QString& app, QWidget* parent) {
  openOnce<RevisionsDialog>(session, app, parent);
}

// ---- the next image

ImageDialog::ImageDialog(models::Session* session, const QString& app, QWidget* parent)
    : QDialog(parent), session_(session), app_(app) {
  const QString title = tr("A new image for %1").arg(models::appName(app));
  setWindowTitle(title);
  setMinimumWidth(520);
  setMaximumWidth(720);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::xl, space::l, space::xl, space::l);
  all->setSpacing(space::m);
  auto* head = label(title, "heading", this);
  head->setWordWrap(true);
  all->addWidget(head);
  auto* how = label(tr("New copies start beside the old ones, and take over as they become ready. The revision "
                       "before stays for undo."),
                    "muted", this);
  how->setWordWrap(true);
  all->addWidget(how);
  fields_ = new Form(this);
  if (auto* w = session->state.workload(app)) containers_ = models::containersOf(*w);
  for (auto& c : containers_) {
    auto* edit = new QLineEdit(c.image, fields_);
    edit->setFont(typeface(Text::Mono));
    edit->setObjectName(QStringLiteral("image-") + c.name);
    fields_->add(c.name, c.init ? tr("%1 (runs first)").arg(c.name) : c.name, edit, tr("Now: %1").arg(c.image));
    connect(edit, &QLineEdit::textChanged, this, &ImageDialog::refresh);
    edits_ << edit;
  }
  all->addWidget(fields_);
  all->addWidget(label(tr("What this does"), "muted", this));
  command_ = new CodeBox(this);
  all->addWidget(command_);
  failure_ = label({}, "error", this);
  failure_->setWordWrap(true);
  all->addWidget(failure_);
  all->addStretch();
  auto* foot = new QHBoxLayout;
  foot->addStretch();
  auto* cancel = button(tr("Cancel"), nullptr, this);
  submit_ = submitButton(tr("Roll out"), this);
  foot->addWidget(cancel);
  foot->addWidget(submit_);
  all->addLayout(foot);
  connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
  connect(submit_, &QPushButton::clicked, this, &ImageDialog::submit);
  connect(fields_, &Form::left, this, &ImageDialog::refresh);
  if (!edits_.isEmpty()) {
    // The tag is what changes most.
    const int colon = int(edits_[0]->text().lastIndexOf(':'));
    edits_[0]->setFocus();
    if (colon > edits_[0]->text().lastIndexOf('/'))
      edits_[0]->setSelection(colon + 1, int(edits_[0]->text().size()));
  }
  refresh();
}

QList<ContainerImage> ImageDialog::changed() const {
  QList<ContainerImage> out;
  for (int i = 0; i < containers_.size(); ++i) {
    ContainerImage c = containers_[i];
    c.image = edits_[i]->text().trimmed();
    if (c.image != containers_[i].image) out << c;
  }
  return out;
}

void ImageDialog::refresh() {
  QList<models::FieldProblem> problems;
  for (auto& c : changed()) {
    const QString problem = models::imageProblem(c.image);
    if (!problem.isEmpty()) problems.append({c.name, problem});
  }
  fields_->showProblems(problems, tried_);
  QList<QPair<QString, QString>> images;
  for (auto& c : changed()) images.append({c.name, c.image});
  command_->setText(images.isEmpty() ? tr("Nothing yet: every image is as it was.")
                                     : models::kubectl::setImage(app_, images));
  submit_->setEnabled(!busy_ && !images.isEmpty() && (!tried_ || problems.isEmpty()));
}

void ImageDialog::submit() {
  tried_ = true;
  failure_->clear();
  refresh();
  const auto images = changed();
  for (auto& c : images) {
    if (!models::imageProblem(c.image).isEmpty()) return;
  }
  busy_ = true;
  refresh();
  QPointer<ImageDialog> self(this);
  session_->actions.setImage(app_, images, [self](const Result<>& r) {
    if (!self) return;
    self->busy_ = false;
    self->refresh();
    if (r.ok()) return self->accept();
    self->failure_->setText(models::Actions::explain(r.status()));
  });
}

// ---- the past ones

RevisionsDialog::RevisionsDialog(models::Session* session, const QString& app, QWidget* parent)
    : QDialog(parent), session_(session), app_(app), model_(&session->state) {
  const QString title = tr("Revisions of %1").arg(models::appName(app));
  setWindowTitle(title);
  resize(900, 560);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::xl, space::l, space::xl, space::l);
  all->setSpacing(space::m);
  auto* head = new ElidedLabel(Text::Title, this, Qt::ElideMiddle);
  head->setText(title);
  all->addWidget(head);
  auto* columns = new QHBoxLayout;
  columns->setSpacing(space::l);
  all->addLayout(columns, 1);
  auto* left = new QVBoxLayout;
  list_ = new QListView(this);
  list_->setModel(&model_);
  list_->setItemDelegate(new RevisionDelegate(&session->state, list_));
  list_->setAccessibleName(tr("Revisions"));
  list_->setSpacing(1);
  left->addWidget(list_, 1);
  state_ = label({}, "muted", this);
  state_->setWordWrap(true);
  left->addWidget(state_);
  columns->addLayout(left, 3);
  auto* right = new QVBoxLayout;
  right->setSpacing(space::xs);
  title_ = label({}, "strong", this);
  title_->setWordWrap(true);
  right->addWidget(title_);
  diff_ = new DiffView(this);
  right->addWidget(diff_, 1);
  note_ = label({}, "warn", this);
  note_->setWordWrap(true);
  right->addWidget(note_);
  command_ = new CodeBox(this);
  right->addWidget(command_);
  columns->addLayout(right, 5);
  auto* foot = new QHBoxLayout;
  foot->setSpacing(space::s);
  failure_ = label({}, "error", this);
  failure_->setWordWrap(true);
  foot->addWidget(failure_, 1);
  auto* close = button(tr("Close"), nullptr, this);
  undo_ = button({}, "primary", this);
  undo_->setObjectName(QStringLiteral("undo"));
  foot->addWidget(close);
  foot->addWidget(undo_);
  all->addLayout(foot);
  connect(close, &QPushButton::clicked, this, &QDialog::accept);
  connect(undo_, &QPushButton::clicked, this, &RevisionsDialog::undo);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, &RevisionsDialog::refresh);
  connect(&model_, &RolloutModel::loaded, this, [this] {
    // The one before the current is what people come for.
    if (!list_->currentIndex().isValid() && model_.rowCount() > 0)
      list_->setCurrentIndex(model_.index(std::min(1, model_.rowCount() - 1)));
    refresh();
  });
  connect(&session->state, &models::ClusterState::changed, this, [this](const models::ChangeSet& changes) {
    for (auto& c : changes.workloads) {
      if (c.any().key == app_) refresh();
    }
  });
  model_.follow(session->client(), app);
  refresh();
  list_->setFocus();
}

void RevisionsDialog::refresh() {
  const int row = list_->currentIndex().row();
  auto* w = session_->state.workload(app_);
  const bool failed = model_.state() == RolloutModel::State::Failed;
  QString state;
  if (failed)
    state = model_.problem();
  else if (model_.state() == RolloutModel::State::Loading && model_.rowCount() == 0)
    state = tr("Asking for the revisions…");
  else if (model_.rowCount() == 0)
    state = tr("No revision is kept.");
  else if (model_.rowCount() == 1)
    state = tr("This is the only revision so far.");
  state_->setText(state);
  state_->setVisible(!state.isEmpty());
  setRole(state_, failed ? "error" : "muted");
  const bool any = row >= 0 && row < model_.rowCount();
  const bool current = any && model_.revision(row).current;
  title_->setText(!any      ? QString()
                  : current ? tr("This is what runs now.")
                            : tr("What undoing to revision %1 changes").arg(model_.revision(row).number));
  diff_->show(any && !current ? model_.diff(row) : models::TextDiff{},
              !any      ? tr("Choose a revision.")
              : current ? tr("Choose an older revision to see what going back to it changes.")
                        : tr("Its pods are the same as those of now."));
  command_->setVisible(any && !current);
  if (any) command_->setText(models::kubectl::undo(app_, model_.revision(row).number));
  const bool paused = w && w->paused;
  note_->setText(paused ? tr("It is paused: nothing is undone before it is resumed.") : QString());
  note_->setVisible(paused);
  undo_->setText(any && !current ? tr("Undo to revision %1").arg(model_.revision(row).number) : tr("Undo"));
  undo_->setEnabled(any && !current && !paused && !busy_ && w);
}

void RevisionsDialog::undo() {
  const int row = list_->currentIndex().row();
  if (row < 0 || row >= model_.rowCount()) return;
  busy_ = true;
  failure_->clear();
  refresh();
  QPointer<RevisionsDialog> self(this);
  session_->actions.undo(app_, model_.revision(row), [self](const Result<>& r) {
    if (!self) return;
    self->busy_ = false;
    if (r.ok()) return self->accept();
    self->failure_->setText(models::Actions::explain(r.status()));
    self->refresh();
  });
}

}  // namespace ph::ui
