/*
 * A disk that fails, for tests: LD_PRELOADed into a program, it counts the calls that create or
 * change files below one folder and lets one of them fail, or it from then on.
 *
 *   FAULTY_BELOW    the folder
 *   FAULTY_COUNT    a file of 8 bytes, the calls counted so far by all processes together
 *   FAULTY_LOG      a file that gets one line a call: number, call, path
 *   FAULTY_PROGRAM  the name of the programs that meet it; all without it
 *   FAULTY_AT       the number of the call that fails; none without it
 *   FAULTY_HOW      full    that call and every later one find no space: ENOSPC
 *                   torn    the same, but that call, if it writes, still writes its first half
 *                   error   that call alone fails: EIO
 *                   short   that call, if it writes, writes its first half and says so
 *
 * What gives space back (unlink, rmdir) succeeds on a full disk. Calls that flush are counted, and
 * not carried out: nobody cuts the power.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum effect { PASS, FAIL, HALF };
enum need { TAKES_SPACE, WRITES, GIVES_SPACE };

static char below[PATH_MAX];
static _Atomic uint64_t *count;
static int log_file = -1;
static uint64_t fail_at;
static const char *how = "";

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("FAULTY_BELOW");
    const char *counter = getenv("FAULTY_COUNT");
    const char *log = getenv("FAULTY_LOG");
    const char *at = getenv("FAULTY_AT");
    const char *program = getenv("FAULTY_PROGRAM");
    if (!folder || !counter) return;
    if (program && *program && strcmp(program, program_invocation_short_name) != 0) return;
    /* System calls: our own calls are none of the program's. */
    int file = (int)syscall(SYS_openat, AT_FDCWD, counter, O_RDWR | O_CLOEXEC);
    if (file < 0) abort();
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (count == MAP_FAILED) abort();
    syscall(SYS_close, file);
    if (log) log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (at) fail_at = strtoull(at, NULL, 10);
    if (getenv("FAULTY_HOW")) how = getenv("FAULTY_HOW");
    snprintf(below, sizeof below, "%s", folder);
}

/* The path of a call in full; empty if the system does not tell. */
static void full_path(int folder, const char *path, char *out) {
    char start_of[PATH_MAX] = "", link[64];
    if (path && path[0] == '/') {
        snprintf(out, 2 * PATH_MAX, "%s", path);
        return;
    }
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, start_of, sizeof start_of - 1);
    if (length < 0) length = 0;
    start_of[length] = 0;
    if (path) snprintf(out, 2 * PATH_MAX, "%s/%s", start_of, path);
    else snprintf(out, 2 * PATH_MAX, "%s", start_of);
}

/* Counts a call on a path, and says what becomes of it. */
static enum effect met(const char *call, enum need need, int folder, const char *path) {
    if (!count) return PASS;
    int kept = errno;
    char name[2 * PATH_MAX];
    full_path(folder, path, name);
    errno = kept;
    if (strncmp(name, below, strlen(below)) != 0) return PASS;
    uint64_t number = atomic_fetch_add(count, 1) + 1;
    if (log_file >= 0) {
        char line[2 * PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)number, call, name);
        syscall(SYS_write, log_file, line, (size_t)length);
        errno = kept;
    }
    if (fail_at == 0 || number < fail_at) return PASS;
    int writes = need == WRITES, first = number == fail_at;
    if (strcmp(how, "short") == 0) return first && writes ? HALF : PASS;
    if (strcmp(how, "error") == 0) {
        errno = EIO;
        return first ? FAIL : PASS;
    }
    if (need == GIVES_SPACE) return PASS;
    if (strcmp(how, "torn") == 0 && first && writes) return HALF;
    errno = ENOSPC;
    return FAIL;
}

/* At least one byte: a write of none would be another fault. */
static size_t half(size_t bytes) { return bytes < 2 ? bytes : bytes / 2; }

