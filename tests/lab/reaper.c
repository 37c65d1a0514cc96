// PID 1 of an emulated machine: collects orphans and waits. Ends on SIGTERM or SIGINT, and with it the machine.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void powerOff(int signal) {
  (void)signal;
  _exit(0);
}

int main(void) {
  struct sigaction off = {.sa_handler = powerOff};
  sigaction(SIGTERM, &off, 0);
  sigaction(SIGINT, &off, 0);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, 0);
  for (;;) {
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
    int signal;
    sigwait(&child, &signal);
  }
}
