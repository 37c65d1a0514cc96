// Checks that say what came instead. Each looks at its argument once: it may be a call that changes something.
// Threads: one test thread.
#pragma once

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "tests/support/engine/engine_process.h"

namespace ph::test {

inline QJsonObject json(const QByteArray& text) { return QJsonDocument::fromJson(text).object(); }

}  // namespace ph::test

#define VERIFY_RAN(command)                      \
  do {                                           \
    const auto& ran_ = (command);                \
    QVERIFY2(ran_.ok(), qPrintable(ran_.all())); \
  } while (false)
#define HAS(text, part)                                    \
  do {                                                     \
    const QString text_(text);                             \
    QVERIFY2(text_.contains(part), qPrintable(text_));     \
  } while (false)
#define CODE(answer, wanted)                                                                                                  \
  do {                                                                                                                        \
    const auto& answer_ = (answer);                                                                                           \
    QVERIFY2(answer_.code == (wanted), (QByteArray::number(answer_.code) + " " + answer_.body.left(600)).constData());        \
  } while (false)