/* Opening: a call that could make or empty a file. */
static int opened(int folder, const char *path, int flags, mode_t mode) {
    int changes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    if (changes && met("open", TAKES_SPACE, folder, path) == FAIL) return -1;
    return REAL(openat)(folder, path, flags, mode);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return opened(folder, path, flags, mode);
}
int creat(const char *path, mode_t mode) {
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

ssize_t write(int file, const void *bytes, size_t size) {
    enum effect effect = met("write", WRITES, file, NULL);
    if (effect == FAIL) return -1;
    return REAL(write)(file, bytes, effect == HALF ? half(size) : size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t place) {
    enum effect effect = met("pwrite", WRITES, file, NULL);
    if (effect == FAIL) return -1;
    return REAL(pwrite)(file, bytes, effect == HALF ? half(size) : size, place);
}

ssize_t writev(int file, const struct iovec *parts, int number) {
    enum effect effect = met("writev", WRITES, file, NULL);
    if (effect == FAIL) return -1;
    if (effect == HALF && number > 0) return REAL(write)(file, parts[0].iov_base, half(parts[0].iov_len));
    return REAL(writev)(file, parts, number);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t size, unsigned flags) {
    enum effect effect = met("copy_file_range", WRITES, to, NULL);
    if (effect == FAIL) return -1;
    return REAL(copy_file_range)(from, at, to, there, effect == HALF ? half(size) : size, flags);
}
ssize_t sendfile(int to, int from, off_t *at, size_t size) {
    enum effect effect = met("sendfile", WRITES, to, NULL);
    if (effect == FAIL) return -1;
    return syscall(SYS_sendfile, to, from, at, effect == HALF ? half(size) : size);
}

#define FAILING(call, need, folder, path) \
    if (met(call, need, folder, path) == FAIL) return -1

int ftruncate(int file, off_t size) {
    FAILING("ftruncate", TAKES_SPACE, file, NULL);
    return (int)syscall(SYS_ftruncate, file, size);
}
int fallocate(int file, int mode, off_t place, off_t size) {
    FAILING("fallocate", TAKES_SPACE, file, NULL);
    return (int)syscall(SYS_fallocate, file, mode, place, size);
}
int posix_fallocate(int file, off_t place, off_t size) {
    if (met("fallocate", TAKES_SPACE, file, NULL) == FAIL) return errno;
    return REAL(posix_fallocate)(file, place, size);
}
int fsync(int file) {
    FAILING("fsync", TAKES_SPACE, file, NULL);
    return 0;
}
int fdatasync(int file) {
    FAILING("fsync", TAKES_SPACE, file, NULL);
    return 0;
}

int rename(const char *from, const char *to) {
    FAILING("rename", TAKES_SPACE, AT_FDCWD, to);
    return REAL(rename)(from, to);
}
int renameat(int folder, const char *from, int other, const char *to) {
    FAILING("rename", TAKES_SPACE, other, to);
    return REAL(renameat)(folder, from, other, to);
}
int renameat2(int folder, const char *from, int other, const char *to, unsigned flags) {
    FAILING("rename", TAKES_SPACE, other, to);
    return (int)syscall(SYS_renameat2, folder, from, other, to, flags);
}
int link(const char *from, const char *to) {
    FAILING("link", TAKES_SPACE, AT_FDCWD, to);
    return REAL(link)(from, to);
}
int linkat(int folder, const char *from, int other, const char *to, int flags) {
    FAILING("link", TAKES_SPACE, other, to);
    return REAL(linkat)(folder, from, other, to, flags);
}
int symlink(const char *text, const char *path) {
    FAILING("symlink", TAKES_SPACE, AT_FDCWD, path);
    return REAL(symlink)(text, path);
}
int mkdir(const char *path, mode_t mode) {
    FAILING("mkdir", TAKES_SPACE, AT_FDCWD, path);
    return REAL(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    FAILING("mkdir", TAKES_SPACE, folder, path);
    return REAL(mkdirat)(folder, path, mode);
}
int unlink(const char *path) {
    FAILING("unlink", GIVES_SPACE, AT_FDCWD, path);
    return REAL(unlink)(path);
}
int unlinkat(int folder, const char *path, int flags) {
    FAILING("unlink", GIVES_SPACE, folder, path);
    return REAL(unlinkat)(folder, path, flags);
}
int rmdir(const char *path) {
    FAILING("rmdir", GIVES_SPACE, AT_FDCWD, path);
    return REAL(rmdir)(path);
}

/* Where pointers have 64 bits, these are other names of the same calls. */
int open64(const char *, int, ...) __attribute__((alias("open")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
int creat64(const char *, mode_t) __attribute__((alias("creat")));
ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));
ssize_t sendfile64(int, int, off64_t *, size_t) __attribute__((alias("sendfile")));
int ftruncate64(int, off64_t) __attribute__((alias("ftruncate")));
int fallocate64(int, int, off64_t, off64_t) __attribute__((alias("fallocate")));
int posix_fallocate64(int, off64_t, off64_t) __attribute__((alias("posix_fallocate")));
