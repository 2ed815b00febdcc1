// Mutexes that clang's -Wthread-safety understands. With gcc the annotations are nothing.
#pragma once

#include <mutex>

#if defined(__clang__)
#define STOKER_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define STOKER_THREAD_ANNOTATION(x)
#endif
#define GUARDED_BY(x) STOKER_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES_LOCK(...) STOKER_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))

namespace stoker {

class STOKER_THREAD_ANNOTATION(capability("mutex")) Mutex {
public:
    void lock() STOKER_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
    void unlock() STOKER_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

class STOKER_THREAD_ANNOTATION(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) STOKER_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() STOKER_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

}  // namespace stoker
