#include "ui/inspector/rollout_section.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "ui/dialogs/rollout_dialogs.h"

namespace ph::ui {

RolloutSection::RolloutSection(models::Session* session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::xs);
  column->addWidget(label(tr("Rollout"), "muted", this));
  sentence_ = label({}, nullptr, this);
  sentence_->setObjectName(QStringLiteral("rolloutSentence"));
  sentence_->setWordWrap(true);
  column->addWidget(sentence_);
  progress_ = new QProgressBar(this);
  progress_->setRange(0, 1000);
  progress_->setTextVisible(false);
  progress_->setAccessibleName(tr("Rollout"));
  column->addWidget(progress_);
  counts_ = new FactRows(this);
  column->addWidget(counts_);
  auto* row = new QHBoxLayout;
  row->setContentsMargins(0, space::xs, 0, 0);
  row->setSpacing(space::s);
  image_ = button(tr("New image…"), nullptr, this);
  image_->setObjectName(QStringLiteral("newImage"));
  revisions_ = button(tr("Revisions…"), nullptr, this);
  revisions_->setObjectName(QStringLiteral("revisions"));
  row->addWidget(image_, 1);
  row->addWidget(revisions_, 1);
  column->addLayout(row);
  connect(image_, &QPushButton::clicked, this, [this] { openImageDialog(session_, app_, window()); });
  connect(revisions_, &QPushButton::clicked, this, [this] { openRevisionsDialog(session_, app_, window()); });
}

void RolloutSection::show(const models::WorkloadFacts& w) {
  app_ = w.key;
  const auto state = models::rolloutState(w);
  sentence_->setText(state.sentence);
  const char* role = state.tone == Tone::Error  ? "error"
                     : state.tone == Tone::Warn ? "warn"
                     : state.tone == Tone::Ok   ? "ok"
                                                : "";
  if (sentence_->property("role").toString() != QLatin1String(role)) setRole(sentence_, role);
  progress_->setVisible(!state.done);
  progress_->setValue(int(state.part * 1000));
  std::vector<Fact> facts;
  if (!state.done) {
    facts.push_back({tr("New version"), tr("%1 of %2").arg(state.updated).arg(state.wanted)});
    facts.push_back({tr("Ready"), tr("%1 of %2").arg(state.ready).arg(state.wanted), false,
                     state.ready < state.wanted ? std::optional<Tone>(Tone::Warn) : std::nullopt});
    facts.push_back({tr("Old version"), QString::number(state.old)});
  }
  counts_->setVisible(!facts.empty());
  counts_->set(std::move(facts));
}

}  // namespace ph::ui
