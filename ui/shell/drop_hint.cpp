#include "ui/shell/drop_hint.h"

#include <QFileInfo>
#include <QPainter>

#include "models/manifest_files.h"
#include "ui/theme/theme.h"

namespace ph::ui {

DropHint::DropHint(QWidget* window) : QWidget(window) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  hide();
}

bool DropHint::offer(const QStringList& paths) {
  if (!models::isDeployable(paths)) {
    hide();
    return false;
  }
  const bool one = paths.size() == 1;
  if (one && models::isImageArchive(paths.first())) {
    text_ = tr("Drop to deploy this image");
    detail_ = tr("It is copied to the machines that need it; no registry is needed.");
  } else {
    text_ = one && QFileInfo(paths.first()).isDir() ? tr("Drop to apply this folder")
                                                    : tr("Drop to apply %n file(s)", nullptr, int(paths.size()));
    detail_ = tr("You see what would change before anything does.");
  }
  setGeometry(parentWidget()->rect());
  raise();
  show();
  update();
  return true;
}

void DropHint::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.setRenderHint(QPainter::Antialiasing);
  QColor veil = colors().background;
  veil.setAlphaF(0.82f);
  p.fillRect(rect(), veil);
  QPen pen(colors().accent, 2);
  pen.setDashPattern({6, 4});
  p.setPen(pen);
  p.setBrush(Qt::NoBrush);
  const QRectF frame = QRectF(rect()).adjusted(space::xl, space::xl, -space::xl, -space::xl);
  p.drawRoundedRect(frame, radius::card, radius::card);
  p.setPen(colors().text);
  p.setFont(typeface(Text::Title));
  p.drawText(QRectF(frame.left(), frame.center().y() - 30, frame.width(), 30), Qt::AlignCenter, text_);
  p.setPen(colors().muted);
  p.setFont(typeface(Text::Body));
  p.drawText(QRectF(frame.left(), frame.center().y() + 4, frame.width(), 24), Qt::AlignCenter, detail_);
}

}  // namespace ph::ui
