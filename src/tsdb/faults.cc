#include "tsdb/faults.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace stoker::tsdb {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

IOStatus fault(Faults& faults, Faults::Op op, const std::string& path) {
    const int error = faults.on(op, path);
    switch (error) {
        case 0:
            return IOStatus::OK();
        case ENOSPC:
            return IOStatus::NoSpace(path, std::strerror(error));
        default:
            return IOStatus::IOError(path, std::strerror(error));
    }
}

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    FaultyFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, Faults& faults, std::string path)
        : FSWritableFileOwnerWrapper(std::move(file)), faults_(faults), path_(std::move(path)) {}

    IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
        const IOStatus failed = fault(faults_, Faults::Op::Write, path_);
        return failed.ok() ? target()->Append(data, options, debug) : failed;
    }
    IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
        const IOStatus failed = fault(faults_, Faults::Op::Write, path_);
        return failed.ok() ? target()->Append(data, options, verification, debug) : failed;
    }
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        const IOStatus failed = fault(faults_, Faults::Op::Sync, path_);
        return failed.ok() ? target()->Sync(options, debug) : failed;
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        const IOStatus failed = fault(faults_, Faults::Op::Sync, path_);
        return failed.ok() ? target()->Fsync(options, debug) : failed;
    }

private:
    Faults& faults_;
    const std::string path_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
public:
    FaultyFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base, Faults& faults)
        : FileSystemWrapper(base), faults_(faults) {}

    const char* Name() const override { return "FaultyFileSystem"; }

    IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
        const IOStatus failed = fault(faults_, Faults::Op::Create, path);
        if (!failed.ok()) {
            return failed;
        }
        std::unique_ptr<rocksdb::FSWritableFile> real;
        const IOStatus made = target()->NewWritableFile(path, options, &real, debug);
        if (made.ok()) {
            *file = std::make_unique<FaultyFile>(std::move(real), faults_, path);
        }
        return made;
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                        IODebugContext* debug) override {
        const IOStatus failed = fault(faults_, Faults::Op::Rename, from);
        return failed.ok() ? target()->RenameFile(from, to, options, debug) : failed;
    }

private:
    Faults& faults_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> faulty_env(Faults& faults) {
    return rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(rocksdb::FileSystem::Default(), faults));
}

}  // namespace stoker::tsdb
