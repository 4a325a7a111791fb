/* What programs call to tell sanitizers more than these see: their public interfaces, and the annotations of their
 * predecessors. Programs under check are linked with `--wrap` for these functions (cpp/target/wrapped_annotations.txt), so
 * they are there in every build. Where the sanitizer of a function is loaded, the call goes on to it by a jump, which
 * leaves it the program's own return address; elsewhere it does nothing and gives what stands for nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

typedef uintptr_t word;

/* None has more than six parameters, all of them integers or pointers, which are passed the same way as words. */
#define ANNOTATION(name, nothing)                                                                           \
  static word (*name##_)(word, word, word, word, word, word);                                               \
  __attribute__((constructor)) static void find_##name(void) {                                              \
    *(void **)&name##_ = dlsym(RTLD_DEFAULT, #name);                                                        \
  }                                                                                                         \
  word __wrap_##name(word a, word b, word c, word d, word e, word f) {                                      \
    if (name##_) return name##_(a, b, c, d, e, f);                                                          \
    return nothing;                                                                                         \
  }

/* What threadbare's own detector of races is told as well: src/control/hooks/annotations.rs. */
enum { ACQUIRE, RELEASE, IGNORE_READS, HEED_READS, IGNORE_WRITES, HEED_WRITES, IGNORE, HEED, BENIGN, NEW };
void threadbare_annotated(unsigned what, word address, size_t size);
#define TOLD(name, what, address, size)                                                                     \
  static word tell_##name(word a, word b, word c, word d) {                                                 \
    (void)a, (void)b, (void)c, (void)d;                                                                     \
    threadbare_annotated(what, address, size);                                                              \
    return 0;                                                                                               \
  }                                                                                                         \
  ANNOTATION(name, tell_##name(a, b, c, d))
/* A lock of the program's own: a failed attempt, which is this flag, takes nothing. */
enum { TRY_LOCK_FAILED = 1 << 5 };

/* ThreadSanitizer (sanitizer/tsan_interface.h). */
TOLD(__tsan_acquire, ACQUIRE, a, 0)
TOLD(__tsan_release, RELEASE, a, 0)
ANNOTATION(__tsan_mutex_create, 0)
ANNOTATION(__tsan_mutex_destroy, 0)
TOLD(__tsan_mutex_pre_lock, IGNORE, a, 0)
static word post_lock(word mutex, word flags) {
  threadbare_annotated(HEED, mutex, 0);
  if (!(flags & TRY_LOCK_FAILED)) threadbare_annotated(ACQUIRE, mutex, 0);
  return 0;
}
ANNOTATION(__tsan_mutex_post_lock, post_lock(a, b))
static word pre_unlock(word mutex) {
  threadbare_annotated(RELEASE, mutex, 0);
  threadbare_annotated(IGNORE, mutex, 0);
  return 0;
}
ANNOTATION(__tsan_mutex_pre_unlock, pre_unlock(a))
TOLD(__tsan_mutex_post_unlock, HEED, a, 0)
TOLD(__tsan_mutex_pre_signal, IGNORE, a, 0)
TOLD(__tsan_mutex_post_signal, HEED, a, 0)
TOLD(__tsan_mutex_pre_divert, HEED, a, 0)
TOLD(__tsan_mutex_post_divert, IGNORE, a, 0)
ANNOTATION(__tsan_check_no_mutexes_held, 0)
ANNOTATION(__tsan_external_register_tag, 0)
ANNOTATION(__tsan_external_register_header, 0)
ANNOTATION(__tsan_external_assign_tag, 0)
ANNOTATION(__tsan_external_read, 0)
ANNOTATION(__tsan_external_write, 0)
ANNOTATION(__tsan_get_current_fiber, 0)
ANNOTATION(__tsan_create_fiber, 0)
ANNOTATION(__tsan_destroy_fiber, 0)
ANNOTATION(__tsan_switch_to_fiber, 0)
ANNOTATION(__tsan_set_fiber_name, 0)
ANNOTATION(__tsan_flush_memory, 0)
TOLD(__tsan_ignore_thread_begin, IGNORE, a, 0)
TOLD(__tsan_ignore_thread_end, HEED, a, 0)

/* The older annotations that it has as well. */
TOLD(AnnotateBenignRace, BENIGN, c, 1)
TOLD(AnnotateBenignRaceSized, BENIGN, c, d)
ANNOTATION(AnnotateCondVarSignal, 0)
ANNOTATION(AnnotateCondVarSignalAll, 0)
ANNOTATION(AnnotateCondVarWait, 0)
ANNOTATION(AnnotateEnableRaceDetection, 0)
TOLD(AnnotateExpectRace, BENIGN, c, 1)
ANNOTATION(AnnotateFlushExpectedRaces, 0)
ANNOTATION(AnnotateFlushState, 0)
TOLD(AnnotateHappensAfter, ACQUIRE, c, 0)
TOLD(AnnotateHappensBefore, RELEASE, c, 0)
TOLD(AnnotateIgnoreReadsBegin, IGNORE_READS, a, 0)
TOLD(AnnotateIgnoreReadsEnd, HEED_READS, a, 0)
ANNOTATION(AnnotateIgnoreSyncBegin, 0)
ANNOTATION(AnnotateIgnoreSyncEnd, 0)
TOLD(AnnotateIgnoreWritesBegin, IGNORE_WRITES, a, 0)
TOLD(AnnotateIgnoreWritesEnd, HEED_WRITES, a, 0)
ANNOTATION(AnnotateMemoryIsInitialized, 0)
ANNOTATION(AnnotateMemoryIsUninitialized, 0)
ANNOTATION(AnnotateMutexIsNotPHB, 0)
ANNOTATION(AnnotateMutexIsUsedAsCondVar, 0)
TOLD(AnnotateNewMemory, NEW, c, d)
ANNOTATION(AnnotateNoOp, 0)
ANNOTATION(AnnotatePCQCreate, 0)
ANNOTATION(AnnotatePCQDestroy, 0)
ANNOTATION(AnnotatePCQGet, 0)
ANNOTATION(AnnotatePCQPut, 0)
ANNOTATION(AnnotatePublishMemoryRange, 0)
ANNOTATION(AnnotateRWLockAcquired, 0)
ANNOTATION(AnnotateRWLockCreate, 0)
ANNOTATION(AnnotateRWLockCreateStatic, 0)
ANNOTATION(AnnotateRWLockDestroy, 0)
ANNOTATION(AnnotateRWLockReleased, 0)
ANNOTATION(AnnotateThreadName, 0)
ANNOTATION(AnnotateTraceMemory, 0)
ANNOTATION(AnnotateUnpublishMemoryRange, 0)
ANNOTATION(RunningOnValgrind, 0)
ANNOTATION(ThreadSanitizerQuery, 0)
TOLD(WTFAnnotateBenignRaceSized, BENIGN, c, d)
TOLD(WTFAnnotateHappensAfter, ACQUIRE, c, 0)
TOLD(WTFAnnotateHappensBefore, RELEASE, c, 0)

/* AddressSanitizer (sanitizer/asan_interface.h). */
ANNOTATION(__asan_poison_memory_region, 0)
ANNOTATION(__asan_unpoison_memory_region, 0)
ANNOTATION(__asan_address_is_poisoned, 0)
ANNOTATION(__asan_region_is_poisoned, 0)
ANNOTATION(__asan_describe_address, 0)
ANNOTATION(__asan_report_present, 0)
ANNOTATION(__asan_get_report_pc, 0)
ANNOTATION(__asan_get_report_bp, 0)
ANNOTATION(__asan_get_report_sp, 0)
ANNOTATION(__asan_get_report_address, 0)
ANNOTATION(__asan_get_report_access_type, 0)
ANNOTATION(__asan_get_report_access_size, 0)
ANNOTATION(__asan_get_report_description, 0)
ANNOTATION(__asan_get_alloc_stack, 0)
ANNOTATION(__asan_get_free_stack, 0)
ANNOTATION(__asan_get_current_fake_stack, 0)
ANNOTATION(__asan_addr_is_in_fake_stack, 0)
ANNOTATION(__asan_suppress_fake_stack, 0)
ANNOTATION(__asan_unsuppress_fake_stack, 0)
ANNOTATION(__asan_set_death_callback, 0)
ANNOTATION(__asan_set_error_report_callback, 0)
ANNOTATION(__asan_print_accumulated_stats, 0)
ANNOTATION(__asan_update_allocation_context, 0)

/* LeakSanitizer (sanitizer/lsan_interface.h). */
ANNOTATION(__lsan_disable, 0)
ANNOTATION(__lsan_enable, 0)
ANNOTATION(__lsan_ignore_object, 0)
ANNOTATION(__lsan_register_root_region, 0)
ANNOTATION(__lsan_unregister_root_region, 0)
ANNOTATION(__lsan_do_leak_check, 0)
ANNOTATION(__lsan_do_recoverable_leak_check, 0)

/* All of them (sanitizer/common_interface_defs.h, allocator_interface.h). */
ANNOTATION(__sanitizer_annotate_contiguous_container, 0)
ANNOTATION(__sanitizer_annotate_double_ended_contiguous_container, 0)
ANNOTATION(__sanitizer_contiguous_container_find_bad_address, 0)
ANNOTATION(__sanitizer_double_ended_contiguous_container_find_bad_address, 0)
ANNOTATION(__sanitizer_copy_contiguous_container_annotations, 0)
ANNOTATION(__sanitizer_print_stack_trace, 0)
ANNOTATION(__sanitizer_print_memory_profile, 0)
ANNOTATION(__sanitizer_set_death_callback, 0)
ANNOTATION(__sanitizer_set_report_path, 0)
ANNOTATION(__sanitizer_set_report_fd, 0)
ANNOTATION(__sanitizer_get_report_path, 0)
ANNOTATION(__sanitizer_report_error_summary, 0)
ANNOTATION(__sanitizer_acquire_crash_state, 0)
ANNOTATION(__sanitizer_start_switch_fiber, 0)
ANNOTATION(__sanitizer_finish_switch_fiber, 0)
ANNOTATION(__sanitizer_get_ownership, 0)
ANNOTATION(__sanitizer_get_allocated_size, 0)
ANNOTATION(__sanitizer_get_allocated_size_fast, 0)
ANNOTATION(__sanitizer_get_allocated_begin, 0)
ANNOTATION(__sanitizer_get_estimated_allocated_size, 0)
ANNOTATION(__sanitizer_get_current_allocated_bytes, 0)
ANNOTATION(__sanitizer_get_heap_size, 0)
ANNOTATION(__sanitizer_get_free_bytes, 0)
ANNOTATION(__sanitizer_get_unmapped_bytes, 0)
ANNOTATION(__sanitizer_purge_allocator, 0)
ANNOTATION(__sanitizer_install_malloc_and_free_hooks, 0)
ANNOTATION(__sanitizer_get_module_and_offset_for_pc, 0)

/* Where nothing is watched, nothing is wrong. */
ANNOTATION(__sanitizer_verify_contiguous_container, 1)
ANNOTATION(__sanitizer_verify_double_ended_contiguous_container, 1)
ANNOTATION(ValgrindSlowdown, 1)

/* Those that are more than annotations work without a sanitizer too. */
static const char nowhere[] = "";
ANNOTATION(__asan_locate_address, (word)nowhere)

static word without_text(char *text, size_t size) {
  if (size > 0) *text = 0;
  return 0;
}
ANNOTATION(__sanitizer_symbolize_pc, without_text((char *)c, d))
ANNOTATION(__sanitizer_symbolize_global, without_text((char *)c, d))

#define UNALIGNED(bits)                                                                                     \
  static word load##bits(const void *place) {                                                               \
    uint##bits##_t value;                                                                                   \
    memcpy(&value, place, sizeof value);                                                                    \
    return (word)value;                                                                                     \
  }                                                                                                         \
  static word store##bits(void *place, word value) {                                                        \
    const uint##bits##_t stored = (uint##bits##_t)value;                                                    \
    memcpy(place, &stored, sizeof stored);                                                                  \
    return 0;                                                                                               \
  }                                                                                                         \
  ANNOTATION(__sanitizer_unaligned_load##bits, load##bits((const void *)a))                                 \
  ANNOTATION(__sanitizer_unaligned_store##bits, store##bits((void *)a, b))
UNALIGNED(16)
UNALIGNED(32)
UNALIGNED(64)
