/* powercut.so: an LD_PRELOAD shim that keeps a journal of what a program does to the files of one folder.
 *
 * POWERCUT_ROOT     the folder (absolute, resolved): all below it lies on the disk that loses its power
 * POWERCUT_CONTROL  another folder, with the files `control` (4096 zero bytes: struct control) and `journal` (empty)
 *
 * Every create, write, truncate, rename, unlink, mkdir and fsync is done for real and recorded, in one order over all
 * threads and processes: a spin lock in `control` is held over "do it and record it". An fsync is recorded twice, when
 * it begins and when it returns: only writes before a begin whose end is recorded are safe. When `cut` is set, or the
 * operation number reaches `cut_at`, the process kills itself at its next operation, before that is done; an fsync
 * that is under way does not return. Whoever reads the journal (journal.py, disk.py) builds what a disk could show then.
 *
 * `fail` makes so many of the next fsyncs of files fail with EIO: as with Linux, what they should have written is clean
 * afterwards, and no later fsync writes it, unless somebody writes to its page again.
 *
 * Not seen, and said in the journal where it can be: files written through mmap or O_SYNC, links, sync(2), stdio.
 * SQLite's -shm is left alone: it is shared memory, never synced, and rebuilt.   gcc -O2 -Wall -shared -fPIC powercut.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* As `Op` in journal.py. */
enum { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNCED, UNLINK, RENAME, MKDIR, RMDIR, UNSEEN, FAILED };

/* As `Control` in journal.py. */
struct control {
    volatile uint64_t lock, cut, operations, cut_at, sync_min_us, sync_max_us, syncs, fail, failed;
};
struct record {
    uint32_t magic, op;
    uint64_t seq, ns, inode, offset, length;
    uint32_t path_length, target_length;
    uint64_t ref; /* of SYNCED and FAILED: the SYNC that ended so */
};

#define MAGIC 0x50574354u
#define FDS 65536
#define PIECES 1000 /* of one write; writev takes 1024 */
static uint64_t tracked[FDS]; /* inode; 0: not ours */
static unsigned char is_folder[FDS];
static struct control *control;
static int journal = -1;
static char root[PATH_MAX];
static size_t root_length;
static enum { NOT_LOOKED, ON, OFF } state;

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) syscall(SYS_pause);
}

static int opened(const char *folder, const char *name, int flags) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
    if (fd < 0) { dprintf(2, "powercut: cannot open %s\n", path); _exit(111); }
    return fd;
}

static int on(void) {
    if (__builtin_expect(state != NOT_LOOKED, 1)) return state == ON;
    const char *folder = getenv("POWERCUT_ROOT"), *controls = getenv("POWERCUT_CONTROL");
    if (!folder || !controls) { state = OFF; return 0; }
    int fd = opened(controls, "control", O_RDWR);
    control = (void *)syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    fd = opened(controls, "journal", O_WRONLY | O_APPEND);
    journal = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900); /* out of the way of low numbers */
    syscall(SYS_close, fd);
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    state = ON;
    return 1;
}

static __attribute__((constructor)) void begin(void) { on(); }

