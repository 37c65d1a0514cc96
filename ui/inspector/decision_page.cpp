#include "ui/inspector/decision_page.h"

#include <QVBoxLayout>

namespace ph::ui {

using models::DecisionModel;
using models::Subject;

DecisionPage::DecisionPage(models::Session* session, QWidget* parent)
    : QWidget(parent), session_(session), model_(&session->state) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space::l, space::m, space::l, space::l);
  layout->setSpacing(space::s);
  summary_ = label({}, "strong", this);
  summary_->setWordWrap(true);
  layout->addWidget(summary_);
  remedyPart_ = new QWidget(this);
  auto* remedy = new QVBoxLayout(remedyPart_);
  remedy->setContentsMargins(0, 0, 0, 0);
  remedy->setSpacing(space::xs);
  remedy->addWidget(label(tr("The smallest change that would let it fit"), "caption", remedyPart_));
  remedy_ = label({}, nullptr, remedyPart_);
  remedy_->setWordWrap(true);
  remedy_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  remedy->addWidget(remedy_);
  remedyCommand_ = new CodeBox(remedyPart_);
  remedy->addWidget(remedyCommand_);
  uncordon_ = button({}, nullptr, remedyPart_);
  uncordon_->setObjectName(QStringLiteral("uncordon"));
  remedy->addWidget(uncordon_, 0, Qt::AlignLeft);
  layout->addWidget(remedyPart_);
  matrix_ = new DecisionMatrix(&model_, this);
  layout->addWidget(matrix_, 1);
  more_ = label({}, "caption", this);
  more_->setWordWrap(true);
  layout->addWidget(more_);
  command_ = new CodeBox(this);
  layout->addWidget(command_);
  connect(&model_, &DecisionModel::changed, this, &DecisionPage::tell);
  connect(matrix_, &DecisionMatrix::pointed, this, &DecisionPage::pointed);
  connect(matrix_, &DecisionMatrix::activated, this, [this](const QString& node) {
    auto* machine = session_->state.machineOfNode(node);
    emit wanted({Subject::Kind::Machine, machine ? machine->key : node});
  });
  connect(uncordon_, &QPushButton::clicked, this,
          [this] { session_->actions.cordon(model_.remedy().uncordon, false); });
  tell();
}

void DecisionPage::show(const Subject& subject) {
  model_.setClient(session_->client());
  subject_ = subject;
  if (isVisible()) model_.setPod(subject.kind == Subject::Kind::Pod ? subject.key : QString());
}

void DecisionPage::tell() {
  const bool ready = model_.state() == DecisionModel::State::Ready;
  summary_->setText(model_.summary());
  setRole(summary_, ready ? "strong" : model_.state() == DecisionModel::State::Failed ? "error" : "muted");
  const auto& remedy = model_.remedy();
  remedyPart_->setVisible(!remedy.text.isEmpty());
  remedy_->setText(remedy.text);
  remedyCommand_->setText(remedy.command);
  remedyCommand_->setVisible(!remedy.command.isEmpty());
  uncordon_->setText(tr("Let it take new pods"));
  uncordon_->setVisible(!remedy.uncordon.isEmpty());
  const int left = model_.nodes() - int(model_.rows().size());
  more_->setText(left > 0 && ready ? tr("and %n machine(s) that are not listed", nullptr, left) : QString());
  more_->setVisible(!more_->text().isEmpty());
  command_->setText(model_.command());
  command_->setVisible(!model_.pod().isEmpty());
  QHash<QString, bool> fitting;
  if (isVisible()) {
    for (auto& row : model_.rows()) fitting[row.node] = row.fits;
  }
  emit judged(fitting);
}

void DecisionPage::showEvent(QShowEvent*) {
  show(subject_);
  tell();
}

void DecisionPage::hideEvent(QHideEvent*) {
  model_.setPod({});
  matrix_->setCurrent(-1);
  emit judged({});
  emit pointed({});
}

}  // namespace ph::ui
