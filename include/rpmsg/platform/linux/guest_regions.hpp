#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/received_files.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

namespace rpmsg::platform {

/// One table of a guest's memory, mapped for reading and writing.
///
/// The guest keeps the files, so it can cut one shorter later: whoever touches what is gone dies of SIGBUS.
class guest_regions {
public:
    guest_regions() noexcept = default;
    guest_regions(const guest_regions&) = delete;
    guest_regions& operator=(const guest_regions&) = delete;
    ~guest_regions()
    {
        const int before = errno;
        for (const auto& one : regions_)
            if (!one.mapped.empty())
                ::munmap(one.mapped.data(), one.mapped.size());
        errno = before;
    }

    /// Maps them all, and takes their files. @pre Nothing is mapped.
    ///
    /// @return errc::malformed: empty, beyond the last address, or one over another; errc::out_of_map: a file that is
    ///         shorter than it claims; errc::unsupported: no regular file; errc::system: it cannot be mapped.
    template <std::size_t Most>
    result<void> map(const vhost_user::memory_table& table, received_files<Most>& files) noexcept
    {
        for (std::size_t i = 0; i < table.count; ++i) {
            const auto& wanted = table.regions[i];
            if (!is_sound(wanted))
                return errc::malformed;
            for (std::size_t k = 0; k < i; ++k)
                if (overlap(wanted, table.regions[k]))
                    return errc::malformed;
            if (const auto mapped = map(regions_[i], wanted, std::move(files[i])); !mapped)
                return mapped;
        }
        return {};
    }
    /// Maps what another table has once more. @pre Nothing is mapped.
    ///
    /// @return errc::system: it cannot be mapped, or there are too many files.
    result<void> map(const guest_regions& other) noexcept
    {
        for (std::size_t i = 0; i < regions_.size(); ++i) {
            if (other.regions_[i].about.size == 0)
                continue;
            auto file = other.regions_[i].file.duplicate();
            if (!file)
                return file.error();
            if (const auto mapped = map(regions_[i], other.regions_[i].about, *std::move(file)); !mapped)
                return mapped;
        }
        return {};
    }
    /// From now on what is written here stays here: the guest does not see it. Pointers stay as they are, and so does
    /// what can be read, as far as the guest does not change it.
    ///
    /// @context Others may read and write meanwhile.
    void part() noexcept
    {
        const int before = errno;
        for (const auto& one : regions_)
            if (!one.mapped.empty())
                static_cast<void>(::mmap(one.mapped.data(), one.mapped.size(), PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, one.file.get(), 0));
        errno = before;
    }

    /// A range of the guest's memory here, or nullptr if it is not all in one region.
    [[nodiscard]] std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        for (const auto& one : regions_) {
            const std::uint64_t at = address - one.about.guest_address;
            if (at < one.about.size && bytes <= one.about.size - at)
                return one.start() + at;
        }
        return nullptr;
    }
    /// The address that the guest's descriptors have for a place here; 0 if it has none.
    [[nodiscard]] std::uint64_t to_guest(const std::byte* local) const noexcept
    {
        for (const auto& one : regions_)
            if (one.about.size != 0 && local >= one.start() && local < one.start() + one.about.size)
                return one.about.guest_address + static_cast<std::uint64_t>(local - one.start());
        return 0;
    }
    /// The address that descriptors have for an address of the guest's program.
    ///
    /// @return errc::out_of_map when it is in no region.
    [[nodiscard]] result<std::uint64_t> guest_address_of(std::uint64_t user) const noexcept
    {
        for (const auto& one : regions_)
            if (const std::uint64_t at = user - one.about.user_address; at < one.about.size)
                return one.about.guest_address + at;
        return errc::out_of_map;
    }

private:
    struct region {
        vhost_user::memory_region about{};
        file_descriptor file;
        std::span<std::byte> mapped;  // from the start of the file

        [[nodiscard]] std::byte* start() const noexcept { return mapped.data() + about.file_offset; }
    };

    static bool is_sound(const vhost_user::memory_region& one) noexcept
    {
        constexpr auto last = ~std::uint64_t{0};
        return one.size != 0 && one.guest_address <= last - one.size && one.user_address <= last - one.size &&
               one.file_offset <= last - one.size;
    }
    static bool overlap(std::uint64_t a, std::uint64_t size_a, std::uint64_t b, std::uint64_t size_b) noexcept
    {
        return a < b ? b - a < size_a : a - b < size_b;
    }
    static bool overlap(const vhost_user::memory_region& a, const vhost_user::memory_region& b) noexcept
    {
        return overlap(a.guest_address, a.size, b.guest_address, b.size) ||
               overlap(a.user_address, a.size, b.user_address, b.size);
    }

    /// From the start of the file: where a region begins need not be a place at which it can be mapped.
    static result<void> map(region& into, const vhost_user::memory_region& wanted,
                            file_descriptor file) noexcept
    {
        struct ::stat about{};
        if (::fstat(file.get(), &about) != 0)
            return errc::system;
        if (!S_ISREG(about.st_mode))
            return errc::unsupported;
        const std::uint64_t end = wanted.file_offset + wanted.size;
        if (about.st_size < 0 || end > static_cast<std::uint64_t>(about.st_size))
            return errc::out_of_map;
        if (!std::in_range<std::size_t>(end)) {
            errno = EFBIG;
            return errc::system;
        }
        const auto bytes = static_cast<std::size_t>(end);
        void* const at =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
        if (at == MAP_FAILED)
            return errc::system;
        into.about = wanted;
        into.mapped = {static_cast<std::byte*>(at), bytes};
        into.file = std::move(file);
        return {};
    }

    std::array<region, vhost_user::most_regions> regions_;
};

}  // namespace rpmsg::platform