static void acquire(struct control *c) {
    uint64_t me = syscall(SYS_gettid);
    for (unsigned n = 0;; n++) {
        uint64_t nobody = 0;
        if (__atomic_compare_exchange_n(&c->lock, &nobody, me, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) break;
        if (c->cut && c == control) die();
        /* whoever held it was killed */
        if (n > 200 && n % 200 == 0 && syscall(SYS_kill, nobody, 0) < 0 && errno == ESRCH)
            __atomic_compare_exchange_n(&c->lock, &nobody, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        if (n > 20) { struct timespec t = {0, 20000}; syscall(SYS_nanosleep, &t, 0); }
    }
}

static void release(struct control *c) { __atomic_store_n(&c->lock, 0, __ATOMIC_RELEASE); }

/* For whoever runs the program: meanwhile no process is inside of an operation, and one that is killed leaves none half
 * done or half recorded. */
void powercut_hold(struct control *c) { acquire(c); }
void powercut_release(struct control *c) { release(c); }

static void lock(void) {
    acquire(control);
    if (control->cut_at && control->operations + 1 >= control->cut_at) control->cut = 1;
    if (control->cut) die();
}

static void unlock(void) { release(control); }

/* The lock is held. */
static uint64_t put(struct record r, const char *path, const char *target, const struct iovec *data, int pieces) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    r.magic = MAGIC;
    r.seq = ++control->operations;
    r.ns = t.tv_sec * 1000000000ull + t.tv_nsec;
    r.path_length = path ? strlen(path) : 0;
    r.target_length = target ? strlen(target) : 0;
    struct iovec v[3 + PIECES] = {{&r, sizeof r}, {(void *)path, r.path_length}, {(void *)target, r.target_length}};
    int n = 3;
    uint64_t left = r.op == WRITE ? r.length : 0, whole = sizeof r + r.path_length + r.target_length + left;
    for (int i = 0; i < pieces && left; i++) {
        uint64_t part = data[i].iov_len < left ? data[i].iov_len : left;
        if (n >= 3 + PIECES) { dprintf(2, "powercut: too many pieces\n"); die(); }
        v[n++] = (struct iovec){data[i].iov_base, part};
        left -= part;
    }
    if ((uint64_t)syscall(SYS_writev, journal, v, n) != whole) { dprintf(2, "powercut: the journal is full\n"); die(); }
    return r.seq;
}

static uint64_t note(int op, uint64_t inode, uint64_t offset, const char *path, const char *target, uint64_t ref) {
    return put((struct record){.op = op, .inode = inode, .offset = offset, .ref = ref}, path, target, 0, 0);
}

static void unseen(const char *what, int known) {
    if (!known || !on()) return;
    lock();
    note(UNSEEN, 0, 0, what, 0, 0);
    unlock();
}

static int ours(const char *path) {
    size_t n = strlen(path);
    if (strncmp(path, root, root_length) || (path[root_length] && path[root_length] != '/')) return 0;
    return !(n > 4 && !strcmp(path + n - 4, "-shm"));
}

static int folder_of_fd(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* The absolute path of what may not exist, though its folder does; 0 where it is not ours. */
static int absolute(int at, const char *path, char *out) {
    char folder[PATH_MAX] = "", full[PATH_MAX], real[PATH_MAX], name[NAME_MAX + 1];
    if (!path || !*path) return 0;
    if (path[0] != '/' && !(at == AT_FDCWD ? getcwd(folder, sizeof folder) != 0 : folder_of_fd(at, folder))) return 0;
    if (snprintf(full, sizeof full, "%s%s%s", folder, *folder ? "/" : "", path) >= (int)sizeof full) return 0;
    size_t n = strlen(full);
    while (n > 1 && full[n - 1] == '/') full[--n] = 0;
    char *last = strrchr(full, '/');
    if (!last || !last[1]) return 0;
    snprintf(name, sizeof name, "%s", last + 1);
    last[last == full] = 0;
    int saved = errno, known = realpath(full, real) != 0;
    errno = saved;
    return known && snprintf(out, PATH_MAX, "%s/%s", real, name) < PATH_MAX && ours(out);
}

static int exists(const char *path) {
    struct stat s;
    int saved = errno, there = syscall(SYS_newfstatat, AT_FDCWD, path, &s, AT_SYMLINK_NOFOLLOW) == 0;
    errno = saved;
    return there;
}

static int known(int fd) { return fd >= 0 && fd < FDS; }

static int opening(int at, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    struct stat s;
    int is_ours = on() && absolute(at, path, full);
    if (is_ours) lock();
    int there = is_ours && exists(full);
    int fd = syscall(SYS_openat, at, path, flags, mode);
    if (known(fd)) tracked[fd] = 0;
    if (is_ours && known(fd) && fstat(fd, &s) == 0 && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode))) {
        tracked[fd] = s.st_ino;
        is_folder[fd] = S_ISDIR(s.st_mode);
        if (!is_folder[fd] && !there) note(CREATE, s.st_ino, 0, full, 0, 0);
        if (!is_folder[fd] && there && flags & O_TRUNC) note(TRUNCATE, s.st_ino, 0, 0, 0, 0);
        if (!is_folder[fd] && flags & (O_SYNC | O_DSYNC)) note(UNSEEN, s.st_ino, 0, "O_SYNC", 0, 0);
    }
    if (is_ours) unlock();
    return fd;
}

