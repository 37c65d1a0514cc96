// Lab: emulated machines for a test (tests/lab/lab), in a folder and network of their own; gone with this object.
// Threads: one; each call blocks until it is done.
#pragma once

#include <QCoreApplication>
#include <QFileInfo>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <unistd.h>

class Lab {
 public:
  struct Outcome {
    int exit = -1;
    QString out, err;
    bool ok() const { return exit == 0; }
  };

  // `packages`: what the machines shall have besides what every one has.
  explicit Lab(const QString& name, const QString& packages = {}) : packages_(packages), dir_(QString("/var/tmp/phlab-%1-%2").arg(name).arg(QCoreApplication::applicationPid())) {}
  ~Lab() { call({"down"}); }
  Lab(const Lab&) = delete;

  // Why no lab can be had here; empty when one can.
  static QString impossible() {
    if (::geteuid() != 0) return "emulated machines need root";
    return {};
  }

  Outcome call(const QStringList& arguments, int timeoutMs = 180000) const {
    QProcess p;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert("LAB", dir_);
    environment.insert("LAB_PACKAGES", packages_);
    environment.remove("LAB_NET");
    environment.remove("LAB_SUBNET");
    p.setProcessEnvironment(environment);
    p.setStandardInputFile(QProcess::nullDevice());
    p.start(QString(PH_SOURCE_DIR) + "/tests/lab/lab", arguments);
    if (!p.waitForFinished(timeoutMs)) {
      p.kill();
      p.waitForFinished();
      return {-1, {}, "timed out"};
    }
    Outcome outcome{p.exitCode(), QString::fromUtf8(p.readAllStandardOutput()), QString::fromUtf8(p.readAllStandardError())};
    if (!outcome.ok() && arguments.value(0) != "exec")
      qWarning("lab %s: %s%s", qPrintable(arguments.join(' ')), qPrintable(outcome.out), qPrintable(outcome.err));
    return outcome;
  }
  // A command inside a machine, not over ssh.
  Outcome inside(int machine, const QString& script) const { return call({"exec", QString::number(machine), "sh", "-c", script}); }
  bool up(int machines) const { return call({"up", QString::number(machines)}).ok(); }
  bool startBare(int machine) const { return call({"start", QString::number(machine), "--bare"}).ok(); }
  bool start(int machine) const { return call({"start", QString::number(machine)}).ok(); }
  bool kill(int machine) const { return call({"kill", QString::number(machine)}).ok(); }
  bool cut(int machine) const { return call({"cut", QString::number(machine)}).ok(); }
  bool join(int machine) const { return call({"join", QString::number(machine)}).ok(); }
  QString address(int machine) const { return call({"ip", QString::number(machine)}).out.trimmed(); }
  QString key() const { return dir_ + "/id"; }
  // As `ssh-keygen -lf` shows it on the machine's own console.
  QString hostKey(int machine) const {
    return inside(machine, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").out.section(' ', 1, 1);
  }
  QString dir() const { return dir_; }

 private:
  const QString packages_, dir_;
};
