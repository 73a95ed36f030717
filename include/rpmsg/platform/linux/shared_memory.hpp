#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/result.hpp>

#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

namespace rpmsg::platform {

/// Memory that two processes share: a memfd, mapped for reading and writing.
///
/// It can never shrink, and neither side has to trust the other for that: a page that is gone would kill
/// whoever touches it with SIGBUS. One side makes it with create(), hands the file over (link_files.hpp)
/// and the other one takes it with adopt(), which asks the kernel for the seals.
///
/// @context One thread at a time; bytes() are for any thread, ordered by policy::smp.
class shared_memory {
public:
    /// No memory.
    constexpr shared_memory() noexcept = default;

    /// Makes new memory, all zero, and seals its size.
    ///
    /// @param size  Bytes, at least 1. Pages are taken from the system when they are first touched.
    /// @param name  What /proc/PID/maps shows: at most 249 bytes, need not be unique.
    /// @return  errc::system: no memory, no file, or a bad size.
    static result<shared_memory> create(std::size_t size, const char* name) noexcept
    {
        // Linux 6.3 and later want to be told that this is not a program; earlier ones know no such flag.
        constexpr unsigned not_a_program = 0x0008;  // MFD_NOEXEC_SEAL
        constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        file_descriptor file{::memfd_create(name, flags | not_a_program)};
        if (!file && errno == EINVAL)
            file = file_descriptor{::memfd_create(name, flags)};
        if (!file)
            return errc::system;
        if (retried([&] { return ::ftruncate(file.get(), static_cast<::off_t>(size)); }) != 0)
            return errc::system;
        if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
            return errc::system;
        return map(std::move(file), size);
    }

    /// Takes memory that the other side made. A file that is refused is closed.
    ///
    /// @param file  A memfd, sealed at least against shrinking. Its size is what the kernel says.
    /// @return  errc::unsupported when it may shrink or cannot be sealed at all; errc::system when it is
    ///          empty, cannot be written or does not fit the address space.
    static result<shared_memory> adopt(file_descriptor file) noexcept
    {
        const int seals = ::fcntl(file.get(), F_GET_SEALS);
        if (seals < 0)
            return errno == EINVAL ? errc::unsupported : errc::system;
        if ((seals & F_SEAL_SHRINK) == 0)
            return errc::unsupported;

        struct ::stat about{};
        if (::fstat(file.get(), &about) != 0)
            return errc::system;
        if (!std::in_range<std::size_t>(about.st_size)) {
            errno = EFBIG;
            return errc::system;
        }
        return map(std::move(file), static_cast<std::size_t>(about.st_size));
    }

    shared_memory(shared_memory&& other) noexcept
        : file_{std::move(other.file_)},
          bytes_{std::exchange(other.bytes_, {})}
    {}
    shared_memory& operator=(shared_memory&& other) noexcept
    {
        shared_memory taken{std::move(other)};
        std::swap(file_, taken.file_);
        std::swap(bytes_, taken.bytes_);
        return *this;
    }
    ~shared_memory()
    {
        const int before = errno;
        if (!bytes_.empty())
            ::munmap(bytes_.data(), bytes_.size());
        errno = before;
    }

    /// The memory, aligned to a page. Its contents are the peer's to change at any time.
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

    /// The memfd, to hand to the other side; still owned here.
    [[nodiscard]] int fd() const noexcept { return file_.get(); }

private:
    static result<shared_memory> map(file_descriptor file, std::size_t size) noexcept
    {
        void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
        if (at == MAP_FAILED)
            return errc::system;
        shared_memory memory;
        memory.file_ = std::move(file);
        memory.bytes_ = {static_cast<std::byte*>(at), size};
        return memory;
    }

    file_descriptor file_;
    std::span<std::byte> bytes_;
};

}  // namespace rpmsg::platform