#define MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list a; va_start(a, flags); mode = va_arg(a, int); va_end(a); }
int open(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int d, const char *path, int flags, ...) { MODE return opening(d, path, flags, mode); }
int openat64(int d, const char *path, int flags, ...) { MODE return opening(d, path, flags | O_LARGEFILE, mode); }
int __open_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
int close(int fd) {
    if (known(fd)) tracked[fd] = 0;
    return syscall(SYS_close, fd);
}

static int same(int from, int to) {
    if (known(to) && known(from)) { tracked[to] = tracked[from]; is_folder[to] = is_folder[from]; }
    return to;
}
int dup(int fd) { return same(fd, syscall(SYS_dup, fd)); }
int dup2(int fd, int to) { return fd == to ? to : same(fd, syscall(SYS_dup3, fd, to, 0)); }
int dup3(int fd, int to, int flags) { return same(fd, syscall(SYS_dup3, fd, to, flags)); }

static int is_file(int fd) { return known(fd) && tracked[fd] && !is_folder[fd]; }

static ssize_t written(int fd, const struct iovec *v, int n, int64_t at) {
    if (at >= 0) return syscall(SYS_pwritev, fd, v, n, at, 0);
    return syscall(SYS_writev, fd, v, n);
}

static ssize_t writing(int fd, const struct iovec *v, int n, int64_t at) {
    if (!is_file(fd)) return written(fd, v, n, at);
    lock();
    ssize_t done = written(fd, v, n, at);
    int saved = errno;
    if (done > 0) {
        uint64_t offset = at >= 0 ? (uint64_t)at : (uint64_t)(syscall(SYS_lseek, fd, 0, SEEK_CUR) - done);
        put((struct record){.op = WRITE, .inode = tracked[fd], .offset = offset, .length = done}, 0, 0, v, n);
    }
    unlock();
    errno = saved;
    return done;
}
#define ONE struct iovec v = {(void *)data, length}
ssize_t write(int fd, const void *data, size_t length) { ONE; return writing(fd, &v, 1, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { ONE; return writing(fd, &v, 1, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { ONE; return writing(fd, &v, 1, at); }
ssize_t writev(int fd, const struct iovec *v, int n) { return writing(fd, v, n, -1); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { return writing(fd, v, n, at); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { return writing(fd, v, n, at); }
ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags) { (void)flags; return writing(fd, v, n, at); }

static int resizing(int fd, int64_t size) {
    if (!is_file(fd)) return syscall(SYS_ftruncate, fd, size);
    lock();
    int rc = syscall(SYS_ftruncate, fd, size), saved = errno;
    if (rc == 0) note(TRUNCATE, tracked[fd], size, 0, 0, 0);
    unlock();
    errno = saved;
    return rc;
}
int ftruncate(int fd, off_t size) { return resizing(fd, size); }
int ftruncate64(int fd, off64_t size) { return resizing(fd, size); }

/* Room that is made beforehand grows the file: for the disk a truncate to the new size. */
static int making_room(int fd, int mode, int64_t at, int64_t length) {
    if (!is_file(fd)) return syscall(SYS_fallocate, fd, mode, at, length);
    lock();
    struct stat s = {0};
    fstat(fd, &s);
    int rc = syscall(SYS_fallocate, fd, mode, at, length), saved = errno;
    if (rc == 0 && !(mode & 1) && at + length > s.st_size) note(TRUNCATE, tracked[fd], at + length, 0, 0, 0);
    if (rc == 0 && mode & ~1) note(UNSEEN, tracked[fd], 0, "fallocate with a mode", 0, 0);
    unlock();
    errno = saved;
    return rc;
}
int fallocate(int fd, int mode, off_t at, off_t length) { return making_room(fd, mode, at, length); }
int fallocate64(int fd, int mode, off64_t at, off64_t length) { return making_room(fd, mode, at, length); }
int posix_fallocate(int fd, off_t at, off_t length) { return making_room(fd, 0, at, length) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t length) { return making_room(fd, 0, at, length) ? errno : 0; }

/* The disk is not asked, it only takes as long as one might: what it shows after the cut is up to the journal. */
static int syncing(int fd, long number) {
    if (!known(fd) || !tracked[fd]) return syscall(number, fd);
    uint64_t inode = tracked[fd], least = control->sync_min_us, most = control->sync_max_us;
    char folder[PATH_MAX];
    const char *path = is_folder[fd] && folder_of_fd(fd, folder) ? folder : 0;
    lock();
    uint64_t begun = note(SYNC, inode, 0, path, 0, 0);
    unlock();
    uint64_t us = least + (most > least ? (begun * 6364136223846793005ull >> 33) % (most - least) : 0);
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    if (us) syscall(SYS_nanosleep, &t, 0);
    lock();
    int fails = !path && control->fail;
    note(fails ? FAILED : SYNCED, inode, 0, path, 0, begun);
    control->fail -= fails;
    control->failed += fails;
    control->syncs += !fails;
    unlock();
    if (fails) errno = EIO;
    return fails ? -1 : 0;
}
int fsync(int fd) { return syncing(fd, SYS_fsync); }
int fdatasync(int fd) { return syncing(fd, SYS_fdatasync); }
void sync(void) { unseen("sync", 1); syscall(SYS_sync); }
int syncfs(int fd) { unseen("syncfs", known(fd) && tracked[fd]); return syscall(SYS_syncfs, fd); }

static int naming(int op, int d, const char *path, int e, const char *target, int flags) {
    char a[PATH_MAX], b[PATH_MAX];
    int one = on() && absolute(d, path, a), other = op == RENAME && on() && absolute(e, target, b), rc;
    if (one || other) lock();
    if (op == MKDIR) rc = syscall(SYS_mkdirat, d, path, flags);
    else if (op == RENAME) rc = syscall(SYS_renameat2, d, path, e, target, flags);
    else rc = syscall(SYS_unlinkat, d, path, op == RMDIR ? AT_REMOVEDIR : 0);
    int saved = errno;
    if (rc == 0 && op == RENAME && one != other) note(UNSEEN, 0, 0, "moved in or out", 0, 0);
    else if (rc == 0 && one) note(op, 0, 0, a, other ? b : 0, 0);
    if (one || other) unlock();
    errno = saved;
    return rc;
}
int unlink(const char *p) { return naming(UNLINK, AT_FDCWD, p, 0, 0, 0); }
int unlinkat(int d, const char *p, int flags) { return naming(flags & AT_REMOVEDIR ? RMDIR : UNLINK, d, p, 0, 0, 0); }
int rmdir(const char *p) { return naming(RMDIR, AT_FDCWD, p, 0, 0, 0); }
int remove(const char *p) { struct stat s; return stat(p, &s) == 0 && S_ISDIR(s.st_mode) ? rmdir(p) : unlink(p); }
int mkdir(const char *p, mode_t mode) { return naming(MKDIR, AT_FDCWD, p, 0, 0, mode); }
int mkdirat(int d, const char *p, mode_t mode) { return naming(MKDIR, d, p, 0, 0, mode); }
int rename(const char *p, const char *q) { return naming(RENAME, AT_FDCWD, p, AT_FDCWD, q, 0); }
int renameat(int d, const char *p, int e, const char *q) { return naming(RENAME, d, p, e, q, 0); }
int renameat2(int d, const char *p, int e, const char *q, unsigned flags) { return naming(RENAME, d, p, e, q, flags); }

static int linking(int d, const char *p, int e, const char *q, int flags) {
    char path[PATH_MAX];
    unseen("link", on() && absolute(e, q, path));
    return syscall(SYS_linkat, d, p, e, q, flags);
}
int link(const char *p, const char *q) { return linking(AT_FDCWD, p, AT_FDCWD, q, 0); }
int linkat(int d, const char *p, int e, const char *q, int flags) { return linking(d, p, e, q, flags); }

void *mmap64(void *at, size_t length, int prot, int flags, int fd, off64_t offset) {
    unseen("written through mmap", state == ON && is_file(fd) && prot & PROT_WRITE && (flags & MAP_TYPE) == MAP_SHARED);
    return (void *)syscall(SYS_mmap, at, length, prot, flags, fd, offset);
}
void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset) {
    return mmap64(at, length, prot, flags, fd, offset);
}
