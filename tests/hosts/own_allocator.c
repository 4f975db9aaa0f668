/* An allocator to be preloaded, as jemalloc is: it ends the process when it is given memory that is not its own. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM ((size_t)16 << 30)
#define OWN 0x6b65797374656164u

struct head {
    uint64_t own;
    size_t size;
};

static _Atomic(char *) next;
static char *base;

static void *take(size_t alignment, size_t size) {
    if (!base) {
        void *room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED)
            abort();
        next = base = room;
    }
    if (alignment < 16)
        alignment = 16;
    /* Nothing is ever given out twice, so that a block that was freed stays what it was. */
    char *block = __atomic_fetch_add((char **)&next, size + alignment + sizeof(struct head) + 16, __ATOMIC_RELAXED);
    block = (char *)(((uintptr_t)block + sizeof(struct head) + alignment - 1) & ~(uintptr_t)(alignment - 1));
    struct head *head = (struct head *)block - 1;
    head->own = OWN;
    head->size = size;
    return block;
}

static struct head *head_of(void *block) {
    struct head *head = (struct head *)block - 1;
    if ((char *)block < base || (char *)block >= base + ROOM || head->own != OWN) {
        static const char text[] = "memory of another allocator\n";
        if (write(2, text, sizeof text - 1)) {}
        _exit(99);
    }
    return head;
}

void *malloc(size_t size) { return take(16, size); }
void *calloc(size_t count, size_t size) { return take(16, count * size); }
void *memalign(size_t alignment, size_t size) { return take(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return take(alignment, size); }
size_t malloc_usable_size(void *block) { return block ? head_of(block)->size : 0; }

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = take(alignment, size);
    return 0;
}

void free(void *block) {
    if (block)
        head_of(block);
}

void *realloc(void *block, size_t size) {
    void *fresh = take(16, size);
    if (block) {
        size_t old = head_of(block)->size;
        memcpy(fresh, block, old < size ? old : size);
    }
    return fresh;
}
