// What holds a pod's namespaces: waits for the end, and reaps what the pod's containers leave when they share its processes.
// No library at all, so that thirty of them weigh nothing. Signals stay blocked and are waited for: a blocked signal reaches
// even a namespace's first process, which ignores those it has no handler for.
namespace {

#if defined(__x86_64__)
constexpr long kSigprocmask = 14, kSigtimedwait = 128, kWait4 = 61, kExitGroup = 231;
long call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 asm("r10") = d;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
constexpr long kSigprocmask = 135, kSigtimedwait = 137, kWait4 = 260, kExitGroup = 94;
long call(long number, long a, long b, long c, long d) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "pause knows the system calls of amd64 and arm64 only"
#endif

constexpr unsigned long kInt = 1ul << (2 - 1), kTerm = 1ul << (15 - 1), kChild = 1ul << (17 - 1);

}  // namespace

extern "C" [[noreturn]] void _start() {
  unsigned long set = kInt | kTerm | kChild;
  call(kSigprocmask, 0 /* block */, reinterpret_cast<long>(&set), 0, sizeof set);
  for (;;) {
    long signal = call(kSigtimedwait, reinterpret_cast<long>(&set), 0, 0, sizeof set);
    if (signal == 2 || signal == 15) break;
    while (call(kWait4, -1, 0, 1 /* without waiting */, 0) > 0) {
    }
  }
  for (;;) call(kExitGroup, 0, 0, 0, 0);
}
