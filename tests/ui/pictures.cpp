#include "tests/ui/pictures.h"

#include <QCoreApplication>
#include <QDir>
#include <QImage>
#include <QSet>
#include <QTest>
#include <QWidget>

#include "ui/theme/theme.h"

namespace ph::test {

using ui::Theme;

static QImage draw(QWidget& w, double ratio) {
  QImage image(w.size() * ratio, QImage::Format_ARGB32_Premultiplied);
  image.setDevicePixelRatio(ratio);
  image.fill(ui::colors().background);
  w.render(&image, QPoint(), QRegion(), QWidget::DrawWindowBackground | QWidget::DrawChildren);
  return image;
}

QString savePictures(QWidget& w, const QString& name) {
  const QString dir = QStringLiteral(PH_BIN_DIR) + QStringLiteral("/../ui-pictures");
  if (!QDir().mkpath(dir)) return QStringLiteral("no folder for pictures: ") + dir;
  const Theme::Mode before = Theme::get().mode();
  QString problem;
  for (bool dark : {true, false}) {
    Theme::get().setMode(dark ? Theme::Mode::Dark : Theme::Mode::Light);
    for (int i = 0; i < 3; ++i) QCoreApplication::processEvents();
    QTest::qWait(80);  // panels refresh a few times a second at most
    for (int ratio : {1, 2}) {
      const QImage image = draw(w, ratio);
      QSet<QRgb> seen;
      for (int y = 0; y < image.height(); y += 7) {
        for (int x = 0; x < image.width(); x += 7) seen.insert(image.pixel(x, y));
      }
      if (seen.size() <= 8) problem = name + QStringLiteral(" shows nothing");
      const QString file = QStringLiteral("%1/%2-%3%4.png").arg(dir, name, dark ? "dark" : "light", ratio == 2 ? "@2x" : "");
      if (!image.save(file)) problem = file + QStringLiteral(" can't be written");
    }
  }
  Theme::get().setMode(before);
  return problem;
}

}  // namespace ph::test
