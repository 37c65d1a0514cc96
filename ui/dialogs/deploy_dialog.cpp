#include "ui/dialogs/deploy_dialog.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QPointer>
#include <QScrollArea>
#include <QScrollBar>

namespace ph::ui {

using models::DeployForm;

DeployDialog::DeployDialog(models::Session* session, QWidget* parent) : QDialog(parent), session_(session) {
  setWindowTitle(tr("Deploy an application"));
  resize(900, 640);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(space::xl, space::l, space::xl, space::l);
  all->setSpacing(space::m);
  auto* top = new QHBoxLayout;
  top->setSpacing(space::s);
  top->addWidget(label(tr("Deploy an application"), "title", this));
  top->addStretch();
  for (bool folder : {false, true}) {
    auto* b = button(folder ? tr("A folder of manifests…") : tr("Manifest files…"), "quiet", this);
    b->setObjectName(folder ? QStringLiteral("folder") : QStringLiteral("files"));
    b->setToolTip(tr("Or drop them on the window"));
    connect(b, &QPushButton::clicked, this, [this, folder] {
      reject();
      emit filesWanted(folder);
    });
    top->addWidget(b);
  }
  all->addLayout(top);
  auto* columns = new QHBoxLayout;
  columns->setSpacing(space::xl);
  all->addLayout(columns, 1);

  auto* scroll = new QScrollArea(this);
  scroll->setAccessibleName(tr("What is deployed"));
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  fields_ = new Form(scroll);
  fields_->column()->setContentsMargins(1, 1, space::m, 1);
  name_ = new QLineEdit(fields_);
  name_->setPlaceholderText(QStringLiteral("shop-web"));
  name_->setObjectName(QStringLiteral("name"));
  copies_ = new QSpinBox(fields_);
  copies_->setRange(0, 5000);
  copies_->setValue(3);
  copies_->setObjectName(QStringLiteral("copies"));
  fields_->addPair(QStringLiteral("name"), tr("Name"), name_, QStringLiteral("copies"), tr("Copies"), copies_,
                   110);
  image_ = new QLineEdit(fields_);
  image_->setPlaceholderText(QStringLiteral("shop/web:2.4"));
  image_->setObjectName(QStringLiteral("image"));
  fields_->add(QStringLiteral("image"), tr("Image"), image_);
  auto* archive = new QHBoxLayout;
  archive->setSpacing(space::s);
  choose_ = button(tr("From an archive…"), nullptr, fields_);
  choose_->setToolTip(
      tr("An OCI or Docker archive (.tar): it is copied to the machines that need it, no registry needed"));
  archiveNote_ = label({}, "caption", fields_);
  archiveNote_->setWordWrap(true);
  archive->addWidget(choose_);
  archive->addWidget(archiveNote_, 1);
  fields_->column()->addLayout(archive);
  ports_ = new QLineEdit(fields_);
  ports_->setPlaceholderText(QStringLiteral("80:8080"));
  ports_->setObjectName(QStringLiteral("ports"));
  fields_->add(QStringLiteral("ports"), tr("Ports"), ports_,
               tr("Of the service, and of the container behind it. Other pods reach it by its name."));
  env_ = new QPlainTextEdit(fields_);
  env_->setPlaceholderText(QStringLiteral("GREETING=hello"));
  env_->setFixedHeight(74);
  env_->setTabChangesFocus(true);
  env_->setFont(typeface(Text::Mono));
  env_->setObjectName(QStringLiteral("env"));
  fields_->add(QStringLiteral("env"), tr("Environment"), env_, tr("One NAME=value a line."));
  cpu_ = new QLineEdit(fields_);
  cpu_->setPlaceholderText(QStringLiteral("500m"));
  memory_ = new QLineEdit(fields_);
  memory_->setPlaceholderText(QStringLiteral("128Mi"));
  cpu_->setObjectName(QStringLiteral("cpu"));
  memory_->setObjectName(QStringLiteral("memory"));
  fields_->addPair(QStringLiteral("cpu"), tr("CPU limit, each"), cpu_, QStringLiteral("memory"),
                   tr("Memory limit, each"), memory_, 0);
  namespace_ = new QLineEdit(QStringLiteral("default"), fields_);
  namespace_->setObjectName(QStringLiteral("namespace"));
  fields_->add(QStringLiteral("namespace"), tr("Namespace"), namespace_);
  fields_->column()->addStretch();
  scroll->setWidget(fields_);
  columns->addWidget(scroll, 5);

  auto* right = new QVBoxLayout;
  right->setSpacing(space::xs);
  auto* head = new QHBoxLayout;
  head->addWidget(label(tr("What this applies"), "muted", this));
  head->addStretch();
  count_ = label({}, "caption", this);
  head->addWidget(count_);
  right->addLayout(head);
  manifest_ = codeView(tr("Manifest"), this);
  right->addWidget(manifest_, 1);
  auto* line = new CodeBox(this);
  line->setText(models::kubectl::apply());
  right->addWidget(line);
  columns->addLayout(right, 5);

  const auto foot = dialogFoot(all, tr("Cancel"), tr("Deploy"), this);
  failure_ = foot.failure;
  submit_ = foot.submit;

  connect(foot.out, &QPushButton::clicked, this, &QDialog::reject);
  connect(submit_, &QPushButton::clicked, this, &DeployDialog::submit);
  connect(choose_, &QPushButton::clicked, this, &DeployDialog::chooseArchive);
  connect(name_, &QLineEdit::textEdited, this, [this] { nameTyped_ = true; });
  connect(image_, &QLineEdit::textEdited, this, [this](const QString& image) {
    archive_.clear();
    archiveNote_->clear();
    // A name nobody typed follows the image.
    if (!nameTyped_) name_->setText(models::toName(image.section('/', -1).section(':', 0, 0)));
  });
  for (auto* edit : {name_, image_, ports_, cpu_, memory_, namespace_})
    connect(edit, &QLineEdit::textChanged, this, &DeployDialog::refresh);
  connect(copies_, &QSpinBox::valueChanged, this, &DeployDialog::refresh);
  connect(env_, &QPlainTextEdit::textChanged, this, &DeployDialog::refresh);
  connect(fields_, &Form::left, this, &DeployDialog::refresh);
  refresh();
  image_->setFocus();
}

DeployForm DeployDialog::form() const {
  DeployForm f;
  f.name = name_->text().trimmed();
  f.ns = namespace_->text().trimmed();
  f.image = image_->text().trimmed();
  f.archive = archive_;
  f.copies = copies_->value();
  f.ports = models::parsePorts(ports_->text());
  f.env = models::parseEnv(env_->toPlainText());
  f.cpuLimit = cpu_->text().trimmed();
  f.memoryLimit = memory_->text().trimmed();
  return f;
}

QList<models::FieldProblem> DeployDialog::problems() const {
  auto out = models::check(form());
  models::parsePorts(ports_->text(), &out);
  models::parseEnv(env_->toPlainText(), &out);
  const auto f = form();
  if (session_->state.workload(models::appKey(QStringLiteral("Deployment"), f.ns, f.name))) {
    out.append({QStringLiteral("name"), tr("There is an application of this name already.")});
  }
  return out;
}

void DeployDialog::refresh() {
  const auto f = form();
  const int at = manifest_->verticalScrollBar()->value();
  const QString text = models::manifest(f);
  if (text != manifest_->toPlainText()) {
    manifest_->setPlainText(text);
    manifest_->verticalScrollBar()->setValue(at);
  }
  count_->setText(f.ports.isEmpty() ? tr("a Deployment") : tr("a Deployment and a Service"));
  const auto wrong = problems();
  fields_->showProblems(wrong, tried_);
  if (tried_) failure_->setText(Form::count(wrong));
  submit_->setEnabled(!busy_);
}

void DeployDialog::chooseArchive() {
  const QString path = QFileDialog::getOpenFileName(
      this, tr("An image archive"), {}, tr("Image archives (*.tar *.tar.gz *.tgz *.oci);;All files (*)"));
  if (!path.isEmpty()) setArchive(path);
}

void DeployDialog::setArchive(const QString& path) {
  busy_ = true;
  archiveNote_->setText(tr("Reading %1…").arg(QFileInfo(path).fileName()));
  setRole(archiveNote_, "caption");
  refresh();
  QPointer<DeployDialog> self(this);
  session_->actions.loadArchive(path, [self, path](const Result<QStringList>& images) {
    if (!self) return;
    self->busy_ = false;
    if (!images.ok()) {
      self->archiveNote_->setText(models::Actions::explain(images.status()));
      setRole(self->archiveNote_, "error");
    } else if (images->isEmpty()) {
      self->archiveNote_->setText(tr("There is no image in this archive."));
      setRole(self->archiveNote_, "error");
    } else {
      self->archive_ = path;
      self->image_->setText(images->first());
      if (!self->nameTyped_)
        self->name_->setText(models::toName(images->first().section('/', -1).section(':', 0, 0)));
      self->archiveNote_->setText(tr("%1 is loaded; it will be copied to the machines that need it.")
                                      .arg(QFileInfo(path).fileName()));
    }
    self->refresh();
  });
}

void DeployDialog::submit() {
  tried_ = true;
  const auto wrong = problems();
  refresh();
  if (!wrong.isEmpty()) {
    for (auto& p : wrong) {
      if (auto* field = findChild<QWidget*>(p.field)) {
        field->setFocus();
        break;
      }
    }
    return;
  }
  busy_ = true;
  submit_->setText(tr("Deploying…"));
  refresh();
  const auto f = form();
  const QString app = models::appKey(QStringLiteral("Deployment"), f.ns, f.name);
  QPointer<DeployDialog> self(this);
  session_->actions.deploy(f, [self, app](const Result<>& r) {
    if (!self) return;
    self->busy_ = false;
    self->submit_->setText(tr("Deploy"));
    self->refresh();
    if (!r.ok()) {
      self->failure_->setText(models::Actions::explain(r.status()));
      return;
    }
    emit self->deployed(app);
    self->accept();
  });
}

}  // namespace ph::ui
