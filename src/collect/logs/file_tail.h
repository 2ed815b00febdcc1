// One file that grows, read line by line: what was appended since the last look, and whether it was emptied or written
// anew under the same inode (copytruncate). Keeps the file open, so that it is read to its end even after it was
// renamed or deleted. Not thread-safe; reading blocks as the file system does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::collect {

// A file whatever it is called: the same after a rename.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend auto operator<=>(const FileId&, const FileId&) = default;
};

// The hash of a file's first bytes: tells a file from another that got the same inode later.
struct Fingerprint {
    static constexpr std::uint32_t kBytes = 256;
    std::uint32_t bytes = 0;  // How many of them; 0: an empty file's, which fits every file.
    std::uint64_t hash = 0;
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Errors: NotFound.
Result<FileId> file_id(const std::string& path);

class FileTail {
public:
    struct Counts {
        std::uint64_t truncations = 0;  // It was emptied or written anew.
        std::uint64_t cut_lines = 0;    // Longer than may be.
    };
    using OnLine = std::function<void(std::string_view line, std::uint64_t begin)>;

    // Starts at byte `offset`, or at the beginning if it is not the file of `known`, or shorter. Lines of more than
    // `max_line` bytes are cut. Errors: NotFound, PermissionDenied, InvalidArgument (no regular file).
    static Result<std::unique_ptr<FileTail>> open(const std::string& path, std::uint64_t offset,
                                                  const Fingerprint& known, std::size_t max_line);
    ~FileTail();
    FileTail(const FileTail&) = delete;
    FileTail& operator=(const FileTail&) = delete;

    // Reads at most about `budget` bytes and hands on the lines that are whole; returns the bytes read, 0 at the end.
    Result<std::size_t> read(std::size_t budget, const OnLine& on_line);
    // Hands on what stands after the last line's end, if anything: the file will not grow any more.
    void finish(const OnLine& on_line);

    // Goes back to read from there again. REQUIRES: a line begins there.
    void rewind(std::uint64_t offset);

    FileId id() const { return id_; }
    std::uint64_t line_begin() const { return begin_; }  // Of the first line not handed on yet.
    const Fingerprint& fingerprint() const { return fingerprint_; }
    const Fingerprint& before_truncation() const { return before_truncation_; }  // Empty if there was none.
    std::uint64_t lag() const;  // Bytes in the file that were not read yet.
    Counts take_counts() { return std::exchange(counts_, {}); }

private:
    FileTail(int fd, FileId id, std::size_t max_line) : fd_(fd), id_(id), max_line_(max_line) {}
    Result<Unit> follow_truncation();
    Fingerprint print(std::uint32_t bytes) const;
    void take(std::string_view bytes, const OnLine& on_line);

    const int fd_;
    const FileId id_;
    const std::size_t max_line_;
    std::uint64_t at_ = 0;  // The next byte to read.
    std::uint64_t begin_ = 0;
    std::string rest_;       // The bytes from begin_ to at_, as many as a line may have.
    bool skipping_ = false;  // In a line that was cut.
    Fingerprint fingerprint_;
    std::int64_t changed_ns_ = 0;  // When somebody wrote last, at the last look.
    Fingerprint before_truncation_;
    Counts counts_;
};

}  // namespace stoker::collect
