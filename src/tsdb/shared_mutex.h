// A readers-writer lock that clang's -Wthread-safety understands (see base/sync.h).
#pragma once

#include <shared_mutex>

#include "base/sync.h"

#define REQUIRES_SHARED_LOCK(...) STOKER_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))

namespace stoker::tsdb {

class STOKER_THREAD_ANNOTATION(capability("mutex")) SharedMutex {
public:
    void lock() STOKER_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
    void unlock() STOKER_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    void lock_shared() STOKER_THREAD_ANNOTATION(acquire_shared_capability()) { mutex_.lock_shared(); }
    void unlock_shared() STOKER_THREAD_ANNOTATION(release_shared_capability()) { mutex_.unlock_shared(); }

private:
    std::shared_mutex mutex_;
};

class STOKER_THREAD_ANNOTATION(scoped_lockable) WriteLock {
public:
    explicit WriteLock(SharedMutex& mutex) STOKER_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~WriteLock() STOKER_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

private:
    SharedMutex& mutex_;
};

class STOKER_THREAD_ANNOTATION(scoped_lockable) ReadLock {
public:
    explicit ReadLock(SharedMutex& mutex) STOKER_THREAD_ANNOTATION(acquire_shared_capability(mutex)) : mutex_(mutex) {
        mutex_.lock_shared();
    }
    ~ReadLock() STOKER_THREAD_ANNOTATION(release_capability()) { mutex_.unlock_shared(); }
    ReadLock(const ReadLock&) = delete;
    ReadLock& operator=(const ReadLock&) = delete;

private:
    SharedMutex& mutex_;
};

}  // namespace stoker::tsdb
