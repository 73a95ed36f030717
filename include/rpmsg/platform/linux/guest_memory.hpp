#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/received_files.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
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

/// The memory of the guests that come and go on one link. One table is offered by the guest, one is the bus's,
/// and others are kept while handles of their epoch live.
///
/// The bus's changes only when the bus takes new rings (attach()), so an address of old rings never meets new
/// memory. When the guest takes its rings back, the bus's becomes ours alone (part()): what a handle of that epoch
/// writes late reaches nobody, though the guest may have made other rings in the same place. It stays mapped until the
/// attach() after the next even without handles: another thread may be in the middle of a copy.
///
/// @context offer(), part(), offered(): the thread that serves the socket. attach(), to_local(), to_guest(): as the bus, under its
///          exclusion. hold(), drop(): any thread.
class guest_memory {
public:
    /// What the guest shares from now on; nullptr: nothing.
    ///
    /// @return errc::out_of_memory
    errc offer(std::unique_ptr<guest_regions> table) noexcept
    {
        const std::lock_guard hold{mutex_};
        offered_ = nullptr;
        waiting_.reset();
        if (table == nullptr)
            return errc{};
        waiting_.reset(new (std::nothrow) node{});
        if (waiting_ == nullptr)
            return errc::out_of_memory;
        waiting_->regions = std::move(table);
        offered_ = waiting_->regions.get();
        return errc{};
    }
    /// The guest takes back the rings that the bus has: nothing reaches them from now on. What is offered is offered
    /// still, for the next ones.
    void part() noexcept
    {
        const std::lock_guard hold{mutex_};
        if (newest_ == nullptr)
            return;
        newest_->regions->part();
        if (offered_ != newest_->regions.get())
            return;
        offered_ = nullptr;  // without memory the guest's next request is refused
        std::unique_ptr<node> again{new (std::nothrow) node{}};
        if (again == nullptr)
            return;
        again->regions.reset(new (std::nothrow) guest_regions);
        if (again->regions == nullptr || !again->regions->map(*newest_->regions))
            return;
        waiting_ = std::move(again);
        offered_ = waiting_->regions.get();
    }
    /// What is offered, or nullptr. Valid until the next offer() or part().
    [[nodiscard]] const guest_regions* offered() const noexcept { return offered_; }

    /// The bus takes rings in what is offered. Again for the same: nothing happens.
    void attach() noexcept
    {
        const std::lock_guard hold{mutex_};
        if (waiting_ == nullptr)
            return;
        // The one that was left before the one that is left now: nobody copies into it any more.
        if (newest_ != nullptr)
            newest_->upto = newest_epoch_;
        waiting_->next = std::move(newest_);
        newest_ = std::move(waiting_);
        current_ = newest_->regions.get();
        drop_unheld(2);
    }

    [[nodiscard]] std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        return current_ != nullptr ? current_->to_local(address, bytes) : nullptr;
    }
    [[nodiscard]] std::uint64_t to_guest(const std::byte* local) const noexcept
    {
        return current_ != nullptr ? current_->to_guest(local) : 0;
    }

    /// A handle is made, and destroyed. See policy::holding_address_map.
    void hold(std::uint32_t epoch) noexcept
    {
        const std::lock_guard hold{mutex_};
        if (is_later(epoch, newest_epoch_))
            newest_epoch_ = epoch;
        if (auto* const of = table_of(epoch))
            ++of->handles;
    }
    void drop(std::uint32_t epoch) noexcept
    {
        const std::lock_guard hold{mutex_};
        auto* const of = table_of(epoch);
        if (of != nullptr && of->handles != 0 && --of->handles == 0)
            drop_unheld(2);
    }

    /// Tables that are mapped: to see in a test that none is left behind.
    [[nodiscard]] std::size_t tables() const noexcept
    {
        const std::lock_guard hold{mutex_};
        std::size_t count = waiting_ != nullptr ? 1 : 0;
        for (const auto* one = newest_.get(); one != nullptr; one = one->next.get())
            ++count;
        return count;
    }

private:
    /// Newest first.
    struct node {
        std::unique_ptr<guest_regions> regions;
        std::unique_ptr<node> next;
        std::uint32_t upto = 0;  ///< The last epoch of which there was a handle when the bus left it.
        std::uint32_t handles = 0;
    };

    static bool is_later(std::uint32_t epoch, std::uint32_t than) noexcept
    {
        return static_cast<std::int32_t>(epoch - than) > 0;
    }
    /// Those of the current table are of later epochs than any before.
    node* table_of(std::uint32_t epoch) noexcept
    {
        node* found = newest_.get();
        for (node* one = found; one != nullptr && one->next != nullptr; one = one->next.get())
            if (!is_later(epoch, one->next->upto))
                found = one->next.get();
        return found;
    }
    /// Unmaps what nobody holds, but for the newest ones.
    void drop_unheld(unsigned kept) noexcept
    {
        auto* at = &newest_;
        while (*at != nullptr) {
            if (kept != 0) {
                --kept;
            } else if ((*at)->handles == 0) {
                *at = std::move((*at)->next);
                continue;
            }
            at = &(*at)->next;
        }
    }

    mutable std::mutex mutex_;
    std::unique_ptr<node> waiting_;
    std::unique_ptr<node> newest_;
    const guest_regions* current_ = nullptr;
    const guest_regions* offered_ = nullptr;
    std::uint32_t newest_epoch_ = 0;
};

}  // namespace rpmsg::platform
