#include "ui/theme/translations.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

namespace ph::ui {

void installTranslations(QCoreApplication& app) {
  // English first: what another language lacks falls back to it, with its plurals.
  auto load = [&](const QLocale& locale, const QString& name, const QString& folder) {
    auto* translator = new QTranslator(&app);
    if (translator->load(locale, name, QStringLiteral("_"), folder))
      QCoreApplication::installTranslator(translator);
    else
      delete translator;
  };
  const QString own = QStringLiteral(":/translations");
  load(QLocale(QLocale::English), QStringLiteral("pilothouse"), own);
  const QLocale here;
  if (here.language() == QLocale::English || here.language() == QLocale::C) return;
  load(here, QStringLiteral("qtbase"), QLibraryInfo::path(QLibraryInfo::TranslationsPath));
  load(here, QStringLiteral("pilothouse"), own);
}

}  // namespace ph::ui
